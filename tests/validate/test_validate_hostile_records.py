"""Records, reports and schemas with whatever may be in them: an answer or our own error, and nothing of the values."""

from __future__ import annotations

import contextlib
import copy
import datetime
import decimal
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from custinfo.errors import CustInfoError, InvalidFieldError
from custinfo.validate import (
    Issue,
    QualityReport,
    Rule,
    Schema,
    cn_resident_id,
    country,
    date,
    email,
    person_name,
    phone,
    quality,
    rules,
    text,
)


class Raises:
    """Everything that a check could do with it raises."""

    def _no(self, *_: object) -> object:
        raise RuntimeError("sEcReT")

    __eq__ = __ne__ = __bool__ = __len__ = __str__ = __repr__ = __iter__ = __format__ = _no  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]

    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise RuntimeError("sEcReT")


class Pretends:
    __class__ = str  # type: ignore[assignment]


class Text(str):
    """A text whose every method raises."""

    __slots__ = ()

    def _no(self, *_: object) -> object:
        raise RuntimeError("sEcReT")

    __eq__ = __ne__ = __len__ = __str__ = __repr__ = __iter__ = __format__ = __hash__ = __bool__ = _no  # type: ignore[assignment]
    isspace = strip = lower = casefold = isascii = encode = _no  # type: ignore[assignment]


class Float(float):
    def __ne__(self, other: object) -> bool:
        raise RuntimeError("sEcReT")

    __hash__ = float.__hash__


class Day(datetime.date):
    def __hash__(self) -> int:
        raise RuntimeError("sEcReT")

    def __str__(self) -> str:
        raise RuntimeError("sEcReT")


class Moment(datetime.datetime):
    def date(self) -> datetime.date:
        raise RuntimeError("sEcReT")


def inside_itself() -> list[object]:
    found: list[object] = []
    found.append(found)
    return found


CELLS: list[object] = [
    *(Raises(), Pretends(), Text("sEcReT"), Text("2020-01-01"), Float(1), Day(1970, 1, 1), Moment(1970, 1, 1)),
    *(inside_itself(), [[]], {}, np.array([]), np.array([1, 2]), np.array("x"), np.datetime64("NaT"), np.str_("x")),
    *(decimal.Decimal("sNaN"), 10**5_000, True, float("nan"), b"sEcReT", object, object(), "\ud800", "x\x00" * 500_000),
]
WHOLE = Schema(
    {"e": email, "p": phone, "d": date, "t": text, "n": None, "c": country, "id": cn_resident_id},
    required=("e", "n"),
    unique=("e", "n", "d"),
    max_age={"d": 10, "n": 10},
    rules=(
        Rule("own.equal", ("e", "n"), lambda one, other: one == other),
        rules.birth_date_of_id("d", "id"),
        rules.sex_of_id("n", "id"),
        rules.phone_country("n", "c"),
        rules.iban_country("n", "c"),
        rules.in_order("n", "d"),
    ),
    placeholders=("none of it",),
)
GOOD = {"e": "a@example.com", "d": "2020-01-01", "c": "CN", "id": "11010519491231002X"}


@pytest.mark.parametrize("place", range(len(CELLS)))
def test_no_cell_of_a_record_raises_or_shows_itself(place: int) -> None:
    cell = CELLS[place]
    bad = dict.fromkeys(WHOLE.paths, cell)
    for row in (bad, {**bad, **GOOD}):
        found = WHOLE.check(row)
        report = quality([row, row], WHOLE, as_of=datetime.date(2020, 1, 1), reference=[row, row])
        assert report.rows == 2
        shown = f"{found} {report} {report.to_json()} {report.to_html()}"
        assert "sEcReT" not in shown
        assert list(WHOLE.iter_check([row])) == [found]


def test_what_a_rule_raises_counts_as_broken() -> None:
    def fails(value: object) -> bool:
        raise RuntimeError("sEcReT")

    schema = Schema({"e": email}, rules=(Rule("own.fails", ("e",), fails),))
    assert [issue.code for issue in schema.check(GOOD).issues] == ["own.fails"]
    assert quality([GOOD], schema).codes == {("e", "own.fails"): 1}


def test_arrays_are_compared_with_those_of_the_reference_as_a_whole() -> None:
    cells = [np.array([1, 2]), np.array([1, 3]), np.array([1]), np.array([])]
    known = [np.array([1, 2]), np.array([1, 2]), np.array([1, 2]), np.array([])]
    report = quality([{"n": one} for one in cells], Schema({"n": None}), reference=[{"n": one} for one in known])
    assert report.scores["n", "accuracy"].numerator == 2


def test_records_inside_cells_are_read_alike_from_rows_and_from_every_frame() -> None:
    polars, pyarrow = (pytest.importorskip(name) for name in ("polars", "pyarrow"))
    rows = {"c": [[{"e": "a@example.com"}, {"e": "nobody"}], None, []], "a": [{"e": "a@example.com"}, None, {"e": ""}]}
    schema = Schema({"c[].e": email, "a.e": email}, required=("c[].e",))
    expected = quality([{"c": c, "a": a} for c, a in zip(*rows.values(), strict=True)], schema)
    assert expected.codes == {("c[].e", "email.no_at"): 1, ("c[].e", "value.missing"): 2}
    for frame in (polars.DataFrame(rows), pyarrow.table(rows), rows):
        assert quality(frame, schema).to_json() == expected.to_json()


# ---- reports that were kept ----------------------------------------------------------------------

UNIQUE = Schema({"e": email, "<b>x": None}, unique=("e",))
VALUES: list[Any] = [None, True, -1, 0, 10**400, 2**63, 1.5, "", "x", "<script>", [], {}, [[]], ["e"], [{}], "\ud800"]


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [path, *(found for key, value in inner for found in places(value, (*path, key)))]


def use(written: Any, mine: QualityReport) -> None:
    """Whatever may be done with a report from elsewhere gives an answer or our own error."""
    calls: list[Callable[[QualityReport], object]] = [
        lambda report: report.to_json(),
        lambda report: mine.diff(report),
        lambda report: report.diff(mine),
        lambda report: mine.merge(report),
        lambda report: report.gate({"validity": 0.5, ("e", "completeness"): 1}),
    ]
    try:
        report = QualityReport.from_json(written)
    except InvalidFieldError:
        return
    for shown in (report.to_html(), report.to_html("zh"), report._repr_html_()):
        assert "<script>" not in shown
    for call in calls:
        with contextlib.suppress(CustInfoError):
            call(report)


def test_a_report_that_was_tampered_with_is_refused_or_harmless() -> None:
    mine = quality([GOOD], UNIQUE)
    kept = json.loads(quality([GOOD, {"e": "nobody"}], UNIQUE).to_json())
    for path in places(kept)[1:]:
        for value in VALUES:
            data = copy.deepcopy(kept)
            part = data
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = value
            use(json.dumps(data), mine)
    for written in ("", "[" * 100_000, b"\xff", "NaN", "9" * 5_000, None, 3, "\x00"):
        use(written, mine)
    fewer = {**kept, "scores": [score for score in kept["scores"] if score["field"] == "e"]}
    for call in (mine.diff, mine.merge):
        with pytest.raises(InvalidFieldError) as caught:
            call(QualityReport.from_json(json.dumps(fewer)))
        assert caught.value.code == "quality.rules_differ"
        with pytest.raises(InvalidFieldError) as caught:
            call(json.dumps(kept))  # type: ignore[arg-type]
        assert caught.value.code == "quality.report"


# ---- what cannot be meant ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("schema", lambda: Schema("email")),
        ("schema", lambda: Schema({3: email})),
        ("schema", lambda: Schema({"e": type(email)})),
        ("schema", lambda: Schema({"e": email}, rules=3)),
        ("schema", lambda: Schema({"e": email}, required=3)),
        ("schema", lambda: Schema({"d": date}, max_age={"d": "x"})),
        ("schema", lambda: Schema({"d": date}, max_age={"d": -3})),
        ("schema", lambda: Schema({"d": date}, max_age={"d": 10**12})),
        ("schema", lambda: Rule(3, ("e",), max)),
        ("schema", lambda: Rule("", ("e",), max)),
        ("schema", lambda: Rule("own", (), max)),
        ("schema", lambda: Rule("own", (3,), max)),
        ("schema", lambda: Rule("own", ("e",), "x")),
        ("schema", lambda: quality([GOOD], {"e": email})),
        ("option", lambda: quality([GOOD], UNIQUE, max_failing_rows="3")),
        ("option", lambda: quality([GOOD], UNIQUE, max_failing_rows=1.5)),
        ("quality.as_of", lambda: quality([GOOD], Schema({"d": date}, max_age={"d": 1}), as_of="2020-01-01")),
        ("quality.as_of", lambda: quality([GOOD], Schema({"d": date}), as_of=3)),
        ("quality.threshold", lambda: quality([GOOD], UNIQUE).gate({"validity": "x"})),
        ("quality.threshold", lambda: quality([GOOD], UNIQUE).gate({"validity": None})),
        ("quality.threshold", lambda: quality([GOOD], UNIQUE).gate("validity")),
        ("locale", lambda: quality([GOOD], UNIQUE).to_html(None)),
        ("locale", lambda: Issue("email.no_at").message(3)),
    ],
)
def test_what_cannot_be_meant_is_refused_by_our_own_error(code: str, make: Callable[[], object]) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        make()
    assert caught.value.code == code


def test_a_day_that_is_not_a_time_is_no_day_to_count_from() -> None:
    pandas = pytest.importorskip("pandas")
    schema = Schema({"d": date}, max_age={"d": 1})
    with pytest.raises(InvalidFieldError):
        quality([GOOD], schema, as_of=pandas.NaT)
    assert quality([GOOD], schema, as_of=pandas.Timestamp("2020-01-02")).scores["d", "timeliness"].value == 1


def test_a_validator_set_up_with_a_name_does_not_show_it() -> None:
    here = person_name.with_options(family="sEcReT")
    assert repr(here) == "person_name.with_options(family=***)"
    assert "sEcReT" not in repr(Schema({"n": here}))
