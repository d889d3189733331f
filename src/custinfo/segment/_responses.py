"""How long customers wait for the first answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import attrs
import numpy as np

from custinfo._columns import Column, ColumnResult, frozen
from custinfo.errors import InvalidFieldError
from custinfo.segment._interactions import is_inbound
from custinfo.segment._kernel import counts
from custinfo.segment._labels import CALENDAR, labelled
from custinfo.segment._rows import AsOf, Rows, event_rows
from custinfo.segment._spending import keys_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]

__all__ = ["ResponseTimes", "response_times"]

_SECOND_US = 1_000_000


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ResponseTimes(ColumnResult):
    """Waiting times by key, ascending, a missing key last; made by `response_times`.

    Args:
        key: shape (k,), objects: the channel or whatever it is counted by.
        requests: shape (k,), int64, requests that customers made.
        answered: shape (k,), int64, requests that were answered.
        seconds: percentile -> shape (k,), float64, seconds within which that part of the answers came; NaN of none.
        by: what *key* is.
        skipped: rows left out because customer or time was missing.
    """

    key: Column
    requests: Column
    answered: Column
    seconds: dict[float, Column]
    by: str
    skipped: int

    @property
    def unanswered(self) -> Column:
        """Requests without an answer so far, shape (k,), int64."""
        open_ones: Column = self.requests - self.answered
        return open_ones

    def to_dict(self) -> dict[str, Column]:
        """Name -> array of shape (k,); percentiles are ``p50_s``, ``p90_s`` ..."""
        return {
            "key": self.key,
            "requests": self.requests,
            "answered": self.answered,
            "unanswered": self.unanswered,
            **{f"p{percentile:g}_s": column for percentile, column in self.seconds.items()},
        }

    def __repr__(self) -> str:
        return f"<ResponseTimes by {self.by}: {int(self.requests.sum()):,} requests in {len(self)} rows>"

    def _title(self) -> str:
        return f"First response by {self.by}: {int(self.answered.sum()):,} of {int(self.requests.sum()):,} answered"


def response_times(
    data: object,
    *,
    by: str = "channel",
    percentiles: Sequence[float] = (50, 90, 95),
    thread: str | None = None,
    customer: str = "customer_id",
    when: str = "occurred_at",
    channel: str = "channel",
    direction: str = "direction",
    as_of: AsOf = None,
    time_zone: str | dt.tzinfo = "UTC",
    missing: Literal["raise", "skip"] = "raise",
) -> ResponseTimes:
    """Measure the time from a customer's request to the first answer.

    A request is an inbound contact that does not follow another unanswered one of the same customer on the same channel
    (or of the same *thread*); its answer is the next outbound contact there. So a customer who asks three times waits
    since the first time, and a call that we begin is no answer. Contacts of one instant count as asked, then answered.

    Args:
        data: an iterable of `Interaction`, or a table in any form that `rfm` takes.
        by: what to count by: a column, or "day", "week", "month", "quarter", "year", "weekday" or "hour" of the
            calendar in *time_zone*, all of the request.
        percentiles: above 0, up to 100. The p-th is the smallest waiting time that p per cent of the answered
            requests do not exceed.
        thread: column that tells conversations apart, such as a case number; channels do not matter then.
        customer: column of customer ids.
        when: column of times.
        channel: column of channels; not read where *thread* is given.
        direction: column of "inbound" and "outbound" (or "in", "out").
        as_of: rows after it do not count.
        time_zone: zone of the calendar.
        missing: rows without customer or time: "raise", or "skip" and count them.

    Raises:
        InvalidFieldError: "columns.*", "time.*", "payments.customer", "payments.missing", "segment.labels",
            "segment.missing", "interactions.direction", "responses.percentiles".

    Source: percentiles of type 1 (inverse of the empirical distribution function), Hyndman and Fan, 1996.

    >>> chat = {"customer_id": ["ann"] * 4, "channel": ["chat"] * 4, "direction": ["in", "in", "out", "in"],
    ...         "occurred_at": ["2026-01-31T10:00", "2026-01-31T10:05", "2026-01-31T10:06", "2026-01-31T11:00"]}
    >>> waits = response_times(chat)
    >>> waits.requests.tolist(), waits.answered.tolist(), waits.seconds[50].tolist()
    ([2], [1], [360.0])
    """
    wanted = _percentiles(percentiles)
    columns = [*([channel] if thread is None else [thread]), direction, *([] if by in CALENDAR else [by])]
    rows = event_rows(
        data,
        customer=customer,
        when=when,
        as_of=as_of,
        time_zone=time_zone,
        missing=missing,
        extra=list(dict.fromkeys(columns)),
    )
    came_in = is_inbound(rows.extra[direction], direction)
    threads = _threads(rows, channel if thread is None else thread, per_customer=thread is None)
    keys, labels = keys_of(rows, by)
    request, answer = _first_responses(threads, rows.moments, came_in, keys)
    waited = np.where(answer < 0, -1, rows.moments[answer] - rows.moments[request])
    answered = np.flatnonzero(answer >= 0)
    return ResponseTimes(
        key=frozen(labels),
        requests=frozen(counts(keys[request], len(labels))),
        answered=frozen(counts(keys[request[answered]], len(labels))),
        seconds=_quantiles(keys[request[answered]], waited[answered], len(labels), wanted),
        by=by,
        skipped=rows.skipped,
    )


def _percentiles(given: Sequence[float]) -> tuple[float, ...]:
    wanted = tuple(given)
    if not wanted or not all(0 < percentile <= 100 for percentile in wanted):
        raise InvalidFieldError(
            "percentiles must be numbers above 0 and up to 100, such as (50, 90, 95)",
            code="responses.percentiles",
            path="percentiles",
        )
    return wanted


def _threads(rows: Rows, name: str, *, per_customer: bool) -> Int64:
    codes, labels = labelled(rows.extra[name], name=name)
    return rows.codes * len(labels) + codes if per_customer else codes


def _first_responses(threads: Int64, moments: Int64, came_in: Column, keys: Int64) -> tuple[Int64, Int64]:
    """Rows of requests, and rows of their answers; -1 where there is none."""
    asked_first = np.where(came_in, 0, int(keys.max(initial=0)) + 1) + keys
    order = np.lexsort((asked_first, moments, threads))
    thread, inbound = threads[order], came_in[order]
    same = np.zeros(len(order), np.bool_)  # whether the row before is of the same thread and direction
    same[1:] = (thread[1:] == thread[:-1]) & (inbound[1:] == inbound[:-1])
    turns = order[~same]
    asked = np.flatnonzero(came_in[turns])
    following = turns[np.minimum(asked + 1, max(len(turns) - 1, 0))] if len(turns) else turns
    request = turns[asked]
    is_answer = ~came_in[following] & (threads[following] == threads[request])
    return request, np.where(is_answer, following, -1)


def _quantiles(keys: Int64, waited: Int64, size: int, wanted: Sequence[float]) -> dict[float, Column]:
    order = np.lexsort((waited, keys))
    ordered, number = waited[order], counts(keys, size)
    starts = np.cumsum(number) - number
    result = {}
    for percentile in wanted:
        part = Fraction(str(percentile)) / 100
        rank = np.maximum(-(-number * part.numerator // part.denominator) - 1, 0)
        column = np.full(size, np.nan)
        there = number > 0
        column[there] = ordered[(starts + rank)[there]] / _SECOND_US
        result[percentile] = frozen(column)
    return result
