"""What may be stored: the limits that every backend keeps, so that data can move between them."""

from __future__ import annotations

from custinfo.errors import ConflictError, DuplicateKeyError, InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from custinfo.store._protocol import Key, Record

# Kind, key name, key value and id together stay below the index limits of PostgreSQL (2,704 bytes) and
# InnoDB (3,072 bytes), so that no backend must truncate one.
MAX_ID_BYTES = 1024
MAX_NAME_BYTES = 64
MAX_TYPE_BYTES = 255
MAX_VERSION = 2**63 - 2

# Kinds and names of keys are few, and come with each record and key: those that were found right are known again.
_KINDS: set[str] = set()
_MOST_KINDS = 1024


def check_id(value: str, what: str = "id") -> None:
    """Refuse an id (or subject) that some backend could not keep unchanged.

    Raises:
        InvalidFieldError: "store.id".
    """
    if type(value) is str and value.isascii() and 1 <= len(value) <= MAX_ID_BYTES and "\0" not in value:
        return
    _check_text(value, what, "store.id", smallest=1, largest=MAX_ID_BYTES)


def check_kind(value: str, what: str = "kind") -> None:
    """Refuse a kind or key name that some backend could not keep.

    Raises:
        InvalidFieldError: "store.kind".
    """
    if type(value) is str and value in _KINDS:
        return
    _check_text(value, what, "store.kind", smallest=1, largest=MAX_NAME_BYTES)
    if len(_KINDS) < _MOST_KINDS:
        _KINDS.add(value)


def check_key(name: str, value: str) -> None:
    """Refuse a key that some backend could not keep.

    Raises:
        InvalidFieldError: "store.kind" for the name, "store.key" for the value.
    """
    check_kind(name, "key name")
    if type(value) is str and value.isascii() and len(value) <= MAX_ID_BYTES and "\0" not in value:
        return
    _check_text(value, "key value", "store.key", smallest=0, largest=MAX_ID_BYTES)


def check_record(record: Record, keys: Sequence[Key], expected_version: int) -> None:
    """Refuse what `Unit.put` cannot keep unchanged.

    Raises:
        InvalidFieldError: "store.kind", "store.id", "store.key", "store.data" or "store.version".
    """
    check_kind(record.kind)
    check_id(record.id)
    check_data(record.data)
    for name, value, _ in keys:
        check_key(name, value)
    check_version(expected_version)


def check_data(data: object) -> None:
    """Refuse data that are not bytes.

    Raises:
        InvalidFieldError: "store.data".
    """
    if not isinstance(data, bytes):
        raise InvalidFieldError(f"data must be bytes, not {type(data).__name__}", code="store.data", path="data")


def check_version(expected_version: object) -> None:
    """Refuse a version that cannot be one.

    Raises:
        InvalidFieldError: "store.version".
    """
    if not isinstance(expected_version, int) or not 0 <= expected_version <= MAX_VERSION:
        message = "expected_version must be an int >= 0, where 0 means: there must be no such record"
        raise InvalidFieldError(message, code="store.version", path="expected_version")


def check_loaded(record: Record, keys: Sequence[Key]) -> None:
    """Refuse what `SupportsRestore.load` cannot keep unchanged.

    Raises:
        InvalidFieldError: as `check_record`; "store.version" for a version that no stored record has.
    """
    check_record(record, keys, 0)
    if type(record.version) is not int or not 1 <= record.version <= MAX_VERSION:
        raise InvalidFieldError("a loaded record needs the version it had, an int >= 1", code="store.version")


def check_event(type: str, subject: str, data: bytes) -> None:
    """Refuse an event that some backend could not keep.

    Raises:
        InvalidFieldError: "store.kind", "store.id" or "store.data".
    """
    _check_text(type, "event type", "store.kind", smallest=1, largest=MAX_TYPE_BYTES)
    _check_text(subject, "event subject", "store.id", smallest=0, largest=MAX_ID_BYTES)
    check_data(data)


def check_limit(limit: object) -> None:
    """Refuse a negative limit, which SQL would read as none.

    Raises:
        InvalidFieldError: "store.limit".
    """
    if not isinstance(limit, int) or not 0 <= limit <= MAX_VERSION:
        raise InvalidFieldError("limit must be an int >= 0", code="store.limit", path="limit")


def check_after(after: str) -> None:
    """Refuse a place to go on from that cannot be an id; ``""`` is the start.

    Raises:
        InvalidFieldError: "store.id".
    """
    _check_text(after, "after", "store.id", smallest=0, largest=MAX_ID_BYTES)


def distinct_keys(keys: Iterable[Key]) -> dict[tuple[str, str], bool]:
    """(name, value) -> unique, in the order given; a key given twice is unique if one of them is."""
    out: dict[tuple[str, str], bool] = {}
    for name, value, unique in keys:
        pair = (name, value)
        out[pair] = bool(unique) or out.get(pair, False)
    return out


def conflict(kind: str, id: str, expected: int, found: int) -> ConflictError:
    """The error for a stored version other than the expected one."""
    if found == 0:
        text = f"{kind} {id!r} is not there, version {expected} was expected; it was deleted or never stored"
    elif expected == 0:
        text = f"{kind} {id!r} is already there in version {found}; read it and pass its version to change it"
    else:
        text = f"{kind} {id!r} has version {found}, not {expected}; read it again and repeat the change"
    return ConflictError(text, kind=kind, id=id, expected=expected, found=found)


def conflict_of_delete(kind: str, id: str) -> ConflictError:
    """The error for deleting with an expected version of 0."""
    text = f"to delete {kind} {id!r}, pass the stored version as expected_version; 0 means that it is not there"
    return ConflictError(text, kind=kind, id=id, expected=0)


def duplicate_key(kind: str, id: str, name: str, holder: str) -> DuplicateKeyError:
    """The error for a unique key that another record holds; the value is not told."""
    text = f"{kind} {holder!r} already holds the unique key {name!r} of {kind} {id!r}; change or merge one of them"
    return DuplicateKeyError(text, kind=kind, id=id, name=name, holder=holder)


def _check_text(value: object, what: str, code: str, *, smallest: int, largest: int) -> None:
    if isinstance(value, str):
        if value.isascii():
            size = len(value)
        else:
            try:
                size = len(value.encode())
            except UnicodeEncodeError:
                message = f"{what} holds a lone surrogate, which is not text; decode the source as what it is"
                raise InvalidFieldError(message, code=code, path=what) from None
        if smallest <= size <= largest and "\0" not in value:
            return
        problem = "it holds a NUL character" if smallest <= size <= largest else f"it has {size:,} bytes"
    else:
        problem = f"it is of type {type(value).__name__}"
    message = f"{what} must be text of {smallest} to {largest:,} bytes of UTF-8 without NUL, but {problem}"
    raise InvalidFieldError(message, code=code, path=what)
