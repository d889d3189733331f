"""Storing records in PostgreSQL: one statement for each, in a pipeline, or COPY for new ones."""

from __future__ import annotations

from custinfo.errors import ConflictError, DuplicateKeyError
from custinfo.store import _checks, _postgres_sql
from custinfo.store._typed_columns import TYPED_KINDS, typed_columns, typed_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from custinfo.store._postgres import PostgresLink
    from custinfo.store._protocol import Key, Record

    Item = tuple[Record, Sequence[Key], int]
    Refusal = ConflictError | DuplicateKeyError
    Row = Sequence[object]

_COLUMNS = {kind: [column.name for column in typed_columns(kind)] for kind in TYPED_KINDS}
_TYPES = {
    kind: {column.name: "int8" if column.is_number else "text" for column in typed_columns(kind)}
    for kind in TYPED_KINDS
}


def _upsert(kind: str) -> str:
    names = _COLUMNS[kind]
    values = ", ".join("%s::bigint" if column.is_number else "%s::text" for column in typed_columns(kind))
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    head = f"INSERT INTO ci_{kind}({', '.join(names)}) VALUES({values})"
    return f"{head} ON CONFLICT (id) DO UPDATE SET {changes} RETURNING 1"


_UPSERT = {kind: _upsert(kind) for kind in TYPED_KINDS}
_DROP = {kind: f"DELETE FROM ci_{kind} WHERE id = %s RETURNING 1" for kind in TYPED_KINDS}  # noqa: S608 - as above


def store_each(link: PostgresLink, items: Sequence[Item]) -> Refusal | None:
    """Store records one after the other, all new or all updates, in one round trip.

    Returns:
        The error for the first record that was refused for what the transaction sees, which goes on; later ones may be
        stored.

    Raises:
        ConflictError, DuplicateKeyError: what was committed meanwhile is in the way; the transaction has failed.
    """
    put = _postgres_sql.PUT_NEXT if items[0][2] else _postgres_sql.PUT_NEW
    try:
        answers = link.row_of_each(put, [_values(item) for item in items])
    except (ConflictError, DuplicateKeyError) as exc:
        refusal = exc
    else:
        for (record, _, expected), (done, name, holder) in zip(items, answers, strict=True):
            if name is not None:
                return _checks.duplicate_key(record.kind, record.id, name, holder)
            if not done:
                return conflict(link, record, expected)
        _keep_columns(link, [record for record, _, _ in items])
        return None
    raise _of_race(link, items, refusal)


def copy_new(link: PostgresLink, items: Sequence[Item]) -> None:
    """Store records that must all be new, by COPY; each gets the version after the one given with it.

    Raises:
        ConflictError, DuplicateKeyError: one of them was refused; the transaction has failed.
    """
    records = [(record.kind, record.id, version + 1, record.data) for record, _, version in items]
    try:
        link.copy("ci_record", _postgres_sql.RECORD_COLUMNS, records)
        link.copy("ci_key", _postgres_sql.KEY_COLUMNS, _key_rows(items))
    except (ConflictError, DuplicateKeyError) as exc:
        refusal = exc
    else:
        _copy_columns(link, [record for record, _, _ in items])
        return
    raise _of_race(link, [(record, keys, 0) for record, keys, _ in items], refusal)


def drop_columns(link: PostgresLink, kind: str, id: str) -> None:
    """Forget the typed columns of a record that was deleted."""
    if kind in TYPED_KINDS:
        link.rows(_DROP[kind], (id,))
        link.rows(_postgres_sql.DELETE_GAP, (kind, id))


def conflict(link: PostgresLink, record: Record, expected: int) -> ConflictError:
    """The error for a stored version other than the expected one."""
    [(found,)] = link.rows(_postgres_sql.VERSION, (record.kind, record.id))
    return _checks.conflict(record.kind, record.id, expected, found)


def _values(item: Item) -> dict[str, object]:
    record, keys, expected = item
    distinct = _checks.distinct_keys(keys)
    values = {"kind": record.kind, "id": record.id, "data": record.data, "version": expected}
    names = {"names": [name for name, _ in distinct], "values": [value for _, value in distinct]}
    return {**values, **names, "uniqs": [int(unique) for unique in distinct.values()]}


def _key_rows(items: Sequence[Item]) -> Iterable[tuple[str, str, str, str, int]]:
    for (kind, id, _, _), keys, _ in items:
        for (name, value), unique in _checks.distinct_keys(keys).items():
            yield kind, name, value, id, int(unique)


def _keep_columns(link: PostgresLink, records: Sequence[Record]) -> None:
    kept, gaps = _columns_of(records)
    for kind, rows in kept.items():
        link.row_of_each(_UPSERT[kind], rows)
        link.row_of_each(_postgres_sql.DELETE_GAP, [(kind, row[0]) for row in rows])
    for kind, id in gaps:
        link.rows(_DROP[kind], (id,))
        link.rows(_postgres_sql.INSERT_GAP, (kind, id))


def _copy_columns(link: PostgresLink, records: Sequence[Record]) -> None:
    kept, gaps = _columns_of(records)
    for kind, rows in kept.items():
        link.copy(f"ci_{kind}", _TYPES[kind], rows)
    if gaps:
        link.copy("ci_column_gap", _postgres_sql.GAP_COLUMNS, gaps)


def _columns_of(records: Sequence[Record]) -> tuple[dict[str, list[Row]], list[tuple[str, str]]]:
    """Rows of typed columns by kind, and the records that have none; of a record given twice the last."""
    last = {(record.kind, record.id): record for record in records if record.kind in TYPED_KINDS}
    kept: dict[str, list[Row]] = {}
    gaps: list[tuple[str, str]] = []
    for place, record in last.items():
        row = typed_row(record)
        if row is None:
            gaps.append(place)
        else:
            kept.setdefault(record.kind, []).append(row)
    return kept, gaps


def _of_race(link: PostgresLink, items: Sequence[Item], refusal: Refusal) -> Refusal:
    """The error that names the record, for one that the server gave without: another unit, or this one, came first."""
    link.begin_again()
    if isinstance(refusal, DuplicateKeyError):
        return _duplicate(link, items) or refusal
    versions = link.row_of_each(_postgres_sql.VERSION, [(record.kind, record.id) for record, _, _ in items])
    seen: set[tuple[str, str]] = set()
    for (record, _, expected), (found,) in zip(items, versions, strict=True):
        twice = expected == 0 and (record.kind, record.id) in seen
        if found != expected or twice:
            return _checks.conflict(record.kind, record.id, expected, found or int(twice))
        seen.add((record.kind, record.id))
    return refusal


def _duplicate(link: PostgresLink, items: Sequence[Item]) -> DuplicateKeyError | None:
    places = [(r.kind, key.name, key.value, r.id) for r, keys, _ in items for key in keys if key.unique]
    taken: dict[tuple[str, str, str], str] = {}
    for (kind, name, value, id), (holder,) in zip(
        places, link.row_of_each(_postgres_sql.HOLDER, [place[:3] for place in places]), strict=True
    ):
        held_by = holder or taken.setdefault((kind, name, value), id)
        if held_by != id:
            return _checks.duplicate_key(kind, id, name, held_by)
    return None
