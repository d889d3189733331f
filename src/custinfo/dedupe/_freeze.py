"""A search's estimates as a model that no longer needs the records."""

from __future__ import annotations

from typing import Any

import numpy as np

from custinfo.dedupe._duplicates import Duplicates
from custinfo.dedupe._estimate import with_unseen
from custinfo.dedupe._fields import Field
from custinfo.dedupe._form import FieldSpec
from custinfo.dedupe._frozen import FieldCounts, MatchModel, frozen_counts
from custinfo.dedupe._keys import KeyMaker, Plan
from custinfo.dedupe._plan import choose_plan
from custinfo.dedupe._run import Search
from custinfo.dedupe._text import han_support
from custinfo.errors import InvalidFieldError

__all__ = ["freeze"]


def freeze(found: Duplicates, columns: tuple[str, ...]) -> MatchModel:
    """The model of a search.

    Args:
        found: its result.
        columns: all columns that the records had.

    Raises:
        InvalidFieldError: ``dedupe.thin`` (nothing was estimated), ``dedupe.link`` (a search between two sources).
    """
    search = found.search
    if search is None:
        raise InvalidFieldError(
            "fewer than two records hold a value that can be compared, so that no model can be estimated; "
            "give more records, or the model of another matcher",
            code="dedupe.thin",
        )
    if search.links is not None:
        raise InvalidFieldError(
            "a matcher knows no sources; make it with Matcher.fit from the records of one", code="dedupe.link"
        )
    specs = tuple(
        FieldSpec(name=field.name, kind=field.kind, columns=field.columns, width=field.codes.shape[1])
        for field in search.fields
    )
    stratum = -1
    if search.chances.strata is not None:
        stratum = next(f for f, spec in enumerate(specs) if spec.name == "country")
    counts, either = frozen_counts(search.fields, search.chances, stratum)
    return MatchModel(
        columns=columns,
        kinds=dict(found.diagnostics.kinds),
        fields=specs,
        pinyin=han_support(),
        weights=with_unseen(search.model),
        table=np.array(search.chances.table),
        counts=counts,
        either=either,
        stratum=stratum,
        plan=_plan(search, specs, counts),
        threshold=search.threshold,
        auto_threshold=search.auto_threshold,
        rules=search.conflicts.rules,
        rows=len(found.labels),
    )


def _plan(search: Search, specs: tuple[FieldSpec, ...], counts: tuple[FieldCounts, ...]) -> Plan:
    none = Plan(singles=(), pairs=(), cap=1, pair_cap=1, coverage=1.0)
    words = [(known.words, known.texts) if known.words else None for known in counts]
    maker = KeyMaker(specs, words, none)
    parts = []
    for f, field in enumerate(search.fields):
        keys = [field.key_texts[key] for key in field.keys.tolist()]
        parts += _slots(maker, f, field, keys)
    joined = np.flatnonzero(
        (search.odds > search.threshold) & (search.labels[search.left] == search.labels[search.right])
    )
    return choose_plan(
        maker.with_both(np.concatenate(parts, axis=1)),
        maker.slots,
        maker.owners,
        search.left[joined],
        search.right[joined],
    )


def _slots(maker: KeyMaker, f: int, field: Field, keys: list[str]) -> list[Any]:
    table = maker.of_value(f, field.texts, keys)
    return [np.where(column[:, None] >= 0, table[column], np.uint64(0)) for column in field.codes.T]
