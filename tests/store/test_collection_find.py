"""Conditions on look-ups: what they find, in which order, page by page, whatever the backend can do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_stores import PlainStore

from custinfo.crypto import BlindIndex, FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import InvalidFieldError
from custinfo.model import Address, Customer, Email, Identifier, Money, Tag, Transaction
from custinfo.store import Collection, MemoryStore, Q, SqliteStore
from custinfo.store import _where as conditions
from custinfo.store._query import check_query, statement
from custinfo.store._where import Where

NOON = datetime(2024, 5, 6, 12, 0, tzinfo=UTC)
TAGS = ["a", "b", "c"]
COUNTRIES = ["CN", "FR"]


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    return Keyring(LocalKeyProvider.generate(), MemoryKeyStore())


@contextmanager
def every_store(folder: Path) -> Iterator[list[Any]]:
    path = folder / "find.db"
    path.unlink(missing_ok=True)
    with closing(SqliteStore(path)) as sqlite:
        yield [MemoryStore(), PlainStore(), sqlite]


def customer(id: str, *, tags: Any = (), countries: Any = (), days: int = 0, **more: Any) -> Customer:
    return Customer(
        id=id,
        tags=[Tag(tag) for tag in tags],
        addresses=[Address(region_code=code) for code in countries],
        created_at=NOON + timedelta(days=days),
        **more,
    )


def found(collection: Collection[Customer], where: Where, **options: Any) -> list[str]:
    """The ids of all pages."""
    ids: list[str] = []
    cursor = None
    while True:
        page = collection.find(where, cursor=cursor, **options)
        assert len(page) <= options.get("limit", 100)
        ids += [one.id for one in page]
        if page.cursor is None:
            return ids
        cursor = page.cursor


# A condition, and the same as a function of a customer.
LEAVES = st.one_of(
    st.sampled_from(TAGS).map(lambda t: (Q.tag(t), lambda c: any(tag.name == t for tag in c.tags))),
    st.sampled_from(COUNTRIES).map(
        lambda code: (Q.country(code.lower()), lambda c: any(address.region_code == code for address in c.addresses))
    ),
    st.tuples(st.none() | st.sampled_from(TAGS), st.none() | st.sampled_from(TAGS)).map(
        lambda ends: (
            Q.tag.between(*ends),
            lambda c: any((ends[0] or "") <= tag.name < (ends[1] or "z") for tag in c.tags),
        )
    ),
    st.integers(0, 3).map(
        lambda n: (
            Q.created_at.between(NOON + timedelta(days=n)),
            lambda c: c.created_at >= NOON + timedelta(days=n),
        )
    ),
)


def branches(inner: Any) -> Any:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda p: (p[0][0] & p[1][0], lambda c: p[0][1](c) and p[1][1](c))),
        pairs.map(lambda p: (p[0][0] | p[1][0], lambda c: p[0][1](c) or p[1][1](c))),
        inner.map(lambda one: (~one[0], lambda c: not one[1](c))),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.frozensets(st.sampled_from(TAGS)), st.frozensets(st.sampled_from(COUNTRIES)), st.integers(0, 3)),
        max_size=7,
    ),
    query=st.recursive(LEAVES, branches, max_leaves=4),
    order=st.sampled_from([None, "tag", "created_at"]),
    limit=st.integers(1, 3),
    encrypted=st.booleans(),
)
def test_every_backend_finds_what_plain_python_finds(
    rows: Any, query: Any, order: Any, limit: int, encrypted: bool, keyring: Keyring, tmp_path: Path
) -> None:
    where, meets = query
    people = [customer(f"c{n}", tags=t, countries=c, days=d) for n, (t, c, d) in enumerate(rows)]

    def place(one: Customer) -> Any:
        value: Any = one.created_at if order == "created_at" else min((tag.name for tag in one.tags), default=None)
        return (value if order else 0, one.id)

    expected = [one.id for one in sorted((p for p in people if meets(p) and place(p)[0] is not None), key=place)]
    with every_store(tmp_path) as stores:
        for store in stores:
            customers = Collection(store, Customer, FieldCipher(keyring) if encrypted else None)
            customers.put_many(people)
            assert found(customers, where, order=order, limit=limit) == expected


@pytest.mark.parametrize("order", [None, "created_at", "tag"])
def test_several_ranges_and_exclusions_are_met_together(order: str | None, tmp_path: Path) -> None:
    late = Q.created_at.between(NOON + timedelta(days=2), NOON + timedelta(days=5))
    people = [customer(f"c{n}", tags=["a", "b", "c"][n % 3 :], days=n) for n in range(7)]
    expected = {
        Q.tag.between("b", "c") & late: ["c3", "c4"],
        Q.tag.between("b", "c") & late & Q.created_at.between(None, NOON + timedelta(days=4)): ["c3"],
        late & ~Q.tag.between("b", "c"): ["c2"],
        late & ~Q.tag("a") & ~Q.tag("b"): ["c2"],
        Q.tag.between("b", "b") & late: [],
        (Q.tag("a") | Q.tag("b")) & late: ["c3", "c4"],
        ~(Q.tag("a") | late): ["c1", "c5"],
    }
    with every_store(tmp_path) as stores:
        for store in stores:
            customers = Collection(store, Customer)
            customers.put_many(people)
            for where, ids in expected.items():
                assert found(customers, where, order=order, limit=1) == ids


@pytest.mark.parametrize("order", [None, "created_at"])
def test_pages_stay_whole_while_others_write(order: str | None, tmp_path: Path) -> None:
    """The last record of a page moves, loses its place or goes; the others are given once all the same."""
    with every_store(tmp_path) as stores:
        for store in stores:
            customers = Collection(store, Customer)
            customers.put_many([customer(f"c{n}", tags=["vip"], days=9 - n) for n in range(9)])
            seen: list[str] = []
            cursor = None
            for change in ("delete", "move", "untag", "new", "nothing"):
                page = customers.find(Q.tag("vip"), order=order, cursor=cursor, limit=2)
                seen += [one.id for one in page]
                last, cursor = page[-1], page.cursor
                if change == "delete":
                    customers.delete(last.id)
                elif change == "move":
                    customers.put(attrs.evolve(last, created_at=NOON + timedelta(days=99)))
                elif change == "untag":
                    customers.update(last.id, {"tags": ()})
                elif change == "new":
                    customers.put_many([customer("a0", tags=["vip"]), customer("c90", tags=["vip"], days=20)])
            expected = [f"c{n}" for n in (range(9) if order is None else reversed(range(9)))]
            # What moved behind the place of the reader meets the order anew.
            assert [id for id in dict.fromkeys(seen) if id in expected] == expected
            assert len(seen) - len(set(seen)) <= (order is not None)


def test_merged_and_erased_customers_are_left_out_and_the_page_is_filled(tmp_path: Path) -> None:
    with every_store(tmp_path) as stores:
        for store in stores:
            customers = Collection(store, Customer)
            gone = {"status": "merged", "merged_into": "c9"}
            customers.put_many([customer(f"c{n}", tags=["vip"], **(gone if n < 3 else {})) for n in range(5)])
            customers.put(customer("c9", tags=["vip"], status="erased"))
            page = customers.find(Q.tag("vip"), limit=2)
            assert [one.id for one in page] == ["c3", "c4"]
            assert [one.id for one in customers.find(Q.tag("vip"), limit=2, cursor=page.cursor)] == []


def test_a_value_object_and_a_time_can_be_asked_for(keyring: Keyring) -> None:
    customers = Collection(MemoryStore(), Customer, FieldCipher(keyring))
    till = Identifier(scheme="external", issuer="till", value="K-1")
    customers.put(customer("c1", identifiers=[till], emails=[Email("rosa@example.com")]))
    where = Q.identifier(till) & Q.email(Email("Rosa@example.com")) & Q.created_at.between("2024-05", "2024-06")
    assert found(customers, where) == ["c1"]
    assert customers.find(where, fields=["emails"])[0].identifiers == ()


def test_a_rotation_of_an_index_key_changes_no_answer(keyring: Keyring) -> None:
    customers = Collection(MemoryStore(), Customer, FieldCipher(keyring))
    customers.put(customer("c1", countries=["CN"], tags=["b"]))
    index = BlindIndex(keyring, "customer.country", normalize=str, bits=256)
    index.rotate()
    customers.put(customer("c0", countries=["CN"], tags=["c"]))
    customers.put(customer("c2", countries=["FR"], tags=["a"]))
    for _ in range(2):
        assert found(customers, Q.country("cn")) == ["c0", "c1"]
        assert found(customers, ~Q.country("cn")) == ["c2"]
        assert found(customers, Q.country("cn"), order="tag", limit=1) == ["c1", "c0"]
        customers.reindex()


def test_payments_are_found_by_their_account() -> None:
    payments = Collection(MemoryStore(), Transaction)
    payments.put_many(
        [Transaction(id=f"t{n}", account_id=f"a{n % 2}", amount=Money(1, "USD"), occurred_at=NOON) for n in range(4)]
    )
    assert [one.id for one in payments.find(Q.account_id("a1"))] == ["t1", "t3"]


def test_no_condition_shows_a_value() -> None:
    where = ~(Q.email("rosa@example.com") | Q.tag.between("secretive", "x")) & Q.name("Rosa")
    assert not any(word in repr(where) for word in ("rosa", "Rosa", "secretive"))
    assert set(where.lookups()) == {"email", "tag", "name"}
    assert list(where.ranges()) == ["tag"]
    assert repr(Q) == "Q"
    with pytest.raises(AttributeError):
        _ = Q._repr_html_


MANY = Q.tag("a") | Q.tag("b")
for _ in range(3):
    MANY = MANY & (Q.tag("a") | Q.tag("b")) & (Q.country("CN") | Q.country("FR")) & (Q.tag("c") | Q.tag("d"))


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda c: c.find(Q.shoe("41")), "find.unknown"),
        (lambda c: c.find(Q.shoe.between("41")), "find.unknown"),
        (lambda c: c.find(Q.tag("a"), order="shoe"), "find.unknown"),
        (lambda c: c.find(Q.tag(7)), "find.value"),
        (lambda c: c.find(Q.created_at.between(datetime(2024, 1, 1))), "find.value"),
        (lambda c: c.find(Q.created_at.between(2024)), "find.value"),
        (lambda c: c.find("vip"), "find.value"),
        (lambda c: c.find(Q.email.between("a", "b")), "find.range"),
        (lambda c: c.find(Q.tag("a"), order="email"), "find.range"),
        (lambda c: c.find(Q.tag("a"), limit=0), "find.limit"),
        (lambda c: c.find(Q.tag("a"), limit=True + 10_000), "find.limit"),
        (lambda c: c.find(Q.tag("a"), limit="9"), "find.limit"),
        (lambda c: c.find(Q.tag("a"), cursor="c1"), "find.cursor"),
        (lambda c: c.find(Q.tag("a"), cursor="WzEsMiwzXQ=="), "find.cursor"),
        (lambda c: c.find(Q.tag("a"), cursor=7), "find.cursor"),
        (lambda c: c.find(Q.tag("a"), tag="b"), "find.where"),
        (lambda c: c.find(order="tag"), "find.where"),
        (lambda c: c.find(), "find.empty"),
        (lambda c: c.find(Q.tag("a") and Q.tag("b")), "find.bool"),
        (lambda c: c.find(MANY), "find.complex"),
    ],
)
def test_what_cannot_be_asked_is_told(call: Any, code: str, keyring: Keyring) -> None:
    customers = Collection(MemoryStore(), Customer, FieldCipher(keyring))
    with pytest.raises(InvalidFieldError) as caught:
        call(customers)
    assert caught.value.code == code


def test_a_cursor_of_another_order_is_refused() -> None:
    customers = Collection(MemoryStore(), Customer)
    customers.put_many([customer(f"c{n}", tags=["a"]) for n in range(3)])
    cursor = customers.find(Q.tag("a"), order="tag", limit=1).cursor
    with pytest.raises(InvalidFieldError, match="cursor of this order"):
        customers.find(Q.tag("a"), cursor=cursor)


def test_only_conditions_can_be_joined() -> None:
    for join in (lambda: Q.tag("a") & "b", lambda: Q.tag("a") | None):
        with pytest.raises(TypeError):
            join()


@pytest.mark.parametrize(
    "where",
    [
        Q.tag("vip"),
        Q.tag("vip") & Q.country("CN"),
        Q.tag("vip") & Q.created_at.between("2024", "2025"),
        Q.tag("vip") & ~Q.country("CN"),
        Q.tag("vip") | Q.country("CN"),
    ],
)
@pytest.mark.parametrize("order", [None, "created_at"])
def test_sqlite_answers_from_its_indexes_and_sorts_nothing(where: Where, order: str | None, tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "a.db")) as store:
        codec = Collection(store, Customer).codec
        parts = list(conditions.conjuncts(where, codec))
        parts += [conditions._joined(part, more) for part in parts for more in part.without]
        with store.unit(write=False) as unit:
            for part in parts:
                query = check_query("customer", part.pairs, next(iter(part.ranges), None), order, "c1", 10)
                sql, values = statement(query, "2024" if order else None)
                plan = [row[3] for row in unit._link.rows(f"EXPLAIN QUERY PLAN {sql}", values)]
                assert plan
                assert not any(line.startswith("SCAN") or "TEMP B-TREE" in line for line in plan), plan
