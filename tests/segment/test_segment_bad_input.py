"""Every function of the room against every kind of bad column: a clear error or a result, never a stranger's error."""

from __future__ import annotations

import contextlib
import datetime as dt
import traceback
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from custinfo import segment as s
from custinfo.errors import CustInfoError, InvalidFieldError, RecordNotFoundError
from custinfo.segment import risk

SECRET = "Zz9-secret-value"


def table() -> dict[str, Any]:
    return {
        "customer_id": ["c0", "c1", "c2", "c0"],
        "occurred_at": ["2026-01-01T10:30Z", "2026-02-11T23:30Z", "2026-03-08T07:30Z", "2026-05-01"],
        "amount": ["10", "11.5", "-12", "13"],
        "method": ["card", "wallet", "card", None],
        "merchant": ["a", "b", "a", "b"],
        "channel": ["chat"] * 4,
        "direction": ["in", "out", "in", "out"],
        "score": [1, 5, 4, 2],
        "kind": ["earn", "redeem", "earn", "expire"],
        "points": [5, 1, 9, 2],
        "segment": ["x", "y", "x", "y"],
        "monetary_minor": [100, -5, 7, 9],
        "currency": ["CNY"] * 4,
    }


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "rfm": s.rfm,
    "rfm nested": lambda data: s.rfm(data, scoring="nested", currency="currency", bins=3),
    "rfm skip": lambda data: s.rfm(data, missing="skip", refunds="exclude", time_zone="Asia/Shanghai"),
    "rfm minor": lambda data: s.rfm(data, amount_minor="monetary_minor"),
    "update": lambda data: s.rfm(table()).update(data),
    "behaviour": s.behaviour,
    "behaviour skip": lambda data: s.behaviour(data, missing="skip", time_zone="America/New_York"),
    "active_hours": lambda data: s.active_hours(data, zones={"c0": "Asia/Shanghai"}),
    "spend_bands": lambda data: s.spend_bands(data, missing="skip"),
    "spending": s.spending,
    "spending by": lambda data: s.spending(data, by="method", customer=None, missing="skip"),
    "affinity": lambda data: s.affinity(data, missing="skip"),
    "lifecycle": s.lifecycle,
    "prospects": lambda data: s.lifecycle(table(), prospects=data, missing="skip"),
    "cohorts": s.cohorts,
    "contribution": lambda data: s.contribution(data, missing="skip"),
    "value_by_segment": s.value_by_segment,
    "value by another": lambda data: s.value_by_segment({**table(), "customer_id": [1, 2, 3, 4]}, data),
    "tiers": lambda data: s.tiers(data, {"VIP": "monetary_minor >= 8 and segment == x", "others": ""}),
    "portraits": s.portraits,
    "nps": s.nps,
    "csat": lambda data: s.csat(data, missing="skip"),
    "ces": s.ces,
    "satisfaction": lambda data: s.satisfaction(data, by="month", measure="ces", missing="skip"),
    "interactions": s.interactions,
    "response_times": s.response_times,
    "loyalty_report": lambda data: s.loyalty_report(data, payments=data, missing="skip"),
    "summary": s.summary,
    "anomalies": risk.anomalies,
}
VALUES = (
    None,
    float("nan"),
    pd.NaT,
    pd.NA,
    SECRET,
    -1,
    2**63 - 1,
    2**70,
    [SECRET],
    {SECRET: 1},
    b"x",
    Decimal("sNaN"),
    float("inf"),
    True,
    "",
    "\ud800",
    dt.datetime.max,
    dt.date.min,
    dt.time(3),
    np.datetime64("20000-01-01"),
    1j,
    object(),
)
ARRAYS = (
    np.zeros((4, 2)),
    np.array([1 + 1j] * 4),
    np.array([b"a"] * 4),
    np.array([2**62] * 4, "M8[s]"),
    np.array([1] * 4, "m8[s]"),
    np.ma.masked_array([1] * 4, [True] * 4),
    np.array([np.nan] * 4, np.float16),
    np.array([2**63] * 4, np.uint64),
    np.array([-(2**63)] * 4),
    np.array([True] * 4),
    [1, 2],
    np.array(9),
)


class Recorder(dict[str, Any]):
    """Remembers which columns were read."""

    def __init__(self, columns: dict[str, Any]) -> None:
        super().__init__(columns)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)


def bad_columns(name: str) -> Iterator[dict[str, Any]]:
    for value in VALUES:
        column = table()[name]
        yield {**table(), name: [*column[:2], value, *column[3:]]}
    for value in ("\ud800", float("nan"), None, 2**63 - 1):
        yield {**table(), name: [value] * 4}
    for array in ARRAYS:
        yield {**table(), name: array}
    yield {other: column for other, column in table().items() if other != name}


def shown(result: Any) -> None:
    repr(result)
    if hasattr(result, "_repr_html_"):
        result._repr_html_()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_bad_column_gives_a_result_or_an_error_of_ours_without_the_value(function: str) -> None:
    good = Recorder(table())
    with contextlib.suppress(CustInfoError):  # two rows of one customer are too many for a table of segments
        FUNCTIONS[function](good)
    assert good.read
    for name in sorted(good.read):
        for data in bad_columns(name):
            error = None
            try:
                shown(FUNCTIONS[function](data))
            except CustInfoError as exc:
                error = exc
            assert error is None or SECRET not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_empty_and_small_tables_give_a_result(function: str) -> None:
    shown(FUNCTIONS[function]({name: column[:1] for name, column in table().items()}))
    if function != "update":  # loses nothing and adds nothing
        shown(FUNCTIONS[function]({name: [] for name in table()}))
        shown(FUNCTIONS[function](pd.DataFrame({name: [] for name in table()})))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("data", [None, 5, "text", [1, 2], [None], {1: [2]}, np.zeros(3), object(), pd.Series([1])])
def test_what_is_no_table_is_refused(function: str, data: Any) -> None:
    if function in {"nps", "csat", "ces"} and not isinstance(data, str) and hasattr(data, "__len__"):
        return  # answers need no table
    if function in {"prospects", "value by another"} and data is None:
        return  # there need be none
    with pytest.raises(InvalidFieldError):
        FUNCTIONS[function](data)


@pytest.mark.parametrize("function", ["behaviour", "active_hours", "nps", "rfm", "portraits", "anomalies", "summary"])
def test_an_arrow_stream_that_can_be_read_once_is_enough(function: str) -> None:
    arrow = pa.table(table())
    assert repr(FUNCTIONS[function](arrow.to_reader())) == repr(FUNCTIONS[function](arrow))


class Query:
    """A query that gives its rows in another order each time it is run, as a database may."""

    def __init__(self) -> None:
        self.runs = 0
        self.columns = list(table())

    def fetchnumpy(self) -> None:
        """What a duckdb relation is known by."""

    def project(self, names: str) -> Query:
        self.columns = [name.strip('"') for name in names.split(", ")]
        return self

    def to_arrow_table(self) -> pa.Table:
        self.runs += 1
        turned = pa.table({name: [str(value) for value in column] for name, column in table().items()})
        return turned.select(self.columns).take([(row + self.runs) % 4 for row in range(4)])


@pytest.mark.parametrize("function", ["rfm", "behaviour", "spending by", "affinity", "interactions", "anomalies"])
def test_columns_that_belong_together_come_from_one_run_of_a_query(function: str) -> None:
    query = Query()
    found = FUNCTIONS[function](query)
    assert query.runs == 1
    if function != "anomalies":  # numbers its rows
        expected = FUNCTIONS[function]({name: [str(value) for value in column] for name, column in table().items()})
        assert found._repr_html_() == expected._repr_html_()


@pytest.mark.parametrize("unit", ["Y", "M", "W", "D", "h", "m", "s", "ms"])
@pytest.mark.parametrize("number", [2**62, -(2**62), 2**63 - 1, -(2**63) + 1])
def test_a_time_beyond_the_calendar_does_not_begin_again_at_its_other_end(unit: str, number: int) -> None:
    for zone in ("UTC", "Asia/Shanghai"):
        with pytest.raises(InvalidFieldError, match="of the years 1 to 9999"):
            s.rfm({"customer_id": [1], "occurred_at": np.array([number], f"M8[{unit}]"), "amount": [1]}, time_zone=zone)


@pytest.mark.parametrize(
    "as_of",
    [
        pd.NaT,
        np.datetime64("NaT"),
        dt.datetime.max,
        dt.date.max,
        np.datetime64("20000-01-01"),
        dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=14))),
    ],
)
@pytest.mark.parametrize("function", [s.rfm, s.cohorts, s.lifecycle, s.spend_bands])
def test_an_end_that_is_no_time_is_refused(function: Callable[..., Any], as_of: Any) -> None:
    with pytest.raises(InvalidFieldError) as info:
        function(table(), as_of=as_of)
    assert info.value.code == "time.value"


@pytest.mark.parametrize("as_of", ["1900-01-01", "9999-12-28T00:00:00Z"])
def test_an_end_before_all_or_far_ahead_counts(as_of: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for function in (s.rfm, s.behaviour, s.lifecycle, s.spend_bands, s.contribution, s.active_hours):
            result = function(table(), as_of=as_of, time_zone="Asia/Shanghai")
            assert (len(result) == 0) is (as_of < "2000")


def test_options_out_of_range_are_refused_with_their_code() -> None:
    payments, scored = table(), s.rfm(table())
    model, before = s.BgNbd(r=0.24, alpha=4.4, a=0.8, b=2.4), s.summary(table(), end="2026-03-31")
    worth = s.GammaGamma(p=6.0, q=4.0, v=15.0)
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("segment.span", lambda: s.SegmentRule(name="x", r=(1, 2, 3))),
        ("segment.span", lambda: s.SegmentRule(name="x", r=())),
        ("rfm.value", lambda: scored.score_of(recency_days=2**70, frequency=1, monetary_minor=1)),
        ("rfm.value", lambda: scored.score_of(recency_days=float("nan"), frequency=1, monetary_minor=1)),  # type: ignore[arg-type]
        ("rfm.value", lambda: scored.score_of(recency_days=1, frequency=1.5, monetary_minor=1)),  # type: ignore[arg-type]
        ("score.scale", lambda: s.ces([1], scale=())),  # type: ignore[arg-type]
        ("score.scale", lambda: s.satisfaction(payments, by="channel", measure="csat", scale=())),  # type: ignore[arg-type]
        ("score.scale", lambda: s.csat([1], satisfied=float("nan"))),  # type: ignore[arg-type]
        ("clv.value", lambda: s.calibration(model, before, s.summary(payments), most=10**30)),
        ("clv.value", lambda: s.calibration(model, before, s.summary(payments), most=float("nan"))),  # type: ignore[arg-type]
        ("clv.value", lambda: s.customer_lifetime_value(model, worth, before, periods=10**9)),
        ("clv.value", lambda: model.purchase_probability(10**19, 5)),
        ("time.zone", lambda: s.active_hours(payments, zones={"c0": ["x"]})),  # type: ignore[dict-item]
        ("affinity.value", lambda: s.affinity(payments).explain("c0", ["x"])),
        ("columns.missing", lambda: s.interactions(payments, by=None)),  # type: ignore[arg-type]
        ("columns.length", lambda: s.behaviour({**payments, "method": ["card"]})),
        ("columns.length", lambda: s.affinity({**payments, "merchant": ["a"]})),
    ]
    for code, call in calls:
        with pytest.raises(InvalidFieldError) as info:
            call()
        assert info.value.code == code


def test_who_is_no_id_is_not_found() -> None:
    scored = s.rfm(table())
    nobody: list[Any] = [[], (1, 2), np.array(["c0", "c1"]), pd.DataFrame(), 5, None]
    for wanted in nobody:
        for result in (scored, s.tiers(scored), s.portraits(table())):
            with pytest.raises(RecordNotFoundError):
                getattr(result, "explain", getattr(result, "of", None))(wanted)  # type: ignore[misc]


def test_smoothing_is_a_number_of_any_type() -> None:
    for smoothing in (5, Decimal(5), np.int64(5)):
        assert s.affinity(table(), smoothing=smoothing).lift.tolist() == s.affinity(table()).lift.tolist()  # type: ignore[arg-type]
    assert s.affinity(table(), smoothing=10**30).lift.tolist() == [1.0] * len(s.affinity(table()))


@pytest.mark.parametrize("option", ["customer", "when", "amount", "method"])
def test_a_column_that_is_not_there_is_answered_with_those_that_are(option: str) -> None:
    with pytest.raises(InvalidFieldError, match=r"no column 'nosuch'; there are: .*occurred_at.*currency") as info:
        s.behaviour(table(), **{option: "nosuch"})  # type: ignore[arg-type]
    assert info.value.code == "columns.missing"
