"""Find the records that are one person's: no labels, no blocking rules, no threshold."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custinfo._view import Progress, reporting
from custinfo.dedupe._canonical import canonical
from custinfo.dedupe._compare import compare
from custinfo.dedupe._decide import estimate
from custinfo.dedupe._duplicates import Diagnostics, Duplicates, Pairs, levels_by_name, nothing
from custinfo.dedupe._fields import build_fields
from custinfo.dedupe._kinds import check_kinds, infer_kinds
from custinfo.dedupe._link_rows import link_rows
from custinfo.dedupe._model import evidence
from custinfo.dedupe._records import read_records
from custinfo.dedupe._rules import resolve
from custinfo.dedupe._run import Search, search
from custinfo.dedupe._text import has_pinyin, is_han
from custinfo.errors import InvalidFieldError

__all__ = ["find_duplicates", "search_columns", "workers"]

Ints = np.ndarray[Any, np.dtype[np.int64]]
_BIT = float(np.log(2))
# Pairs below this weight in bits are clearly two persons' and are not kept in the result.
_KEPT = -10.0
_STEPS = 10
_ENOUGH = 10
# The model has numbers for each pair of fields; nobody knows so much of a customer.
_MOST_COLUMNS = 200


def find_duplicates(
    records: object,
    *,
    fields: Mapping[str, str] | None = None,
    threshold: float | None = None,
    link: str | None = None,
    rules: Sequence[str | Sequence[str]] | None = None,
    seed: int = 0,
    progress: Progress = False,
    ids: Sequence[object] | None = None,
) -> Duplicates:
    """Find the records that are one person's (or one firm's).

    The same records give the same partition whatever their order, the number of threads and PYTHONHASHSEED.

    Args:
        records: columns, see `custinfo._columns.read_columns`: a mapping of name -> array, a pandas, polars, pyarrow or
            duckdb table, an iterable of mappings. Missing is ``None``, NaN or ``""``. Or an iterable of
            `custinfo.model.Customer`, whose parts become columns; their ids are kept as ``ids``.
        fields: column -> kind; other columns are not looked at. Kinds: given_name, family_name, middle_name, full_name,
            organization, email, phone, birth_date, birth_year, birth_month, birth_day, sex, street, house_number, unit,
            address, locality, region, postal_code, country, national_id, verified_id (a national_id that was checked),
            account, amount, date, category, text, token (opaque, equal or not), token:phone and so on (opaque tokens of
            values of that kind), ignore.
            Left out, kinds are inferred from usual column names and from content.
        threshold: match weight in bits from which records are joined in `Duplicates.labels`, instead of the weight of
            the highest expected F1.
        link: a column that names the source of each record, of which there are two; records of one source are never
            joined, and each meets at most one of the other.
        rules: what never meets in one cluster, whatever else agrees: each a field or column of which two different
            values never meet, such as ``"birth_date"``, or several that must all differ, ``("sex", "birth_date")``, or
            ``"verified national_id"``. That one is the default: of numbers whose check digit fits (Chinese resident
            ids, unified social credit codes, Hong Kong identity cards, LEIs, where a column holds them) and of a column
            of kind verified_id, two different ones never meet. Others replace it, ``[]`` is none.
        seed: seed of the samples that the model is estimated from.
        progress: ``True`` shows a bar where tqdm is installed; a function is called with (done, total).
        ids: an id of each record, carried to the result and never used as evidence.

    Returns:
        Clusters, pairs with weights, explanations, diagnostics.

    Raises:
        InvalidFieldError: ``dedupe.kind``, ``dedupe.column``, ``dedupe.link``, ``dedupe.rules``, ``dedupe.ids``
            (another number of ids than records), ``dedupe.columns`` (more than 200 columns of evidence), ``columns.*``
            (records that are no columns).

    Source: Fellegi and Sunter, A Theory for Record Linkage, JASA 64 (1969).

    >>> people = {"given_name": ["Ann", "Ann", "Bob"], "family_name": ["Lee", "Lee", "Ray"],
    ...           "email": ["ann@example.com", "ann@example.com", "ray@example.com"]}
    >>> find_duplicates(people).labels.tolist()
    [0, 0, 2]
    """
    columns, kinds = read_records(records)
    return search_columns(
        columns,
        fields=kinds if fields is None else fields,
        threshold=threshold,
        link=link,
        rules=rules,
        seed=seed,
        progress=progress,
        ids=columns["id"].tolist() if ids is None and kinds is not None else ids,
    )


def search_columns(
    columns: Mapping[str, np.ndarray[Any, Any]],
    *,
    fields: Mapping[str, str] | None,
    threshold: float | None,
    link: str | None,
    rules: Sequence[str | Sequence[str]] | None,
    seed: int,
    progress: Progress,
    ids: Sequence[object] | None,
    one_to_one: bool = True,
) -> Duplicates:
    """`find_duplicates` of columns; without *one_to_one* several records of the first source may meet one."""
    rows = min((len(column) for column in columns.values()), default=0)
    kept_ids = _ids(ids, rows)
    if link is not None and link not in columns:
        raise InvalidFieldError(
            f"there is no column {link!r} to link by; the records have {', '.join(map(str, columns))}",
            code="dedupe.link",
        )
    looked_at = {name: column for name, column in columns.items() if name != link}
    kinds = infer_kinds(looked_at) if fields is None else check_kinds(fields, list(columns))
    used = sum(kind != "ignore" for kind in kinds.values())
    if used > _MOST_COLUMNS:
        raise InvalidFieldError(
            f"{used:,} columns look like evidence; at most {_MOST_COLUMNS} can be compared: name them with fields=",
            code="dedupe.columns",
        )
    evidence_fields = build_fields(looked_at, kinds)
    if not evidence_fields or rows < 2:
        return nothing(
            rows, kinds, kept_ids, "there is nothing to compare: fewer than two records, or no value of any known kind"
        )
    with reporting(progress, total=_STEPS, label="duplicates") as step:
        source = None if link is None else _sources(columns[link])
        distinct_fields, first, distinct = canonical(evidence_fields, source, workers=workers())
        if len(first) < 2 and rows == len(first):
            return nothing(rows, kinds, kept_ids, "fewer than two records hold a value that can be compared")
        step(1)
        found = search(
            distinct_fields,
            seed=seed,
            workers=workers(),
            threshold=None if threshold is None else threshold * _BIT,
            source=None if source is None else source[first],
            one_to_one=one_to_one,
            rules=resolve(evidence_fields, kinds, rules),
            copies=np.bincount(distinct[distinct >= 0], minlength=len(first)),
            step=step,
        )
        result = _result(found, first, distinct, kinds, kept_ids)
        step(_STEPS)
    return result


def _ids(ids: Sequence[object] | None, rows: int) -> tuple[Any, ...] | None:
    if ids is None:
        return None
    given = tuple(ids)
    if len(given) != rows:
        raise InvalidFieldError(f"there are {len(given)} ids for {rows} records; give one for each", code="dedupe.ids")
    return given


def workers() -> int:
    """CPUs that the process may use, or what CUSTINFO_THREADS says."""
    said = os.environ.get("CUSTINFO_THREADS", "")
    if said.isdigit() and int(said) > 0:
        return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _sources(column: np.ndarray[Any, Any]) -> Ints:
    texts = [str(value) for value in column]
    names = sorted(set(texts))
    if len(names) > 2:
        raise InvalidFieldError(f"the column to link by names {len(names)} sources; expected two", code="dedupe.link")
    return np.array([names.index(text) for text in texts], np.int64)


def _result(
    found: Search, first: Ints, distinct: Ints, kinds: Mapping[str, str], ids: tuple[Any, ...] | None
) -> Duplicates:
    rows = len(distinct)
    own = np.arange(rows, dtype=np.int64)
    links = found.links
    copies = np.flatnonzero((distinct >= 0) & (first[distinct] != own)) if links is None else np.zeros(0, np.int64)
    of = distinct[copies]
    again, inverse = np.unique(of, return_inverse=True)
    levels = compare(found.fields, again, again)
    copy_odds = (
        found.model.log_odds(evidence(found.fields, levels, again, again, found.chances))[inverse]
        if len(copies)
        else np.zeros(0)
    )
    if links is None:
        labels = _to_rows(found.labels, first, distinct, copies, copy_odds > found.threshold)
        auto = _to_rows(found.auto, first, distinct, copies, copy_odds > found.auto_threshold)
        inside, inside_auto = (found.odds[part[found.left] == part[found.right]] for part in (found.labels, found.auto))
        every = found.odds
    else:
        labels, auto = link_rows(links, first, distinct)
        inside, inside_auto, every = links.odds, links.odds[links.auto], links.rivals
    kept = found.odds > _KEPT * _BIT
    a, b = first[found.left[kept]], first[found.right[kept]]
    left = np.concatenate([np.minimum(a, b), np.minimum(first[of], copies)])
    right = np.concatenate([np.maximum(a, b), np.maximum(first[of], copies)])
    weight = np.concatenate([found.odds[kept], copy_odds]) / _BIT
    order = np.lexsort((right, left))
    names = found.model.names
    expected = estimate(inside, every)
    warnings = _warnings(found, rows, expected.pairs)
    return Duplicates(
        labels=labels,
        auto=auto,
        ids=ids,
        pairs=Pairs(left=left[order], right=right[order], weight=weight[order]),
        search=found,
        distinct=distinct,
        diagnostics=Diagnostics(
            kinds=dict(kinds),
            rows=rows,
            distinct_rows=len(first),
            candidates=dict(found.blocks.counts),
            dropped=dict(found.blocks.dropped),
            prior=found.model.prior / _BIT,
            m=levels_by_name(names, found.model.m),
            u=levels_by_name(names, found.chances.table),
            threshold=found.threshold / _BIT,
            auto_threshold=found.auto_threshold / _BIT,
            labels=expected,
            auto=estimate(inside_auto, every),
            rules=tuple(rule.text() for rule in found.conflicts.rules),
            trustworthy=expected.pairs >= _ENOUGH and len(found.fields) > 1,
            warnings=warnings,
        ),
    )


def _to_rows(labels: Ints, first: Ints, distinct: Ints, copies: Ints, joined: np.ndarray[Any, Any]) -> Ints:
    """Labels of distinct rows as labels of all rows, each the smallest row of its cluster.

    What joins one copy to other records joins all; copies of what else is alone are joined if that says enough.
    """
    smallest = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(smallest, labels, first)
    result = np.arange(len(distinct), dtype=np.int64)
    result[first] = smallest[labels]
    several = np.bincount(labels, minlength=len(first))[labels] > 1
    joined = joined | several[distinct[copies]]
    result[copies[joined]] = smallest[labels[distinct[copies[joined]]]]
    return result


def _warnings(found: Search, rows: int, pairs: int) -> tuple[str, ...]:
    told = []
    if found.links is not None and not found.links.exact:
        told.append("too many records are each other's rivals: other links may weigh more in all")
    if pairs < _ENOUGH:
        told.append(f"only {pairs} pairs of records look like one person's: too few to estimate from; look at each")
    if len(found.fields) < 2:
        told.append("there is only one field of evidence: equal values cannot be told from equal persons")
    if found.blocks.dropped:
        told.append(
            f"{sum(found.blocks.dropped.values())} records share all they hold with too many others to be "
            "compared with each of them; see diagnostics.dropped"
        )
    if not has_pinyin() and any(field.kind == "name" and any(map(is_han, field.texts)) for field in found.fields):
        told.append(
            "names in Chinese characters are compared as they are; pip install 'custinfo[zh]' compares pinyin too"
        )
    return tuple(told)
