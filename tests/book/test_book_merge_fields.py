"""What becomes of roles, relations, fields of one's own and stages in a merge, and that an undo gives them back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import attrs
import pytest

from custinfo.book import Book
from custinfo.model import Customer, Preference, Relationship, SocialHandle, Stamp
from custinfo.store import MemoryStore

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
OLD = datetime(2025, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def book():
    return Book(MemoryStore(), plaintext=True)


def test_the_survivor_has_what_all_had_and_no_relation_with_itself(book):
    first = Customer(
        id="c1",
        created_at=OLD,
        roles=["payer"],
        relationships=[Relationship(kind="spouse", other_id="c3")],
        custom={"allergy": "nuts"},
        custom_plain={"fleet_size": 12},
        provenance=[Stamp(path="emails", source="pos", at=NOON)],
    ).moved_to("prospect", at=OLD)
    second = Customer(
        id="c2",
        created_at=NOON,
        roles=["consignor", "payer"],
        handles=[SocialHandle("wechat", "rosa_example")],
        relationships=[Relationship(kind="other", other_id="c1"), Relationship(kind="child", other_id="c4")],
        preferences=[Preference(channel="sms")],
        custom={"allergy": "milk", "shoe": 44},
    )
    before = book.customers.put_many([first, second])
    merge = book.merge(["c1", "c2"])
    survivor = book.customers.get("c2")
    assert survivor.id == "c1"
    assert {role.value for role in survivor.roles} == {"payer", "consignor"}
    assert {one.other_id for one in survivor.relationships} == {"c3", "c4"}
    assert (survivor.custom, survivor.custom_plain) == ({"allergy": "nuts", "shoe": 44}, {"fleet_size": 12})
    assert (len(survivor.handles), len(survivor.preferences), survivor.stage) == (1, 1, "prospect")
    assert [one.id for one in book.customers.find(handle="WeChat|rosa_example".lower())] == ["c1"]
    book.unmerge(merge.id)
    for former in before:
        now = book.customers.get(former.id)
        assert attrs.evolve(now, version=former.version, updated_at=former.updated_at) == former


@pytest.mark.parametrize("survivorship", ["most_recent", "most_frequent", "longest", {"relationships": "oldest"}])
def test_every_rule_of_survivorship_takes_customers_with_all_fields(book, survivorship):
    for number, at in ((1, OLD), (2, NOON)):
        book.customers.put(
            Customer(
                id=f"c{number}",
                created_at=at,
                relationships=[Relationship(other_id=f"c{3 - number}")],
                custom={"shoe": number},
                birth_date=date(1980, 2, 29) if number == 2 else None,
                notes=[f"note {number}"],
                provenance=[Stamp(path=path, source=f"source {number}", at=at) for path in ("birth_date", "notes[0]")],
            )
        )
    book.merge(["c1", "c2"], survivorship=survivorship)
    survivor = book.customers.get("c1")
    assert (survivor.relationships, survivor.custom) == ((), {"shoe": 1})
    assert [(stamp.path, stamp.source) for stamp in survivor.provenance] == [("birth_date", "source 2")]
