"""Grants: what none gives is denied, whatever the order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.govern import Authorizer, Grant, Policy, Principal

ROLES, PURPOSES, ACTIONS, METHODS = ("sales", "clerk"), ("service", "billing"), ("read", "write"), ("pwd", "otp")
ENTITIES, FIELDS = ("customer", "account", "custom"), ("names", "phones", "id")
HOWS = ("clear", "mask", "mask:last4", "mask:hide", "mask:name")


def some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=len(values), unique=True)


paths = st.builds("{}.{}".format, st.sampled_from(ENTITIES), st.sampled_from(FIELDS))
grants = st.builds(
    Grant,
    st.sampled_from(ROLES),
    st.sampled_from(PURPOSES),
    st.dictionaries(paths, st.sampled_from(HOWS), max_size=4),
    some(ACTIONS),
    auth_methods=some(METHODS),
)
principals = st.builds(Principal, st.just("desk-7"), some(ROLES), some(METHODS))


def slow(all_grants: list[Grant], principal: Principal, purpose: str, action: str, entity: str) -> dict[str, set[str]]:
    """Every way in which a field is granted, from the words of the docstring."""
    ways: dict[str, set[str]] = {}
    for grant in all_grants:
        fits = any(role == grant.role for role in principal.roles) and grant.purpose == purpose
        proved = all(method in principal.auth_methods for method in grant.auth_methods)
        if fits and proved and action in grant.actions:
            for path, how in grant.fields.items():
                if path.startswith(entity + "."):
                    ways.setdefault(path.split(".")[1], set()).add(how)
    return ways


@settings(max_examples=300, deadline=None)
@given(
    st.lists(grants, max_size=5),
    principals,
    st.sampled_from(PURPOSES),
    st.sampled_from(ACTIONS),
    st.sampled_from(ENTITIES),
    st.randoms(use_true_random=False),
)
def test_only_what_a_grant_gives_is_given(
    some_grants: list[Grant], principal: Principal, purpose: str, action: str, entity: str, random: Any
) -> None:
    found = Policy(some_grants).fields(principal, purpose=purpose, action=action, entity=entity)
    ways = slow(some_grants, principal, purpose, action, entity)
    assert found.keys() == ways.keys()
    for name, how in found.items():
        assert how in ways[name]
        assert ("clear" in ways[name]) == (how == "clear")
    shuffled = list(some_grants)
    random.shuffle(shuffled)
    assert Policy(shuffled).fields(principal, purpose=purpose, action=action, entity=entity) == found


@given(st.lists(grants, max_size=4), grants, principals)
def test_taking_a_grant_away_never_gives_a_field(
    some_grants: list[Grant], one_more: Grant, principal: Principal
) -> None:
    for action in ACTIONS:
        for entity in ENTITIES:
            for purpose in PURPOSES:
                asked: dict[str, Any] = {"purpose": purpose, "action": action, "entity": entity}
                less = Policy(some_grants).fields(principal, **asked)
                more = Policy([*some_grants, one_more]).fields(principal, **asked)
                assert less.keys() <= more.keys()
                assert {name for name, how in less.items() if how == "clear"} <= {
                    name for name, how in more.items() if how == "clear"
                }


@pytest.mark.parametrize(
    "principal",
    [Principal("a"), Principal("a", ["Sales"]), Principal("a", ["sale"]), Principal("a", "clerk")],
)
def test_another_role_gets_nothing(principal: Principal) -> None:
    policy = Policy([Grant("sales", "service", ["customer.names"])])
    assert policy.fields(principal, purpose="service", action="read", entity="customer") == {}


def test_an_entity_is_not_the_beginning_of_another() -> None:
    policy = Policy([Grant("sales", "service", ["customer.names"])])
    for entity in ("custom", "customer.names", "", "Customer", "customers"):
        assert policy.fields(Principal("a", "sales"), purpose="service", action="read", entity=entity) == {}


def test_one_name_alone_is_one_name() -> None:
    assert Principal("a", "sales", "otp") == Principal("a", ["sales"], ["otp"])
    assert Grant("s", "p", "customer.names", "write") == Grant("s", "p", ["customer.names"], ["write"])


def test_a_changed_answer_changes_no_policy() -> None:
    policy = Policy(iter([Grant("sales", "service", ["customer.names"])]))
    asked: dict[str, Any] = {"purpose": "service", "action": "read", "entity": "customer"}
    policy.fields(Principal("a", "sales"), **asked)["phones"] = "clear"
    assert policy.fields(Principal("a", "sales"), **asked) == {"names": "clear"}


def test_a_grant_can_ask_for_a_second_factor() -> None:
    policy = Policy([Grant("sales", "service", ["customer.names"], auth_methods=["pwd", "otp"])])
    asked: dict[str, Any] = {"purpose": "service", "action": "read", "entity": "customer"}
    assert policy.fields(Principal("a", "sales", "pwd"), **asked) == {}
    assert policy.fields(Principal("a", "sales", ["otp", "pwd", "key"]), **asked) == {"names": "clear"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (["phones"], "grant.field"),
        ([".phones"], "grant.field"),
        (["customer."], "grant.field"),
        (["customer.emails.value"], "grant.field"),
        (["customer.emails[]"], "grant.field"),
        ([7], "grant.field"),
        ("phones", "grant.field"),
        ({"customer.phones": "open"}, "grant.how"),
        ({"customer.phones": "clear:last4"}, "grant.how"),
        ({"customer.phones": None}, "grant.how"),
        ({"customer.phones": ["clear"]}, "grant.how"),
        ({"customer.phones": "mask:"}, "mask.unknown"),
        ({"customer.phones": "mask:clear"}, "mask.unknown"),
        ({"customer.phones": "mask:own"}, "mask.unknown"),
        ({"customer.phones": "mask:last5"}, "mask.unknown"),
    ],
)
def test_a_grant_that_means_nothing_is_refused_when_made(fields: Any, code: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        Grant("sales", "service", fields)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "make",
    [
        lambda: Principal(""),
        lambda: Principal(" "),
        lambda: Principal(None),  # type: ignore[arg-type]  # what a caller may pass
        lambda: Principal("a", [""]),
        lambda: Principal("a", [7]),  # type: ignore[list-item]  # what a caller may pass
        lambda: Grant("", "p", []),
        lambda: Grant("r", None, []),  # type: ignore[arg-type]  # what a caller may pass
        lambda: Grant("r", "p", [], [None]),  # type: ignore[list-item]  # what a caller may pass
    ],
)
def test_names_are_text(make: Any) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        make()
    assert caught.value.code == "policy.name"


def test_a_policy_is_an_authorizer() -> None:
    authorizer: Authorizer = Policy([])
    assert authorizer.fields(Principal("a"), purpose="p", action="read", entity="customer") == {}
