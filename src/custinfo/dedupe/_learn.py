"""What a few answers of a person say about the decision: how far all weights are off, and when to stop asking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._matcher_state import MatcherState
from custinfo.errors import InvalidFieldError

__all__ = ["Answer", "Learning", "doubtful_pairs", "read_answers", "shift_of"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
_BIT = float(np.log(2))
# Before any answer: the estimated weights may be off by so many bits (standard deviation).
_PRIOR_BITS = 3.0
_GRID = np.linspace(-12.0, 12.0, 961)
_LEAST_ANSWERS = 8
_SURE_BITS = 0.75


@attrs.frozen
class Answer:
    """One answer: the rows asked about (-1 once removed), their weight before any shift, and whether they are one."""

    left: int
    right: int
    bits: float
    match: bool


@attrs.frozen(kw_only=True)
class Learning:
    """What was learnt from answers.

    Attributes:
        answers: how many there were.
        shift: bits that are added to every weight because of them.
        deviation: standard deviation of the shift in bits; 3 before the first answer.
        finished: whether more answers would change little: after 8 or more the deviation is at most .75 bits, or no
            pair is left that is near the decision.
    """

    answers: int
    shift: float
    deviation: float
    finished: bool


def shift_of(answers: Sequence[Answer]) -> Learning:
    """The posterior of the shift: a normal prior, and the logistic likelihood of each answer given its weight.

    Source: Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), 3.7 (a logistic model on a grid).

    >>> shift_of([Answer(0, 1, 3.0, False)] * 9).shift < -2
    True
    """
    log = -0.5 * (_GRID / _PRIOR_BITS) ** 2
    for answer in answers:
        odds = (answer.bits + _GRID) * _BIT
        log = log - np.logaddexp(0.0, -odds if answer.match else odds)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = float((weight * _GRID).sum())
    deviation = float(np.sqrt((weight * (_GRID - mean) ** 2).sum()))
    return Learning(
        answers=len(answers),
        shift=mean if answers else 0.0,
        deviation=deviation,
        finished=len(answers) >= _LEAST_ANSWERS and deviation <= _SURE_BITS,
    )


def read_answers(pairs: Iterable[Any], labels: Iterable[Any] | None) -> list[tuple[int, int, bool]]:
    """Rows and answer of each labelled pair.

    Raises:
        InvalidFieldError: ``dedupe.labels``: another number of labels than of pairs, or no such pair or label.
    """
    wanted = "give pairs of rows with one true or false for each, or triples (row, row, true or false)"
    rows = [tuple(pair) for pair in pairs]
    if labels is not None:
        answers = list(labels)
        if len(answers) != len(rows):
            raise InvalidFieldError(
                f"there are {len(answers)} labels for {len(rows)} pairs; {wanted}", code="dedupe.labels"
            )
        rows = [(*row, answer) for row, answer in zip(rows, answers, strict=True)]
    for row in rows:
        whole = len(row) == 3 and all(isinstance(part, (int, np.integer)) for part in row[:2])
        if not whole or not (isinstance(row[2], (bool, np.bool_)) or row[2] in (0, 1)):
            raise InvalidFieldError(f"a label is not as expected; {wanted}", code="dedupe.labels")
    return [(int(a), int(b), bool(match)) for a, b, match in rows]


def doubtful_pairs(state: MatcherState, asked: set[tuple[int, int]], count: int) -> tuple[Ints, Ints, Floats]:
    """Rows and natural log odds of the pairs nearest to the decision, each row in one pair, those not asked yet."""
    found = state.look_for_doubt()
    left = np.concatenate([pairs.left for pairs in found] or [np.zeros(0, np.int64)])
    right = np.concatenate([pairs.right for pairs in found] or [np.zeros(0, np.int64)])
    odds = np.concatenate([pairs.odds for pairs in found] or [np.zeros(0)])
    alive = state.entries.alive.view
    keep = alive[left] & alive[right]
    a, b = state.first.view[left[keep]], state.first.view[right[keep]]
    low, high, odds = np.minimum(a, b), np.maximum(a, b), odds[keep]
    used: set[int] = set()
    chosen: list[int] = []
    for k in np.lexsort((high, low, np.abs(odds - state.model.threshold))).tolist():
        pair = (int(low[k]), int(high[k]))
        if len(chosen) >= count:
            break
        if pair in asked or used.intersection(pair):
            continue
        used.update(pair)
        chosen.append(k)
    return low[chosen], high[chosen], odds[chosen]
