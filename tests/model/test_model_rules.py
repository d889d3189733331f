"""The rules of the classes: what cannot be is refused when the object is made, with path and code."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_examples import FILLED, LATER, NOON, quick

from custinfo.errors import InvalidFieldError
from custinfo.model import (
    Account,
    Address,
    ChangeRequest,
    ChangeRequestStatus,
    Channel,
    Consent,
    Coupon,
    Customer,
    DateRange,
    Email,
    Feedback,
    Interaction,
    LifecycleChange,
    LifecycleStage,
    LoyaltyEntry,
    Money,
    PaymentMethod,
    PersonName,
    Phone,
    Preference,
    Relationship,
    RelationshipKind,
    ReviewTask,
    Role,
    SocialHandle,
    Stamp,
    Transaction,
    check_change_request,
    check_transition,
    dumps,
    holds_pan,
    loads,
    lookup_terms,
    next_stages,
)
from custinfo.segment import LIFECYCLE

DAY = date(2026, 1, 31)
YUAN = Money(100, "CNY")
EARLIER = NOON - timedelta(seconds=1)
PAN = "4242 4242 4242 4242"  # the test number that Stripe documents


def account(**changes):
    return Account(**{"id": "a1", "customer_id": "c1", "currency": "CNY"} | changes)


def payment(**changes):
    return Transaction(**{"id": "t1", "account_id": "a1", "amount": YUAN, "occurred_at": NOON} | changes)


def entry(**changes):
    return LoyaltyEntry(**{"id": "l1", "customer_id": "c1", "kind": "earn", "points": 5, "occurred_at": NOON} | changes)


def coupon(**changes):
    return Coupon(**{"id": "p1", "amount_off": YUAN} | changes)


def method(**changes):
    return PaymentMethod(**{"customer_id": "c1", "kind": "card"} | changes)


def said(**changes):
    return Feedback(**{"customer_id": "c1", "channel": "sms", "occurred_at": NOON} | changes)


def asked(**changes):
    base = {"customer_id": "c1", "changes": {"sex": "f"}, "submitted_by": "c1", "submitted_at": NOON}
    return ChangeRequest(**base | changes)


def consent(**changes):
    base = {"customer_id": "c1", "purpose": "news", "channel": "sms", "status": "granted", "captured_at": NOON}
    return Consent(**base | changes)


def stamp(path="emails", **changes):
    return Stamp(**{"path": path, "source": "pos", "at": NOON} | changes)


def moved(*stages, start=NOON):
    return [LifecycleChange(stage=one, at=start + timedelta(days=day)) for day, one in enumerate(stages)]


DECIDED = {"verified_at": NOON, "decided_by": "desk-7", "decided_at": LATER}


@pytest.mark.parametrize(
    ("make", "path", "code"),
    [
        (lambda: Money.of("1.5", "JPY"), "amount", "money.fraction"),
        (lambda: DateRange(), "start", "range.empty"),
        (lambda: DateRange(DAY, date(2026, 1, 30)), "end", "range.order"),
        (lambda: DateRange("2026-01-31"), "start", "date.type"),
        (lambda: DateRange(NOON), "start", "date.type"),
        (lambda: Email("r@example.com", valid=DAY), "valid", "field.type"),
        (lambda: Phone("+8613800138000", preferred=1), "preferred", "bool.type"),
        (lambda: SocialHandle("", "x"), "network", "text.empty"),
        (lambda: SocialHandle("wechat", " "), "handle", "text.empty"),
        (lambda: SocialHandle("w" * 600, "x" * 600), "handle", "text.too_long"),
        (lambda: PersonName(full="A", script="hans"), "script", "script.format"),
        (lambda: PersonName(full="A", script="Hansx"), "script", "script.format"),
        (lambda: PersonName(full="A", language="zh_CN"), "language", "language.format"),
        (lambda: PersonName(full="A", language="zh-toolongsubtag"), "language", "language.format"),
        (lambda: PersonName(full="A", language="zh" + "-a" * 50), "language", "language.format"),
        (lambda: PersonName(full="A", language=5), "language", "text.type"),
        (lambda: Address(label="x", preferred=True, valid=DateRange(DAY)), "address_lines", "address.empty"),
        (lambda: Address(floor="1", language_code="?"), "language_code", "language.format"),
        (lambda: Relationship(other_id="c2", kind="foe"), "kind", "enum.unknown"),
        (lambda: Relationship(other_id=""), "other_id", "text.empty"),
        (lambda: Preference(), "channel", "preference.empty"),
        (lambda: Preference(time_zone="Asia/Shanghai"), "channel", "preference.empty"),
        (lambda: Preference(channel="fax"), "channel", "enum.unknown"),
        (lambda: Preference(hours="9-18"), "hours", "preference.hours"),
        (lambda: Preference(hours="09:00-25:00"), "hours", "preference.hours"),
        (lambda: Preference(hours="09:00-09:00"), "hours", "preference.hours"),
        (lambda: Preference(hours=9), "hours", "text.type"),
        (lambda: LifecycleChange(stage="dead", at=NOON), "stage", "enum.unknown"),
        (lambda: LifecycleChange(stage="active", at=datetime(2026, 1, 31)), "at", "time.naive"),
        (lambda: stamp("emails[x]"), "path", "stamp.path"),
        (lambda: stamp("emails[0].value "), "path", "stamp.path"),
        (lambda: stamp(5), "path", "text.type"),
        (lambda: stamp(confidence=1.5), "confidence", "stamp.confidence"),
        (lambda: stamp(confidence=float("nan")), "confidence", "stamp.confidence"),
        (lambda: stamp(confidence=True), "confidence", "stamp.confidence"),
        (lambda: stamp(confidence="1"), "confidence", "stamp.confidence"),
        (lambda: stamp(verified_at=EARLIER), "verified_at", "stamp.verified"),
        (lambda: Customer(roles=["king"]), "roles", "enum.unknown"),
        (lambda: Customer(roles="king"), "roles", "enum.unknown"),
        (lambda: Customer(roles={"payer"}), "roles", "field.type"),
        (lambda: Customer(roles=5), "roles", "field.type"),
        (lambda: Customer(roles=["payer"] * 10_001), "roles", "field.too_many"),
        (
            lambda: Customer(id="c1", relationships=[Relationship(other_id="c1")]),
            "relationships",
            "customer.relationship",
        ),
        (lambda: Customer(lifecycle=moved("dormant")), "lifecycle", "lifecycle.transition"),
        (lambda: Customer(lifecycle=moved("prospect", "churned")), "lifecycle", "lifecycle.transition"),
        (lambda: Customer(lifecycle=moved("active", "active")), "lifecycle", "lifecycle.transition"),
        (lambda: Customer(lifecycle=moved("active", "dormant")[::-1]), "lifecycle", "lifecycle.transition"),
        (lambda: Customer(provenance=[stamp(), stamp(source="shop")]), "provenance", "provenance.repeated"),
        (lambda: Customer(provenance=[stamp("shoe_size")]), "provenance", "provenance.path"),
        (lambda: Customer(custom=[]), "custom", "json.type"),
        (lambda: Customer(custom_plain={"x": NOON}), "custom_plain", "json.type"),
        (lambda: account(credit_limit=5), "credit_limit", "field.type"),
        (lambda: account(credit_limit=-YUAN), "credit_limit", "account.credit_limit"),
        (lambda: account(credit_limit=Money(1, "USD")), "credit_limit", "account.credit_limit"),
        (lambda: account(billing_cycle_day=0), "billing_cycle_day", "int.range"),
        (lambda: account(billing_cycle_day=32), "billing_cycle_day", "int.range"),
        (lambda: account(billing_cycle_day=True), "billing_cycle_day", "int.type"),
        (lambda: account(parent_id="a1"), "parent_id", "reference.self"),
        (lambda: account(opened_on=DAY, closed_on=DAY), "closed_on", "account.closed"),
        (
            lambda: account(status="closed", opened_on=DAY, closed_on=date(2026, 1, 30)),
            "closed_on",
            "account.dates",
        ),
        (lambda: check_transition(account(status="closed"), "open"), "status", "account.transition"),
        (lambda: payment(due_on=NOON), "due_on", "date.type"),
        (lambda: payment(occurred_at=datetime(2026, 1, 31)), "occurred_at", "time.naive"),
        (lambda: entry(points=0), "points", "loyalty.points"),
        (lambda: entry(points=-1), "points", "loyalty.points"),
        (lambda: entry(points=1.0), "points", "int.type"),
        (lambda: entry(points=None), "points", "int.type"),
        (lambda: entry(points=2**63), "points", "int.range"),
        (lambda: entry(kind="reverse", points=-5), "related_id", "loyalty.reverse"),
        (lambda: entry(kind="reverse", points=0, related_id="l0"), "points", "loyalty.points"),
        (lambda: entry(kind="reverse", points=-5, related_id="l1"), "related_id", "reference.self"),
        (lambda: entry(kind="redeem", expires_at=LATER), "expires_at", "loyalty.expiry"),
        (lambda: entry(expires_at=EARLIER), "expires_at", "loyalty.expiry"),
        (lambda: Coupon(code="A"), "amount_off", "coupon.discount"),
        (lambda: coupon(percent_off=5), "amount_off", "coupon.discount"),
        (lambda: coupon(amount_off=Money(0, "CNY")), "amount_off", "coupon.discount"),
        (lambda: coupon(minimum_spend=Money(-1, "CNY")), "amount_off", "coupon.discount"),
        (lambda: coupon(minimum_spend=Money(1, "USD")), "minimum_spend", "coupon.currency"),
        (lambda: coupon(amount_off=None, percent_off=101), "percent_off", "int.range"),
        (lambda: coupon(valid_from=LATER, expires_at=NOON), "expires_at", "coupon.dates"),
        (lambda: coupon(status="redeemed", valid_from=LATER, redeemed_at=NOON), "redeemed_at", "coupon.dates"),
        (lambda: coupon(status="redeemed"), "redeemed_at", "coupon.redeemed"),
        (lambda: coupon(redeemed_at=NOON), "redeemed_at", "coupon.redeemed"),
        (lambda: method(kind="cheque"), "kind", "enum.unknown"),
        (lambda: method(token=PAN), "token", "payment_method.pan"),
        (lambda: method(token="4242-4242-4242-4242"), "token", "payment_method.pan"),
        (lambda: method(fingerprint=" 4242424242424242"), "fingerprint", "payment_method.pan"),
        (lambda: method(mandate="4242424242424242"), "mandate", "payment_method.pan"),
        (lambda: method(label=f"my card ({PAN})"), "label", "payment_method.pan"),
        (lambda: method(brand=PAN), "brand", "payment_method.pan"),
        (lambda: method(issuer=f"bank {PAN}"), "issuer", "payment_method.pan"),
        (lambda: method(id="4242424242424242"), "id", "payment_method.pan"),
        (lambda: method(token="４２４２４２４２４２４２４２４２"), "token", "payment_method.pan"),
        (lambda: method(label="4242.4242.4242.4242 12/28"), "label", "payment_method.pan"),
        (lambda: method(extra={"card": [{"number": 4242424242424242}]}), "extra", "payment_method.pan"),
        (lambda: attrs.evolve(method(), token=PAN), "token", "payment_method.pan"),
        (lambda: method(token=5), "token", "text.type"),
        (lambda: method(last4="42"), "last4", "payment_method.last4"),
        (lambda: method(last4="424x"), "last4", "payment_method.last4"),
        (lambda: method(last4=4242), "last4", "text.type"),
        (lambda: method(exp_month=13), "exp_month", "int.range"),
        (lambda: method(exp_year=26), "exp_year", "int.range"),
        (lambda: said(score=11, scale=(0, 10)), "score", "feedback.score"),
        (lambda: said(score=5), "score", "feedback.score"),
        (lambda: said(scale=(5, 1)), "scale", "feedback.scale"),
        (lambda: said(scale=(1, 5.0)), "scale", "feedback.scale"),
        (lambda: said(scale=5), "scale", "feedback.scale"),
        (lambda: said(scale="15"), "scale", "feedback.scale"),
        (lambda: said(score=5.0, scale=(1, 5)), "score", "int.type"),
        (lambda: said(acknowledged_at=EARLIER), "acknowledged_at", "feedback.dates"),
        (lambda: said(status="resolved", resolved_at=EARLIER), "resolved_at", "feedback.dates"),
        (lambda: said(resolved_at=LATER), "resolved_at", "feedback.dates"),
        (lambda: asked(status="verified"), "verified_at", "change.verified"),
        (lambda: asked(status="approved", verified_at=NOON), "decided_by", "change.decision"),
        (lambda: asked(decided_by="desk-7"), "decided_by", "change.decision"),
        (lambda: asked(status="rejected", decided_by="desk-7"), "decided_by", "change.decision"),
        (lambda: asked(status="approved", **DECIDED | {"decided_by": "c1"}), "decided_by", "change.four_eyes"),
        (lambda: asked(status="applied", **DECIDED), "applied_at", "change.applied"),
        (lambda: asked(status="approved", **DECIDED, applied_at=LATER), "applied_at", "change.applied"),
        (lambda: asked(verified_at=EARLIER), "verified_at", "change.dates"),
        (lambda: asked(status="applied", **DECIDED, applied_at=NOON), "applied_at", "change.dates"),
        (lambda: check_change_request(asked(), "done"), "status", "enum.unknown"),
        (lambda: check_change_request(asked(), "approved"), "status", "change.transition"),
        (lambda: check_change_request(asked(changes={}), "verified"), "changes", "change.empty"),
        (lambda: consent(expires_at=EARLIER), "expires_at", "consent.expiry"),
        (lambda: consent(capture_channel="fax"), "capture_channel", "enum.unknown"),
        (lambda: attrs.evolve(FILLED["interaction"], duration_s=-1), "duration_s", "int.range"),
        (lambda: ReviewTask(reason="x", customer_ids=[], fields=[""]), "fields[0]", "text.empty"),
        (lambda: next_stages("dead"), "stage", "lifecycle.stage"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_path_and_code(make, path, code):
    with pytest.raises(InvalidFieldError) as caught:
        make()
    assert (caught.value.path, caught.value.code) == (path, code)
    assert PAN not in str(caught.value)


def test_changes_of_stage_out_of_order_of_time_are_refused():
    first, second = moved("active", "dormant")
    for at in (EARLIER, NOON - timedelta(days=1)):
        with pytest.raises(InvalidFieldError) as caught:
            Customer(lifecycle=[first, attrs.evolve(second, at=at)])
        assert caught.value.code == "lifecycle.order"
    assert Customer(lifecycle=[first, attrs.evolve(second, at=first.at)]).stage == "dormant"


def test_stages_follow_each_other_as_in_the_segmentation():
    assert set(LIFECYCLE) == {
        (former, stage.value)
        for former in (None, *(one.value for one in LifecycleStage))
        for stage in next_stages(former)
    }


@quick
@given(st.lists(st.sampled_from(LifecycleStage), max_size=5))
def test_a_life_is_legal_exactly_where_each_step_is(stages):
    legal = all(after in next_stages(before) for before, after in zip([None, *stages], stages, strict=False))
    customer = Customer(id="c1")
    if not legal:
        with pytest.raises(InvalidFieldError) as caught:
            Customer(lifecycle=moved(*stages))
        assert caught.value.code == "lifecycle.transition"
        return
    for day, one in enumerate(stages):
        customer = customer.moved_to(one, at=NOON + timedelta(days=day), reason="x")
    assert customer.stage == (stages[-1] if stages else None)
    assert [change.stage for change in customer.lifecycle] == stages
    assert loads(dumps(customer)) == customer


def test_a_customer_is_found_by_roles_stage_handle_and_relation():
    terms = {(term.name, term.text): term.blind for term in lookup_terms(FILLED["customer.filled"])}
    assert {key: terms[key] for key in terms if key[0] in {"role", "stage", "handle", "related"}} == {
        ("role", "payer"): False,
        ("role", "consignor"): False,
        ("stage", "active"): False,
        ("handle", "wechat|zhangwei_example"): True,
        ("handle", "qq|10001000100"): True,
        ("related", "c9"): True,
    }
    assert [term.blind for term in lookup_terms(method(fingerprint="Xt5EWLLDS7FJjR1c")) if term.name == "fingerprint"]
    assert ("parent_id", "a0") in {(term.name, term.text) for term in lookup_terms(account(parent_id="a0"))}


def test_roles_are_kept_once_in_their_order():
    assert Customer(roles=["merchant", "payer", Role.MERCHANT]).roles == (Role.MERCHANT, Role.PAYER)
    assert Customer(roles="contact").roles == (Role.CONTACT,)
    assert Relationship(other_id="c2").kind is RelationshipKind.OTHER


@pytest.mark.parametrize("day", [NOON, NOON.replace(tzinfo=None), None, "2026-01-31"])
def test_a_range_of_days_holds_dates_only(day):
    with pytest.raises(InvalidFieldError) as caught:
        day in DateRange(DAY)  # noqa: B015 - it raises
    assert caught.value.code == "date.type"


@pytest.mark.parametrize(
    ("region", "locality", "structured"),
    [("CN", "上海", True), ("cn", "上海", False), ("China", "上海", False), ("CN", " ", False)],
)
def test_an_address_that_can_be_sent_has_a_country_code_and_a_town(region, locality, structured):
    parts = {"region_code": region, "locality": locality}
    assert Address(**parts).is_structured is structured
    assert Address(**parts, address_lines="1 Example Road").is_hybrid is structured


@pytest.mark.parametrize(
    ("family", "given", "text"),
    [
        ("山﨑", "希", "山﨑希"),
        ("佐々木", "希", "佐々木希"),
        ("\U00030ede", "伟", "\U00030ede伟"),
        ("张", "Wei", "张 Wei"),
    ],
)
def test_names_of_ideographs_of_every_kind_are_written_without_a_space(family, given, text):
    assert PersonName(family=family, given=given, family_first=True).text == text


def test_a_stamp_may_be_about_a_field_of_ones_own_with_digits_in_its_name():
    stamp = Stamp(path="custom.tier2", source="pos", at=NOON)
    assert Customer(id="c1", provenance=stamp).stamp("custom.tier2") is stamp


def test_a_name_in_several_scripts_is_found_in_each():
    customer = FILLED["customer.filled"]
    assert [name.text for name in customer.names] == ["张伟", "Wei Zhang"]
    assert {term.text for term in lookup_terms(customer) if term.name == "name"} == {"张伟", "wei zhang"}
    assert PersonName(full="張偉", script="Hant", language="zh-Hant").text == "張偉"


@pytest.mark.parametrize("tag", ["zh", "zh-Hans-CN", "zh-Latn-pinyin", "i-klingon"[2:], "x-own", "de-1996", "en-US"])
def test_language_tags_of_bcp_47_are_taken(tag):
    assert PersonName(full="A", language=tag).language == tag


@pytest.mark.parametrize(
    ("parts", "structured", "hybrid"),
    [
        ({"locality": "上海", "region_code": "CN"}, True, False),
        ({"street_name": "Example Road", "building_number": "1", "locality": "上海", "region_code": "CN"}, True, False),
        ({"locality": "上海"}, False, False),
        ({"region_code": "CN", "postal_code": "200000"}, False, False),
        ({"address_lines": "1 Example Road", "locality": "上海", "region_code": "CN"}, False, True),
        ({"address_lines": ["a", "b"], "locality": "上海", "region_code": "CN"}, False, True),
        ({"address_lines": ["a", "b", "c"], "locality": "上海", "region_code": "CN"}, False, False),
        ({"address_lines": "x" * 70, "locality": "上海", "region_code": "CN"}, False, True),
        ({"address_lines": "x" * 71, "locality": "上海", "region_code": "CN"}, False, False),
        ({"address_lines": ["1 Example Road", "Shanghai", "China"]}, False, False),
        ({"address_lines": "a", "region_code": "CN"}, False, False),
    ],
)
def test_an_address_is_structured_hybrid_or_neither_as_cbpr_plus_says(parts, structured, hybrid):
    address = Address(**parts)
    assert (address.is_structured, address.is_hybrid) == (structured, hybrid)


def test_a_range_holds_its_first_and_its_last_day():
    for one, inside, outside in (
        (DateRange(DAY, DAY), [DAY], [date(2026, 1, 30), date(2026, 2, 1)]),
        (DateRange(start=DAY), [DAY, date(9999, 1, 1)], [date(2026, 1, 30)]),
        (DateRange(end=DAY), [DAY, date(1, 1, 1)], [date(2026, 2, 1)]),
    ):
        assert all(day in one for day in inside)
        assert not any(day in one for day in outside)


def test_the_stamp_of_a_field_is_its_own_or_that_of_what_it_is_part_of():
    customer = Customer(provenance=[stamp("emails"), stamp("emails[1]", source="shop"), stamp("birth_date")])
    assert customer.stamp("emails[0].value").source == "pos"
    assert customer.stamp("emails[1].value").source == "shop"
    assert customer.stamp("emails").source == "pos"
    assert customer.stamp("birth_date").path == "birth_date"
    assert customer.stamp("phones[0].value") is None


def test_points_count_with_the_sign_of_their_kind():
    signed = [entry(kind=kind).signed_points for kind in ("earn", "redeem", "expire")]
    assert signed == [5, -5, -5]
    assert [entry(kind="reverse", points=one, related_id="l0").signed_points for one in (-5, 5)] == [-5, 5]


# The numbers are those that payment providers and networks document for tests.
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PAN, True),
        ("378282246310005", True),
        ("6011111111111117", True),
        ("6200000000000005", True),
        ("5555-5555-5555-4444 ", True),
        ("4242424242424241", False),
        ("42424242424", False),
        ("42424242424242424242", False),
        ("tok_4242424242424242", True),
        ("a4242424242424242", False),
        ("4242424242424242a", False),
        ("二〇二六", False),
        ("４２４２４２４２４２４２４２４２", True),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", True),
        ("4242.4242.4242.4242", True),
        ("4242\u00a04242\u20114242  4242", True),
        (f"{PAN} 12/28", True),
        (f"12 28 {PAN}", True),
        ("4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2", True),
        ("4242 and 4242 4242", False),
        ("201509160000028649", False),  # begins with a year: the number of an agreement
        ("1424242424242424241", False),
        ("", False),
    ],
)
def test_card_numbers_are_seen(text, found):
    assert holds_pan(text) is found


def test_numbers_that_no_card_has_are_right_by_the_luhn_formula_too():
    """So the table above shows what their first digits do."""
    for number in ("201509160000028649", "1424242424242424241"):
        digits = [int(c) for c in reversed(number)]
        assert (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


def test_a_reference_may_have_parts_that_look_like_a_card_number_and_other_ids_may_be_numbers():
    assert method(token=f"99-{PAN}-1").token == f"99-{PAN}-1"
    assert method(kind="wechat_pay", id="4242424242424242").id == "4242424242424242"


def test_a_token_with_digits_in_it_is_a_token():
    assert method(token="tok_4242424242424242", fingerprint="pm-4242424242424242-x").token == "tok_4242424242424242"


@pytest.mark.parametrize(
    ("month", "year", "last"),
    [(2, 2028, date(2028, 2, 29)), (12, 2026, date(2026, 12, 31)), (None, 2026, None), (5, None, None)],
)
def test_a_card_is_good_to_the_end_of_its_month(month, year, last):
    assert method(exp_month=month, exp_year=year).good_through == last


def test_a_change_request_goes_its_way_and_no_other():
    allowed = {
        ("submitted", "verified"),
        ("submitted", "rejected"),
        ("verified", "approved"),
        ("verified", "rejected"),
        ("approved", "applied"),
        ("approved", "rejected"),
    }
    requests = {
        "submitted": asked(),
        "verified": asked(status="verified", verified_at=NOON),
        "approved": asked(status="approved", **DECIDED),
        "rejected": asked(status="rejected", decided_by="desk-7", decided_at=NOON),
        "applied": asked(status="applied", **DECIDED, applied_at=LATER),
    }
    for status, request in requests.items():
        for wanted in ChangeRequestStatus:
            if wanted == status or (status, wanted) in allowed:
                assert check_change_request(request, wanted.value) is wanted
            else:
                with pytest.raises(InvalidFieldError, match="can become"):
                    check_change_request(request, wanted)
    assert check_change_request(asked(changes={}), "rejected") is ChangeRequestStatus.REJECTED


def test_interactions_take_all_channels_of_people():
    for channel in ("phone", "email", "meeting", "social", "chat", "web"):
        talk = Interaction(customer_id="c1", channel=channel, direction="in", occurred_at=NOON, duration_s=0)
        assert talk.channel is Channel(channel)
    with pytest.raises(InvalidFieldError) as caught:
        Interaction(customer_id="c1", channel="chat", direction="in", occurred_at=datetime(2026, 1, 31))
    assert caught.value.code == "time.naive"


def test_null_stands_for_what_is_left_out():
    text = '{"$v":"account/1","id":"a1","customer_id":"c1","currency":"CNY","credit_limit":null,"closed_on":null}'
    assert loads(text) == account()
    text = '{"$v":"customer/1","id":"c1","emails":[{"value":"r@example.com","valid":null}]}'
    assert loads(text).emails == (Email("r@example.com"),)
    text = '{"$v":"customer/1","id":"c1","preferences":[{"channel":null,"language":"zh"}]}'
    assert loads(text).preferences == (Preference(language="zh"),)


def test_a_datetime_of_another_zone_is_kept_in_utc():
    request = asked(submitted_at=datetime(2026, 1, 31, 20, tzinfo=UTC).astimezone())
    assert request.submitted_at == datetime(2026, 1, 31, 20, tzinfo=UTC)
    assert request.submitted_at.tzinfo is UTC
