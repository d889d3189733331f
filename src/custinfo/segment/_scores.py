"""Answers of a survey in, as integers of their scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from custinfo._columns import Column, lasting, read_columns
from custinfo.errors import InvalidFieldError
from custinfo.segment._rows import missing_in, skips

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]
    Mask = NDArray[np.bool_]


def read_scores(data: Any, score: str, *, scale: tuple[int, int], missing: str) -> tuple[Int64, int]:
    """The answers that are there, and how many are not.

    Args:
        data: answers, shape (n,), or a table.
        score: the column of the table.
        scale: lowest and highest answer.
        missing: "raise" or "skip".

    Raises:
        InvalidFieldError: "columns.*", "score.value", "score.missing", "segment.missing".

    >>> read_scores([5, None, 4.0], "score", scale=(1, 5), missing="skip")[0].tolist()
    [5, 4]
    """
    column = score_column(data, score)
    answers, absent = checked_scores(column, score, scale=scale, missing=missing)
    return answers, int(absent.sum())


def score_column(data: Any, score: str) -> Column:
    """The column of answers, whether they stand alone or in a table."""
    data = lasting(data)
    alone = (isinstance(data, np.ndarray) and data.dtype.names is None) or (
        hasattr(data, "to_numpy") and not hasattr(data, "columns") and not hasattr(data, "column_names")
    )
    if isinstance(data, list | tuple):
        alone = not any(isinstance(value, Mapping) or hasattr(type(value), "__attrs_attrs__") for value in data)
    if alone and not isinstance(data, Mapping):
        return read_columns({score: data})[score]
    return read_columns(data, [score])[score]


def checked_scores(column: Column, name: str, *, scale: tuple[int, int], missing: str) -> tuple[Int64, Mask]:
    """Answers as integers, without the missing ones; and which rows miss one.

    Raises:
        InvalidFieldError: "score.value", "score.missing", "segment.missing".
    """
    skip, found = skips(missing), missing_in(column)
    absent = np.zeros(len(column), np.bool_) if found is None else found
    if found is not None and not skip:
        raise InvalidFieldError(
            f"column {name!r} has {int(absent.sum()):,} missing answers, the first in row {int(absent.argmax())}; "
            "fill them in, or pass missing='skip' to leave them out and count them",
            code="score.missing",
            path=name,
        )
    known = column[~absent]
    try:
        if known.dtype.kind == "O" and any(isinstance(value, bool | str) for value in known):
            raise TypeError
        numbers = known.astype(np.float64) if known.dtype.kind in "iufO" else np.full(len(known), np.nan)
    except (TypeError, ValueError, OverflowError):
        numbers = np.full(len(known), np.nan)
    if not ((numbers >= scale[0]) & (numbers <= scale[1]) & (numbers == np.rint(numbers))).all():
        raise InvalidFieldError(
            f"column {name!r} must hold integers from {scale[0]} to {scale[1]}", code="score.value", path=name
        )
    return numbers.astype(np.int64), absent
