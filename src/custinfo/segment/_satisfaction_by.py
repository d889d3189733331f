"""Satisfaction by channel, month or any other column."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen, read_columns
from custinfo.errors import InvalidFieldError
from custinfo.model import zone_of
from custinfo.segment._labels import CALENDAR, calendar_labels, labelled
from custinfo.segment._satisfaction import Satisfaction, ces_of, check_scale, csat_of, nps_of
from custinfo.segment._scores import checked_scores
from custinfo.segment._time import NAT, instants, local_moments
from custinfo.segment._words import percent

__all__ = ["SatisfactionBy", "satisfaction"]

_SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SatisfactionBy(ColumnResult):
    """A measure of satisfaction for each key, ascending, a missing key last; made by `satisfaction`.

    Args:
        key: shape (k,), objects.
        results: the measure of each key.
        by: what *key* is.
        measure: "nps", "csat" or "ces".
        confidence: of the intervals.
        skipped: missing answers that were left out.
    """

    key: Column
    results: tuple[Satisfaction, ...]
    by: str
    measure: str
    confidence: float
    skipped: int

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (k,)."""
        numbers = {
            name: np.array([getattr(result, name) for result in self.results], np.float64)
            for name in ("value", "low", "high")
        }
        return {
            "key": self.key,
            **numbers,
            "responses": np.array([result.responses for result in self.results], np.int64),
        }

    def __repr__(self) -> str:
        return f"<{self.measure.upper()} by {self.by}: {len(self.results)} rows>"

    def _title(self) -> str:
        return f"{self.measure.upper()} by {self.by}, {percent(self.confidence)} intervals"


def satisfaction(
    data: object,
    *,
    by: str,
    measure: Literal["nps", "csat", "ces"] = "nps",
    score: str = "score",
    when: str = "occurred_at",
    scale: tuple[int, int] | None = None,
    satisfied: int | None = None,
    confidence: float = 0.95,
    interval: Literal["wald", "adjusted"] = "wald",
    time_zone: str | dt.tzinfo = "UTC",
    missing: Literal["raise", "skip"] = "raise",
) -> SatisfactionBy:
    """Measure satisfaction for each channel, month or other key.

    Args:
        data: a table of answers in any form that `rfm` takes.
        by: a column, or "day", "week", "month", "quarter", "year", "weekday" or "hour" of *when*.
        measure: "nps", "csat" or "ces".
        score: the column of answers.
        when: column of times; looked at only where *by* is a part of the calendar.
        scale: lowest and highest answer, for "csat" (1 to 5 where left out) and "ces" (1 to 7).
        satisfied: the lowest answer that counts as satisfied, for "csat"; the second highest where left out.
        confidence: of the intervals.
        interval: for "nps", as there.
        time_zone: zone of the calendar.
        missing: answers that are missing: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: as `nps`, `csat` and `ces`; "satisfaction.measure", "segment.labels", "time.value".

    >>> answers = {"channel": ["app", "app", "phone"], "score": [10, 9, 3]}
    >>> satisfaction(answers, by="channel").to_dict()["value"].tolist()
    [100.0, -100.0]
    """
    if measure not in _SCALES:
        raise InvalidFieldError("measure must be 'nps', 'csat' or 'ces'", code="satisfaction.measure", path="measure")
    chosen = _SCALES[measure] if scale is None or measure == "nps" else scale
    check_scale(chosen, satisfied)
    good = chosen[1] - 1 if satisfied is None else satisfied
    in_calendar = by in CALENDAR
    columns = read_columns(data, [score, when if in_calendar else by])
    answers, absent = checked_scores(columns[score], score, scale=chosen, missing=missing)
    keys = columns[when if in_calendar else by][~absent]
    codes, labels = _calendar(keys, when, by, time_zone) if in_calendar else labelled(keys, name=by)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(labels) + 1))
    options: dict[str, Any] = {"confidence": confidence, "skipped": 0}

    def measured(values: Column) -> Satisfaction:
        if measure == "nps":
            return nps_of(values, interval=interval, **options)
        if measure == "csat":
            return csat_of(values, scale=chosen, satisfied=good, **options)
        return ces_of(values, scale=chosen, **options)

    return SatisfactionBy(
        key=frozen(labels),
        results=tuple(measured(answers[order[ends[i] : ends[i + 1]]]) for i in range(len(labels))),
        by=by,
        measure=measure,
        confidence=confidence,
        skipped=int(absent.sum()),
    )


def _calendar(times: Column, when: str, by: str, time_zone: str | dt.tzinfo) -> tuple[Column, Column]:
    zone = zone_of(time_zone)
    moments = instants(times, zone, name=when)
    if (moments == NAT).any():
        raise InvalidFieldError(
            f"column {when!r} has {int((moments == NAT).sum()):,} missing times, the first in row "
            f"{int((moments == NAT).argmax())}; fill them in or leave these rows out",
            code="payments.missing",
            path=when,
        )
    return calendar_labels(local_moments(moments, zone), by)
