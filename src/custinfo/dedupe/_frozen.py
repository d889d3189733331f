"""The model of a matcher: everything that was estimated, free of the records it was estimated from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._chance import Chances, Counts, usual_chances
from custinfo.dedupe._fields import Field
from custinfo.dedupe._form import FieldSpec
from custinfo.dedupe._keys import Plan
from custinfo.dedupe._model import Model
from custinfo.dedupe._rules import Rule
from custinfo.dedupe._scorers import count_words
from custinfo.dedupe._text import han_support
from custinfo.errors import MissingExtraError

__all__ = ["MatchModel", "FieldCounts", "ValueCounts", "frozen_counts", "need_pinyin"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
_BIT = float(np.log(2))


@attrs.frozen(kw_only=True)
class ValueCounts:
    """How many persons have each value of a field; values of fewer than three persons are not told apart.

    Attributes:
        counts: persons by value, 3 or more.
        local: value -> stratum -> persons, 3 or more.
        once: how many persons to expect for any other value.
    """

    counts: dict[str, float]
    local: dict[str, dict[str, float]]
    once: float

    def without(self, gone: Iterable[str]) -> ValueCounts:
        """The same without some values."""
        lost = {text for text in gone if text in self.counts or text in self.local}
        if not lost:
            return self
        return attrs.evolve(
            self,
            counts={text: n for text, n in self.counts.items() if text not in lost},
            local={text: by for text, by in self.local.items() if text not in lost},
        )


@attrs.frozen(kw_only=True)
class FieldCounts:
    """Frequencies of one field.

    Attributes:
        values: of its normal forms.
        keys: of their coarser forms.
        total: persons with a value.
        sizes: stratum -> persons with a value.
        words: word -> number of values that hold it, 2 or more, for fields of several words.
        texts: number of values that the words were counted in.
    """

    values: ValueCounts
    keys: ValueCounts
    total: float
    sizes: dict[str, float]
    words: dict[str, int]
    texts: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MatchModel:
    """All that was estimated; a `Matcher` made with it estimates nothing.

    It holds values that three or more persons have in common (their frequencies), and no record.

    Attributes:
        columns: the columns that were there when it was estimated; others are refused.
        kinds: column -> kind.
        fields: the fields of evidence.
        pinyin: whether Chinese names compare by pinyin: ``""``, ``"pinyin"`` or ``"pinyin+simplified"``.
        weights: prior, m per level and what is shared between persons.
        table: float64 (fields, levels), u: the chance of each level where no frequency says better.
        counts: frequencies per field.
        either: key of a name -> persons who have it as given or family name, 2 or more.
        stratum: position of the field within which frequencies are counted, -1 for none.
        plan: the blocking keys.
        threshold: natural log odds from which records are joined.
        auto_threshold: natural log odds from which they may be joined without a person.
        rules: which records never meet.
        rows: number of records that it was estimated from.
    """

    columns: tuple[str, ...]
    kinds: dict[str, str]
    fields: tuple[FieldSpec, ...]
    pinyin: str
    weights: Model
    table: Floats
    counts: tuple[FieldCounts, ...]
    either: dict[str, float]
    stratum: int
    plan: Plan
    threshold: float
    auto_threshold: float
    rules: tuple[Rule, ...]
    rows: int

    def __repr__(self) -> str:
        names = ", ".join(spec.name for spec in self.fields)
        return f"MatchModel({names}; threshold {self.threshold / _BIT:.1f} bits, from {self.rows:,} records)"

    def word_counts(self) -> list[tuple[Mapping[str, int], int] | None]:
        """Per field, how many known values hold each word, for fields of several words."""
        return [
            (known.words, known.texts) if spec.kind == "tokens" else None
            for spec, known in zip(self.fields, self.counts, strict=True)
        ]

    def kinds_used(self) -> dict[str, str]:
        """The kinds of the columns that are evidence."""
        return {column: kind for column, kind in self.kinds.items() if kind != "ignore"}

    def chances(self, fields: Sequence[Field]) -> Chances:
        """The frequencies by the codes of *fields*, which are those of the model."""
        stratum = fields[self.stratum] if self.stratum >= 0 else None
        strata = None
        if stratum is not None:
            strata = np.where(stratum.first < 0, len(stratum.texts), stratum.first).astype(np.int64)
        names = [*stratum.texts, ""] if stratum is not None else []
        return Chances(
            equal=[_counts(known.values, field.texts, names) for known, field in zip(self.counts, fields, strict=True)],
            key=[_counts(known.keys, field.key_texts, names) for known, field in zip(self.counts, fields, strict=True)],
            either=self._either(fields),
            totals=np.array([known.total for known in self.counts]),
            usual=usual_chances(fields),
            table=self.table,
            strata=strata,
            span=max(len(names), 1),
            sizes=[np.array([known.sizes.get(name, 0.0) for name in names]) for known in self.counts]
            if names
            else None,
        )

    def _either(self, fields: Sequence[Field]) -> tuple[Floats, Floats] | None:
        by_name = {field.name: field for field in fields}
        if "given_name" not in by_name or "family_name" not in by_name:
            return None
        get = self.either.get
        given, family = by_name["given_name"].key_texts, by_name["family_name"].key_texts
        return np.array([*(get(t, 1.0) for t in given), 1.0]), np.array([*(get(t, 1.0) for t in family), 1.0])

    def without(
        self, values: Sequence[set[str]], keys: Sequence[set[str]], words: Sequence[set[str]], either: set[str]
    ) -> MatchModel:
        """The same model without what nobody has any more: per field texts, keys and words, and names."""
        counts = tuple(
            attrs.evolve(
                known,
                values=known.values.without(values[f]),
                keys=known.keys.without(keys[f]),
                words={w: n for w, n in known.words.items() if w not in words[f]} if words[f] else known.words,
            )
            for f, known in enumerate(self.counts)
        )
        names = {key: n for key, n in self.either.items() if key not in either} if either else self.either
        return attrs.evolve(self, counts=counts, either=names)


def _counts(known: ValueCounts, texts: Sequence[str], strata: Sequence[str]) -> Counts:
    get = known.counts.get
    by_code = np.array([*(get(text, 0.0) for text in texts), 0.0])
    if not strata:
        return Counts(by_code=by_code, once=known.once, pairs=None, local=None)
    span = len(strata)
    number = {name: k for k, name in enumerate(strata)}
    found = [
        (code * span + number[name], count)
        for code, text in enumerate(texts)
        if text in known.local
        for name, count in known.local[text].items()
        if name in number
    ]
    found.sort()
    return Counts(
        by_code=by_code,
        once=known.once,
        pairs=np.array([joint for joint, _ in found], np.int64),
        local=np.array([count for _, count in found], np.float64),
    )


def frozen_counts(
    fields: Sequence[Field], chances: Chances, stratum: int
) -> tuple[tuple[FieldCounts, ...], dict[str, float]]:
    """The frequencies by text instead of by code, and those of names as either name."""
    strata = [*fields[stratum].texts, ""] if stratum >= 0 else []
    counts = []
    for f, field in enumerate(fields):
        words, texts = count_words(field.texts) if field.kind == "tokens" else ({}, 2)
        sizes = chances.sizes
        counts.append(
            FieldCounts(
                values=_by_text(chances.equal[f], field.texts, strata, chances.span),
                keys=_by_text(chances.key[f], field.key_texts, strata, chances.span),
                total=float(chances.totals[f]),
                sizes={} if sizes is None else dict(zip(strata, sizes[f].tolist(), strict=False)),
                words={word: n for word, n in words.items() if n > 1},
                texts=texts,
            )
        )
    either: dict[str, float] = {}
    if chances.either is not None:
        by_name = {field.name: field for field in fields}
        for name, many in zip(("given_name", "family_name"), chances.either, strict=True):
            texts_of = by_name[name].key_texts
            either.update({text: n for text, n in zip(texts_of, many.tolist(), strict=False) if n > 1})
    return tuple(counts), either


def _by_text(counts: Counts, texts: Sequence[str], strata: Sequence[str], span: int) -> ValueCounts:
    many = np.flatnonzero(counts.by_code[: len(texts)] > 2)
    local: dict[str, dict[str, float]] = {}
    if counts.pairs is not None and counts.local is not None:
        often = np.flatnonzero(counts.local > 2)
        for joint, n in zip(counts.pairs[often].tolist(), counts.local[often].tolist(), strict=True):
            local.setdefault(texts[joint // span], {})[strata[joint % span]] = n
    return ValueCounts(
        counts={texts[code]: float(counts.by_code[code]) for code in many.tolist()}, local=local, once=counts.once
    )


def need_pinyin(pinyin: str) -> None:
    """Refuse a model whose normal forms need more than is installed.

    Raises:
        MissingExtraError: the model compares Chinese names by pinyin, and extra ``zh`` is not installed as it was then.
    """
    have = han_support()
    if pinyin and pinyin != have:
        package = "opencc" if have == "pinyin" else "pypinyin"
        raise MissingExtraError(
            f"the model compares Chinese names with extra zh ({pinyin}), here there is {have or 'none of it'}; "
            "run: pip install 'custinfo[zh]'",
            package=package,
            extra="zh",
        )
