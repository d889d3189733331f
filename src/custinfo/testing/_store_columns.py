"""The store contract: typed columns beside the data; left out where the unit has none."""

from __future__ import annotations

import json

from custinfo.store import Record, SupportsBulk, SupportsColumns
from custinfo.store._typed_columns import typed_columns, typed_row
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import StoreMaker, leave_out, put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from custinfo.store import Unit

KIND = "transaction"
NAMES = [column.path for column in typed_columns(KIND)]
IDS = ("b", "B", "\ue000", "\U0001f600", "a", "10", "9")


def payment(id: str, minor: int, **more: object) -> Record:
    """A record whose data are those of a payment."""
    data = {"id": id, "account_id": f"of {id}", "amount": {"minor": minor, "currency": "CNY"}, **more}
    return Record(KIND, id, 0, json.dumps(data).encode())


def columns(unit: Unit, *names: str) -> dict[str, list[Any]]:
    """The columns that the unit keeps of those names, or of all, as lists of plain values behind their type."""
    if not isinstance(unit, SupportsColumns):
        leave_out("SupportsColumns")
    kept = unit.columns(KIND, names or NAMES)
    return {
        name: [str(array.dtype), *(array.astype("int64") if array.dtype.kind == "M" else array).tolist()]
        for name, array in kept.items()
    }


def check(unit: Unit, expected: list[str]) -> None:
    """What the columns hold is what the data of these records hold."""
    records = unit.page(KIND, "", 100)
    assert [record.id for record in records] == expected
    rows = [typed_row(record) for record in records]
    found = columns(unit)
    for number, column in enumerate(typed_columns(KIND)):
        if column.path in found:
            values = [row[number] for row in rows if row is not None]
            if column.type == "time":
                values = [-(2**63) if value is None else value for value in values]
            dtype = {"text": "object", "integer": "int64", "time": "datetime64[us]"}[column.type]
            assert found[column.path] == [dtype, *values], column.path


class ColumnsContract(StoreMaker):
    """Columns hold at any time what the data of the records hold."""

    def test_columns_hold_what_the_data_hold(self) -> None:
        with self.fresh() as store:
            with store.unit() as unit:
                check(unit, [])
                times = {"occurred_at": "2024-02-29T23:59:59.999999+00:00", "merchant": "M \u5f20", "channel": "web"}
                for number, id in enumerate(IDS):
                    unit.put(payment(id, 2**62 - number, **(times if number % 2 else {})), (), 0)
                unit.put(payment("deleted", 1), (), 0)
                check(unit, sorted([*IDS, "deleted"]))
            with store.unit() as unit:
                unit.put(payment("b", -5, kind="refund", occurred_at="1969-12-31T23:59:59+00:00"), (), 1)
                unit.put(payment("B", 0), (), 1)
                unit.delete(KIND, "deleted", 1)
                check(unit, sorted(IDS))
            with pytest.raises(ZeroDivisionError), store.unit() as unit:
                unit.put(payment("a", 77), (), 1)
                unit.put(payment("undone", 77), (), 0)
                unit.delete(KIND, "9", 1)
                raise ZeroDivisionError
            with store.unit(write=False) as unit:
                check(unit, sorted(IDS))

    def test_columns_hold_what_came_in_bulk(self) -> None:
        with self.fresh() as store:
            put(store, "old", payment("old", 1).data, kind=KIND)
            with store.unit() as unit:
                if not isinstance(unit, SupportsColumns):
                    leave_out("SupportsColumns")
                if not isinstance(unit, SupportsBulk):
                    leave_out("SupportsBulk")
                unit.put_many([(payment(id, number), (), 0) for number, id in enumerate(IDS)])
                unit.put_many([(payment("old", 2), (), 1), (payment("b", 3), (), 1)])
            with store.unit(write=False) as unit:
                check(unit, sorted([*IDS, "old"]))

    def test_only_the_names_asked_for_are_given(self) -> None:
        with self.fresh() as store:
            put(store, "a", payment("a", 990).data, kind=KIND)
            put(store, "a", payment("a", 1).data, kind="other")
            with store.unit(write=False) as unit:
                assert columns(unit, "amount.minor", "absent").keys() <= {"amount.minor"}
                assert columns(unit, "amount.minor").get("amount.minor", ["int64", 990]) == ["int64", 990]
                assert isinstance(unit, SupportsColumns)
                assert unit.columns("other", ["id", "amount.minor"]) == {}

    @pytest.mark.parametrize("way", ["updated", "deleted"])
    def test_a_record_that_no_columns_can_hold_hides_them_until_it_is(self, way: str) -> None:
        with self.fresh() as store:
            put(store, "a", payment("a", 990).data, kind=KIND)
            put(store, "gap", payment("gap", 1).data, kind=KIND)
            put(store, "gap", b"not of this library", kind=KIND, version=1)
            with store.unit() as unit:
                assert columns(unit) == {}
                if way == "updated":
                    unit.put(payment("gap", 2), (), 2)
                else:
                    unit.delete(KIND, "gap", 2)
                check(unit, ["a", "gap"] if way == "updated" else ["a"])
