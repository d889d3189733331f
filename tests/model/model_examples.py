"""A full object of each stored class, and strategies for hypothesis that fill every field."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import attrs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.model import (
    Account,
    AccountStatus,
    Address,
    ChangeRequest,
    Channel,
    Consent,
    ConsentStatus,
    Coupon,
    Customer,
    CustomerKind,
    DateRange,
    Direction,
    Email,
    Feedback,
    FeedbackKind,
    FeedbackStatus,
    Identifier,
    Interaction,
    LifecycleChange,
    LoyaltyEntry,
    LoyaltyKind,
    Merge,
    Money,
    NameUse,
    PaymentMethod,
    PaymentMethodKind,
    PersonName,
    Phone,
    Preference,
    Relationship,
    RelationshipKind,
    ReviewStatus,
    ReviewTask,
    Role,
    SocialHandle,
    Stamp,
    Tag,
    Transaction,
    TransactionKind,
    TransactionStatus,
)

# A shared machine is slow now and then: that is no failure of what is tested.
quick = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = datetime(2026, 2, 1, 8, 30, 15, 250_000, tzinfo=UTC)
STAMPS: dict[str, Any] = {
    "version": 3,
    "created_at": NOON,
    "updated_at": LATER,
    "extra": {"loyalty_card": "L-77", "scores": [1, 2.5, None, True, {"深": "é"}]},
}

FULL: dict[str, Any] = {
    "customer": Customer(
        id="c1",
        kind="organization",
        status="merged",
        names=[
            PersonName(given="Rosa", family="Prar", middle="B."),
            PersonName(given="伟", family="张", full="张伟", use="alias", family_first=True),
        ],
        organization="Example Ltd",
        emails=[Email("rosa@example.com", label="work", verified_at=NOON), Email("r@example.com")],
        phones=[Phone("+8613800138000", label="mobile", verified_at=LATER)],
        addresses=[
            Address(
                address_lines=["100 Example Road", "2nd floor"],
                street_name="Example Road",
                building_number="100",
                unit="7B",
                sublocality="黄浦区",
                locality="上海",
                administrative_area="上海市",
                postal_code="200000",
                region_code="CN",
                label="billing",
            )
        ],
        identifiers=[
            Identifier(scheme="external", issuer="shop", value="C00001"),
            Identifier(scheme="cn_resident_id", value="TEST-0001", country="CN", verified_at=NOON),
        ],
        birth_date=date(1980, 2, 29),
        sex="f",
        notes=["prefers the window seat"],
        tags=[Tag("vip"), Tag("newsletter")],
        merged_into="c0",
        **STAMPS,
    ),
    "account": Account(id="a1", customer_id="c1", currency="KWD", status="suspended", name="Savings", **STAMPS),
    "transaction": Transaction(
        id="t1",
        account_id="a1",
        kind="refund",
        status="pending",
        amount=Money(12_345, "KWD"),
        occurred_at=NOON,
        channel="app",
        method="card",
        merchant="Example Shop",
        related_id="t0",
        description="the blue one came back",
        **STAMPS,
    ),
    "interaction": Interaction(
        id="i1",
        customer_id="c1",
        channel="phone",
        direction="inbound",
        occurred_at=NOON,
        summary="asked about the bill",
        outcome="explained",
        **STAMPS,
    ),
    "consent": Consent(
        id="k1",
        customer_id="c1",
        purpose="marketing",
        channel="email",
        status="granted",
        captured_at=NOON,
        notice="2026-01",
        proof="form 17",
        **STAMPS,
    ),
    "merge": Merge(
        id="m1",
        survivor="c1",
        members=["c1", "c2"],
        before={"customer/c1": 1, "customer/c2": 4},
        after={"customer/c1": 2, "customer/c2": 5},
        undone_at=LATER,
        **STAMPS,
    ),
    "reviewtask": ReviewTask(
        id="r1",
        reason="duplicate",
        customer_ids=["c1", "c2"],
        status="done",
        assignee="desk-7",
        proposal={"emails": [{"value": "rosa@example.org"}]},
        **STAMPS,
    ),
    "loyaltyentry": LoyaltyEntry(
        id="l1",
        customer_id="c1",
        kind="earn",
        points=120,
        occurred_at=NOON,
        expires_at=LATER,
        transaction_id="t0",
        program="stars",
        description="double points on the blue one",
        **STAMPS,
    ),
    "coupon": Coupon(
        id="p1",
        code="HELLO-20-4711",
        customer_id="c1",
        status="redeemed",
        percent_off=15,
        minimum_spend=Money(10_000, "CNY"),
        maximum_off=Money(2_000, "CNY"),
        valid_from=NOON,
        expires_at=LATER,
        redeemed_at=NOON,
        transaction_id="t0",
        description="welcome back",
        **STAMPS,
    ),
    "paymentmethod": PaymentMethod(
        id="w1",
        customer_id="c1",
        kind="card",
        status="expired",
        token="tok_1Example4711",
        brand="unionpay",
        last4="0123",
        exp_month=2,
        exp_year=2026,
        fingerprint="Xt5EWLLDS7FJjR1c",
        issuer="Example Bank",
        mandate="MNDT-4711",
        label="the blue card",
        is_default=True,
        **STAMPS,
    ),
    "feedback": Feedback(
        id="f1",
        customer_id="c1",
        channel="chat",
        kind="complaint",
        occurred_at=NOON,
        score=2,
        scale=(1, 5),
        text="the blue one does not work",
        about="t0",
        status="resolved",
        assignee="desk-7",
        acknowledged_at=NOON,
        resolved_at=LATER,
        resolution="sent the bill back",
        **STAMPS,
    ),
    "changerequest": ChangeRequest(
        id="q1",
        customer_id="c1",
        changes={"emails": [{"value": "rosa@example.org"}]},
        status="applied",
        submitted_by="c1",
        submitted_at=NOON,
        verified_at=NOON,
        decided_by="desk-7",
        decided_at=LATER,
        applied_at=LATER,
        reason="asked at the window",
        **STAMPS,
    ),
}

# With the fields that came later than the golden files of the first version.
FILLED: dict[str, Any] = {
    **FULL,
    "customer.filled": attrs.evolve(
        FULL["customer"],
        names=[
            PersonName(given="伟", family="张", family_first=True, script="Hans", language="zh-Hans"),
            PersonName(
                given="Wei", family="Zhang", prefix="Dr", suffix="PhD", script="Latn", language="zh-Latn-pinyin"
            ),
        ],
        emails=[Email("wei@example.com", valid=DateRange(date(2026, 1, 1)), preferred=True)],
        phones=[Phone("+8613800138000", valid=DateRange(None, date(2026, 12, 31)), preferred=True)],
        handles=[
            SocialHandle(
                "wechat",
                "zhangwei_example",
                label="work",
                verified_at=NOON,
                valid=DateRange(date(2026, 1, 1), date(2026, 12, 31)),
                preferred=True,
            ),
            SocialHandle("QQ", "10001000100"),
        ],
        addresses=[
            Address(
                street_name="Example Road",
                building_number="100",
                building_name="Example Tower",
                floor="7",
                unit="7B",
                post_box="4711",
                care_of="Rosa Prar",
                department="Accounts",
                sub_department="Payable",
                town_location="浦东新区",
                locality="上海",
                postal_code="200000",
                sorting_code="X1",
                region_code="CN",
                recipients=["张伟"],
                organization="Example Ltd",
                language_code="zh-Hans",
                verified_at=NOON,
                valid=DateRange(date(2026, 1, 1)),
                preferred=True,
            )
        ],
        roles=["payer", "consignor"],
        relationships=[
            Relationship(kind="employer", other_id="c9", label="accounts", valid=DateRange(date(2020, 1, 1)))
        ],
        preferences=[
            Preference(channel="sms", hours="09:00-18:00", time_zone="Asia/Shanghai", language="zh-Hans"),
            Preference(channel="email"),
        ],
        lifecycle=[
            LifecycleChange(stage="prospect", at=NOON, reason="web_form"),
            LifecycleChange(stage="active", at=LATER),
        ],
        provenance=[
            Stamp(path="emails", source="pos", at=NOON, actor="desk-7", confidence=0.75, verified_at=LATER),
            Stamp(path="names[0].given", source="shop", at=NOON, confidence=1),
        ],
        custom={"allergy": "nuts"},
        custom_plain={"fleet_size": 12},
    ),
    "interaction.filled": attrs.evolve(FULL["interaction"], actor="desk-7", duration_s=95, about="t0"),
    "consent.filled": attrs.evolve(
        FULL["consent"], capture_channel="web", captured_by="desk-7", expires_at=datetime(2028, 1, 31, tzinfo=UTC)
    ),
    "reviewtask.filled": attrs.evolve(FULL["reviewtask"], fields=["birth_date", "phones"], due_on=date(2026, 2, 28)),
    "account.filled": attrs.evolve(
        FULL["account"],
        status="closed",
        credit_limit=Money(1_000_000, "KWD"),
        billing_cycle_day=31,
        parent_id="a0",
        opened_on=date(2020, 2, 29),
        closed_on=date(2026, 1, 31),
    ),
    "transaction.filled": attrs.evolve(
        FULL["transaction"], due_on=date(2026, 2, 28), payment_method_id="w1", reason="requested_by_customer"
    ),
    "loyaltyentry.reversal": attrs.evolve(
        FULL["loyaltyentry"], kind="reverse", points=-20, expires_at=None, related_id="l0"
    ),
    "coupon.amount": attrs.evolve(FULL["coupon"], percent_off=None, amount_off=Money(500, "CNY")),
}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
keys = texts.filter(str.strip)
times = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.timezones())
languages = st.sampled_from(["zh-Hans", "en", "zh-Latn-pinyin", "x-own"])
currencies = st.sampled_from(["JPY", "USD", "CNY", "KWD", "CLF"])
amounts = st.integers(0, 2**63 - 1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
extras = st.dictionaries(texts.map(lambda text: "x-" + text), json_values, max_size=2)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def built(cls: type, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects of a class; what its rules across fields refuse is drawn again."""

    def make(values: dict[str, Any]) -> Any:
        try:
            return cls(**values)
        except InvalidFieldError:
            return None

    return st.fixed_dictionaries({}, optional=fields).map(make).filter(lambda made: made is not None)


def required(cls: type, needed: dict[str, st.SearchStrategy[Any]], **fields: st.SearchStrategy[Any]) -> Any:
    def make(values: dict[str, Any]) -> Any:
        return cls(**values)

    return st.fixed_dictionaries(needed, optional=fields).map(make)


def listed(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=2)


names = built(
    PersonName,
    given=maybe(texts),
    family=maybe(texts),
    middle=maybe(texts),
    full=maybe(texts),
    use=st.sampled_from(NameUse),
    family_first=st.booleans(),
    prefix=maybe(texts),
    script=maybe(st.sampled_from(["Hans", "Latn"])),
    language=maybe(languages),
)
contact: dict[str, Any] = {
    "label": maybe(texts),
    "verified_at": maybe(times),
    "valid": maybe(built(DateRange, start=maybe(st.dates()), end=maybe(st.dates()))),
    "preferred": st.booleans(),
}
emails = required(Email, {"value": keys}, **contact)
phones = required(Phone, {"value": keys}, **contact)
handles = required(SocialHandle, {"network": keys, "handle": keys}, **contact)
addresses = built(
    Address,
    address_lines=listed(texts),
    floor=maybe(texts),
    locality=maybe(texts),
    postal_code=maybe(texts),
    region_code=maybe(texts),
    recipients=listed(texts),
    **contact,
)
relationships = required(
    Relationship, {"other_id": keys}, kind=st.sampled_from(RelationshipKind), label=maybe(texts), valid=contact["valid"]
)
preferences = built(
    Preference,
    channel=maybe(st.sampled_from(Channel)),
    hours=maybe(st.sampled_from(["00:00-24:00", "22:00-06:00"])),
    time_zone=maybe(keys),
    language=maybe(languages),
)
stamps = required(
    Stamp,
    {"path": st.sampled_from(["emails", "emails[0].value", "birth_date"]), "source": keys, "at": times},
    actor=maybe(keys),
    confidence=maybe(st.floats(0, 1) | st.integers(0, 1)),
)
stages = st.sampled_from([[], ["prospect"], ["active"], ["prospect", "active", "dormant", "churned", "won_back"]])
lifecycles = stages.flatmap(
    lambda chosen: st.lists(times, min_size=len(chosen), max_size=len(chosen)).map(
        lambda at: [LifecycleChange(stage=one, at=when) for one, when in zip(chosen, sorted(at), strict=True)]
    )
)
identifiers = required(
    Identifier, {"scheme": keys, "value": keys}, issuer=maybe(keys), country=maybe(keys), verified_at=maybe(times)
)
stamped = {
    "id": keys.map(lambda text: "id-" + text),
    "version": st.integers(0, 2**63 - 1),
    "created_at": maybe(times),
    "updated_at": maybe(times),
    "extra": extras,
}
customers = required(
    Customer,
    {},
    kind=st.sampled_from(CustomerKind),
    status=st.sampled_from(["active", "erased"]),
    names=listed(names),
    organization=maybe(texts),
    emails=listed(emails),
    phones=listed(phones),
    addresses=listed(addresses),
    identifiers=listed(identifiers),
    birth_date=maybe(st.dates()),
    sex=maybe(texts),
    notes=listed(texts),
    tags=listed(keys.map(Tag)),
    handles=listed(handles),
    roles=listed(st.sampled_from(Role)),
    relationships=listed(relationships),
    preferences=listed(preferences),
    lifecycle=lifecycles,
    provenance=st.lists(stamps, max_size=2, unique_by=lambda stamp: stamp.path),
    custom=st.dictionaries(texts, json_values, max_size=2),
    custom_plain=st.dictionaries(texts, json_values, max_size=2),
    merged_into=maybe(keys),
    **stamped,
)
money = st.builds(Money, st.integers(-(2**63), 2**63 - 1), currencies)
accounts = required(
    Account,
    {"customer_id": keys, "currency": currencies},
    status=st.sampled_from(AccountStatus),
    name=maybe(texts),
    billing_cycle_day=maybe(st.integers(1, 31)),
    parent_id=maybe(keys),
    opened_on=maybe(st.dates()),
    **stamped,
)
transactions = required(
    Transaction,
    {"account_id": keys, "amount": st.builds(Money, amounts, currencies), "occurred_at": times},
    kind=st.sampled_from(TransactionKind),
    status=st.sampled_from(TransactionStatus),
    channel=maybe(texts),
    method=maybe(texts),
    merchant=maybe(texts),
    related_id=maybe(keys),
    description=maybe(texts),
    due_on=maybe(st.dates()),
    payment_method_id=maybe(keys),
    reason=maybe(keys),
    **stamped,
)
interactions = required(
    Interaction,
    {
        "customer_id": keys,
        "channel": st.sampled_from(Channel),
        "direction": st.sampled_from(Direction),
        "occurred_at": times,
    },
    summary=maybe(texts),
    outcome=maybe(texts),
    actor=maybe(keys),
    duration_s=maybe(st.integers(0, 2**31 - 1)),
    **stamped,
)
consents = required(
    Consent,
    {
        "customer_id": keys,
        "purpose": keys,
        "channel": st.sampled_from(Channel),
        "status": st.sampled_from(ConsentStatus),
        "captured_at": times,
    },
    notice=maybe(texts),
    proof=maybe(texts),
    capture_channel=maybe(st.sampled_from(Channel)),
    **stamped,
)
merges = required(
    Merge,
    {"survivor": keys, "members": listed(keys)},
    before=st.dictionaries(texts, amounts, max_size=2),
    after=st.dictionaries(texts, amounts, max_size=2),
    undone_at=maybe(times),
    **stamped,
)
reviews = required(
    ReviewTask,
    {"reason": keys, "customer_ids": listed(keys)},
    status=st.sampled_from(ReviewStatus),
    assignee=maybe(texts),
    fields=listed(keys),
    due_on=maybe(st.dates()),
    proposal=st.dictionaries(texts, json_values, max_size=2),
    **stamped,
)
loyalty_entries = required(
    LoyaltyEntry,
    {
        "customer_id": keys,
        "kind": st.sampled_from([LoyaltyKind.EARN, LoyaltyKind.REDEEM, LoyaltyKind.EXPIRE]),
        "points": st.integers(1, 2**63 - 1),
        "occurred_at": times,
    },
    transaction_id=maybe(keys),
    program=maybe(keys),
    description=maybe(texts),
    **stamped,
)
coupons = required(
    Coupon,
    {"code": keys, "percent_off": st.integers(1, 100)},
    customer_id=maybe(keys),
    status=st.sampled_from(["issued", "voided"]),
    expires_at=maybe(times),
    description=maybe(texts),
    **stamped,
)
payment_methods = required(
    PaymentMethod,
    {"customer_id": keys, "kind": st.sampled_from(PaymentMethodKind)},
    token=maybe(keys),
    last4=maybe(st.just("0123")),
    exp_month=maybe(st.integers(1, 12)),
    exp_year=maybe(st.integers(1000, 9999)),
    fingerprint=maybe(keys),
    label=maybe(texts),
    is_default=st.booleans(),
    **stamped,
)
feedback = required(
    Feedback,
    {"customer_id": keys, "channel": st.sampled_from(Channel), "occurred_at": times, "scale": st.just((-2, 10))},
    kind=st.sampled_from(FeedbackKind),
    score=maybe(st.integers(-2, 10)),
    text=maybe(texts),
    about=maybe(keys),
    status=st.sampled_from(FeedbackStatus),
    **stamped,
)
change_requests = required(
    ChangeRequest,
    {"customer_id": keys, "submitted_by": keys, "submitted_at": times},
    changes=st.dictionaries(texts, json_values, max_size=2),
    reason=maybe(texts),
    **stamped,
)
entities = st.one_of(
    customers,
    accounts,
    transactions,
    interactions,
    consents,
    merges,
    reviews,
    loyalty_entries,
    coupons,
    payment_methods,
    feedback,
    change_requests,
)
