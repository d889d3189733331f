"""Nothing that a caller passes raises, takes long, or gets into a sentence or a log."""

from __future__ import annotations

import datetime
import decimal
import logging
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import custinfo.validate
from custinfo.errors import InvalidFieldError
from custinfo.validate import Result, email, person_name, phone, text
from custinfo.validate._base import BaseValidator, column

VALIDATORS = [
    value
    for value in (getattr(custinfo.validate, name) for name in custinfo.validate.__all__)
    if isinstance(value, BaseValidator) and value.name not in {"vat", "other_id"}
]
NASTY: list[object] = [
    None,
    True,
    0,
    -1,
    1.5,
    float("nan"),
    float("inf"),
    b"bytes",
    bytearray(b"x"),
    [],
    {},
    object(),
    decimal.Decimal(3),
    datetime.time(1),
    np.array([1, 2]),
    np.str_("some@example.com"),
    "",
    " ",
    "\x00",
    "\ud800",
    "a\udfffb@example.com",
    "\U0010ffff",
    "a" * 1_000_000,
    "1" * 1_000_000,
    "@" * 1_000_000,
    "e" + "\u0301" * 100_000,
    "+" * 200,
    "(" * 250,
    "x@" + "." * 252,
    "x@" + "-" * 252,
    "a." * 127,
    '"' * 254,
    "<" * 254,
    "1-" * 125,
    "²³¹",
    "٠١٢٣٤٥٦٧٨٩",
    "１２３４５６７８９０",
    "𝟏𝟐𝟑@𝟏.com",
    "ﷺ" * 30,
    "\u202e\u2066\u200f",
    "'; DROP TABLE customers; --",
    "<script>alert(1)</script>",
    "${jndi:ldap://x}",
    "%s%s%n{0}{value}",
    "../../etc/passwd",
    "\r\nSet-Cookie: x=1",
    "🏳️\u200d🌈" * 20,
    "İstanbul@İ.com",
    "ß@ß.de",
    "a@\u3002com",
]


@pytest.mark.parametrize("validator", VALIDATORS, ids=lambda part: part.name)
def test_anything_gets_an_answer_within_fifty_milliseconds(validator: BaseValidator[object]) -> None:
    validator("warm up")
    for value in NASTY:
        best = min(timed(validator, value) for _ in range(3))
        result = validator(value)
        assert isinstance(result, Result)
        assert {issue.code for issue in result.issues} <= validator.codes
        assert best < 0.05
    batch = validator.many(NASTY)
    assert batch.values == [validator(value).value for value in NASTY]


def timed(validator: BaseValidator[object], value: object) -> float:
    start = time.process_time()
    validator(value)
    return time.process_time() - start


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_no_sentence_and_no_repr_carries_the_value(value: str) -> None:
    marked = f"Qz7{value}"
    for validator in VALIDATORS:
        result = validator(marked)
        assert {issue.code for issue in result.issues} <= validator.codes
        for issue in result.issues:
            assert "Qz7" not in issue.message() + issue.message("zh") + repr(issue) + repr(dict(issue.params))
        assert "Qz7" not in repr(result)
        if not result:
            assert result.value is None
            with pytest.raises(InvalidFieldError) as caught:
                result.unwrap()
            assert "Qz7" not in f"{caught.value} {caught.value!r} {caught.value.details}"


def test_a_log_line_cannot_be_forged(caplog: pytest.LogCaptureFixture) -> None:
    forged = "x\r\n2026-01-01 ERROR all is lost\x1b[2K"
    with caplog.at_level(logging.INFO):
        for validator in VALIDATORS:
            result = validator(forged)
            logging.getLogger("test").info("%s %s", result, [issue.message() for issue in result.issues])
    assert "all is lost" not in caplog.text
    assert "\x1b" not in caplog.text


@pytest.mark.parametrize(
    "grow",
    [
        lambda n: "a" * n + "@" + "b" * n,
        lambda n: "a." * n + "@",
        lambda n: "a" * n + "é",
        lambda n: "<" * n,
        lambda n: "!" * n + "(",
        lambda n: "1 " * n,
        lambda n: "(" * n + "1",
        lambda n: " " * n + "x",
        lambda n: "x-" * n,
        lambda n: "1/" * n,
    ],
)
@pytest.mark.parametrize("validator", VALIDATORS, ids=lambda part: part.name)
def test_time_grows_no_faster_than_the_text(validator: BaseValidator[object], grow) -> None:  # type: ignore[no-untyped-def]
    validator(grow(10))
    short = min(timed(validator, grow(60)) for _ in range(3))
    long = min(timed(validator, grow(480)) for _ in range(3))
    assert long < 64 * max(short, 0.0005)


def test_a_column_may_be_many_things() -> None:
    values = ["somebody@example.com", "nobody"]
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    for rows in (
        values,
        tuple(values),
        iter(values),
        np.array(values),
        pandas.Series(values),
        polars.Series(values),
        pyarrow.array(values),
        dict.fromkeys(values).keys(),
    ):
        assert email.many(rows).values == ["somebody@example.com", None]
    assert email.many(pandas.Series(["x", None, pandas.NA])).counts() == {"value.missing": 2, "email.no_at": 1}
    for wrong in ("somebody@example.com", b"x", {"a": 1}, 5):
        with pytest.raises(InvalidFieldError):
            column(wrong)


def test_progress_is_reported_and_batches_are_cut_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custinfo.validate._base._STEP_ROWS", 100)
    seen: list[tuple[int, int]] = []
    values = [f"+1 201 555 01{number % 100:02d}" for number in range(250)]
    batch = phone.many(values, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(100, 250), (200, 250), (250, 250)]
    assert batch.ok.all()
    assert person_name.many(["x\x00"] * 250).counts() == {"text.control": 250}
    assert [row for row, _ in custinfo.validate.luhn.many(["79927398710"] * 250).failures()] == list(range(250))
    assert [row for row, _ in custinfo.validate.postal_code.many(["x"] * 250, country=["AU"] * 250).failures()] == list(
        range(250)
    )


def test_equal_values_of_different_types_are_not_mixed_up() -> None:
    assert [issue.code for _, issue in text.many(["1", 1, 1.0, True]).failures()] == ["value.type"] * 3
