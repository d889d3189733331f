"""How objects get into a collection: versions, former states, events, and what a lost update is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import attrs

from custinfo.errors import ConflictError, InvalidFieldError
from custinfo.store._history import former_state, state_of
from custinfo.store._protocol import Key, Record, SupportsBulk, Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.store._collection import Collection

T = TypeVar("T")


def put_objects(
    collection: Collection[T],
    objects: Sequence[T],
    subjects: Sequence[str] | None,
    extra_keys: Sequence[Key],
    unit: Unit | None,
) -> list[T]:
    """See `Collection.put_many`."""
    _check(collection, objects)
    if unit is not None:
        return _put(collection, objects, subjects, extra_keys, unit)
    try:
        with collection.store.unit() as own:
            return _put(collection, objects, subjects, extra_keys, own)
    except ConflictError as exc:
        if exc.attempted is not None:
            raise
        told = _with_states(collection, objects)
        if told is None:
            raise
    raise told


def _put(
    collection: Collection[T],
    objects: Sequence[T],
    subjects: Sequence[str] | None,
    extra_keys: Sequence[Key],
    unit: Unit,
) -> list[T]:
    codec = collection.codec
    old = _current(collection, objects, unit)
    bound = {id: subject for id, record in old.items() if (subject := codec.subject(record)) is not None}
    own = [_id(obj) for obj in objects] if subjects is None else subjects
    owners = [bound.get(_id(obj), subject) for obj, subject in zip(objects, own, strict=True)]
    stamped = _stamped(collection, objects)
    sealed = codec.seal(stamped, owners, bound=bound)
    items: list[tuple[Record, Sequence[Key], int]] = [(state_of(record), (), 0) for record in old.values()]
    items += [(row.record, [*row.keys, *extra_keys], _version(obj)) for row, obj in zip(sealed, objects, strict=True)]
    if isinstance(unit, SupportsBulk):
        unit.put_many(items)
    else:
        for record, keys, expected in items:
            unit.put(record, keys, expected)
    created, updated = f"{codec.kind}.created", f"{codec.kind}.updated"
    for obj in objects:
        unit.emit(updated if _version(obj) else created, _id(obj), b"")
    return stamped


def _stamped(collection: Collection[T], objects: Sequence[T]) -> list[T]:
    """The objects with their new version and times."""
    now = collection.clock()
    cls = collection.codec.cls
    names = [field.name for field in attrs.fields(cls)]
    values_of, setters = attrgetter(*names), [getattr(cls, name).__set__ for name in names]
    stamped: list[T] = []
    for obj in objects:
        version, created = _version(obj) + 1, getattr(obj, "created_at", None) or now
        if not stamped:  # checks the clock, and brings its time to UTC
            made: Any = attrs.evolve(obj, version=version, created_at=created, updated_at=now)  # type: ignore[misc]
            now = made.updated_at
        else:
            # The fields of an object are checked already: copying them costs a third of making it anew.
            made = object.__new__(cls)
            for set_value, value in zip(setters, values_of(obj), strict=True):
                set_value(made, value)
            object.__setattr__(made, "version", version)
            object.__setattr__(made, "created_at", created)
            object.__setattr__(made, "updated_at", now)
        stamped.append(made)
    return stamped


def _check(collection: Collection[T], objects: Sequence[T]) -> None:
    cls = collection.codec.cls
    if not all(type(obj) is cls for obj in objects):
        raise InvalidFieldError(f"only objects of {cls.__name__} go in here", code="put.class")
    if len({_id(obj) for obj in objects}) < len(objects):
        raise InvalidFieldError("an id occurs twice in one call; put each object once", code="put.repeated")


def _current(collection: Collection[T], objects: Sequence[T], unit: Unit) -> Mapping[str, Record]:
    """The stored records that the objects replace, checked for their versions."""
    known = [_id(obj) for obj in objects if _version(obj)]
    stored = {record.id: record for record in unit.get(collection.kind, known)} if known else {}
    for obj in objects:
        record = stored.get(_id(obj))
        if _version(obj) != (0 if record is None else record.version):
            raise _conflict(collection, obj, record, unit)
    return stored


def _conflict(collection: Collection[T], obj: T, record: Record | None, unit: Unit) -> ConflictError:
    """The error for an object that is based on another version than the stored one, with its three states."""
    codec, id, expected = collection.codec, _id(obj), _version(obj)
    base = former_state(unit, codec.kind, id, expected) if expected else None
    found = 0 if record is None else record.version
    return ConflictError(
        f"the stored {codec.kind} has version {found}, not {expected}; get it again and repeat",
        base=None if base is None else codec.open(base),
        stored=None if record is None else codec.open(record),
        attempted=obj,
        id=id,
        expected=expected,
        found=found,
    )


def _with_states(collection: Collection[T], objects: Sequence[T]) -> ConflictError | None:
    """The error where a backend noticed only while it wrote, with the states as they are now."""
    with collection.store.unit(write=False) as unit:
        stored = {record.id: record for record in unit.get(collection.kind, [_id(obj) for obj in objects])}
        for obj in objects:
            record = stored.get(_id(obj))
            if _version(obj) != (0 if record is None else record.version):
                return _conflict(collection, obj, record, unit)
    return None


def _id(obj: Any) -> str:
    return str(obj.id)


def _version(obj: Any) -> int:
    return int(obj.version)
