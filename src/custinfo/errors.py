"""The one error tree of custinfo.

    CustInfoError                       every error that custinfo raises on purpose
    ├── InvalidFieldError               (ValueError) one value breaks a rule
    ├── InvalidRecordError              (ExceptionGroup) all broken values of one record
    ├── RecordNotFoundError             (KeyError) no record under this id
    ├── ConflictError                   the stored version is not the one expected
    ├── DuplicateKeyError               another record holds a unique key
    ├── AccessDeniedError               (PermissionError) the policy does not grant it
    ├── DecryptionError                 a token cannot be decrypted, for whatever reason
    │   └── KeyDestroyedError           its key was shredded
    ├── KeyUnavailableError             the key provider or key store does not answer
    ├── MergeError                      this merge or unmerge would lose or mix up data
    ├── AmountOverflowError             (OverflowError) a sum of money does not fit in 64 bits
    ├── MissingExtraError               (ImportError) an optional package is not installed
    ├── SchemaVersionError              written by a newer custinfo
    └── StoreError                      the storage cannot be used (closed, locked, full, corrupt)

Each has ``code``, a stable text for programs, and the keyword arguments it was raised with as ``details``.
No message, repr or traceback carries a personal value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = [
    "AccessDeniedError",
    "AmountOverflowError",
    "ConflictError",
    "CustInfoError",
    "DecryptionError",
    "DuplicateKeyError",
    "InvalidFieldError",
    "InvalidRecordError",
    "KeyDestroyedError",
    "KeyUnavailableError",
    "MergeError",
    "MissingExtraError",
    "RecordNotFoundError",
    "SchemaVersionError",
    "StoreError",
    "missing_extra",
]


class CustInfoError(Exception):
    """Base of every error that custinfo raises on purpose.

    Args:
        message: what was wrong, what was expected, what to do next; never a personal value.
        code: stable text for programs, such as ``"money.fraction"``; each class has a default.
        details: further data without personal values.

    >>> CustInfoError("the lamp is out; change the bulb", code="lamp.out", row=3).details["row"]
    3
    """

    code = "custinfo"

    def __init__(self, message: str, *, code: str | None = None, **details: object) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.details: Mapping[str, object] = details

    @property
    def message(self) -> str:
        """What was wrong, what was expected, what to do next."""
        return str(self.args[0])

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.code, dict(self.details)))


def _rebuild(cls: type[CustInfoError], message: str, code: str, details: dict[str, object]) -> CustInfoError:
    return cls(message, code=code, **details)


class InvalidFieldError(CustInfoError, ValueError):
    """One value breaks a rule; ``path`` says which field where that is known.

    >>> InvalidFieldError("minor must be an int", code="money.minor", path="amount").path
    'amount'
    """

    code = "field"

    def __init__(self, message: str, *, code: str | None = None, path: str = "", **details: object) -> None:
        super().__init__(message, code=code, path=path, **details)
        self.path = path


class InvalidRecordError(CustInfoError, ExceptionGroup):
    """All broken values of one record, as a group of `InvalidFieldError`.

    >>> try:
    ...     raise InvalidRecordError("2 fields are wrong", [InvalidFieldError("a", path="x"), InvalidFieldError("b")])
    ... except* InvalidFieldError as group:
    ...     len(group.exceptions)
    2
    """

    code = "record"

    def __new__(cls, message: str, errors: Sequence[Exception], **_: object) -> InvalidRecordError:
        """Make the group; `ExceptionGroup` takes its members here."""
        return ExceptionGroup.__new__(cls, message, list(errors))

    def __init__(
        self, message: str, errors: Sequence[Exception], *, code: str | None = None, **details: object
    ) -> None:
        CustInfoError.__init__(self, message, code=code, **details)

    def derive(self, excs: Sequence[Exception]) -> InvalidRecordError:  # type: ignore[override]
        """A group of the same message for `except*` and `split`."""
        return InvalidRecordError(self.message, excs, code=self.code, **self.details)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_group, (self.message, list(self.exceptions), self.code, dict(self.details)))


def _rebuild_group(message: str, errors: list[Exception], code: str, details: dict[str, object]) -> InvalidRecordError:
    return InvalidRecordError(message, errors, code=code, **details)


class RecordNotFoundError(CustInfoError, KeyError):
    """No record under this id."""

    code = "not_found"


class ConflictError(CustInfoError):
    """The stored version is not the one that the caller expected.

    Where a collection refused an object, its three states are attributes, for a merge by hand; they may hold personal
    values, so that no message, repr or pickle has them.

    Args:
        message: what was wrong, what was expected, what to do next.
        code: stable text for programs.
        base: the state that the change is based on; None where there is none, or it is not kept any more.
        stored: the state in the store; None where there is none.
        attempted: the state that was refused.
        details: further data without personal values.

    >>> ConflictError("read it again", stored="now", attempted="then").stored
    'now'
    """

    code = "conflict"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        base: object = None,
        stored: object = None,
        attempted: object = None,
        **details: object,
    ) -> None:
        super().__init__(message, code=code, **details)
        self.base = base
        self.stored = stored
        self.attempted = attempted


class DuplicateKeyError(CustInfoError):
    """Another record of the kind holds a unique key."""

    code = "duplicate_key"


class AccessDeniedError(CustInfoError, PermissionError):
    """The policy does not grant this access."""

    code = "access_denied"


class DecryptionError(CustInfoError):
    """A token cannot be decrypted; one error for every reason, so that it tells an attacker nothing."""

    code = "decryption"


class KeyDestroyedError(DecryptionError):
    """The key of this token was destroyed by a shredding."""

    code = "key_destroyed"


class KeyUnavailableError(CustInfoError):
    """The key provider or key store does not answer; nothing is wrong with the data."""

    code = "key_unavailable"


class MergeError(CustInfoError):
    """This merge or unmerge would lose or mix up data; nothing was changed."""

    code = "merge"


class AmountOverflowError(CustInfoError, OverflowError):
    """A sum of money does not fit in 64 bits of minor units; nothing was rounded or cut."""

    code = "amount.overflow"


class MissingExtraError(CustInfoError, ImportError):
    """An optional package is not installed; the message is the command that installs it."""

    code = "missing_extra"


class SchemaVersionError(CustInfoError):
    """Written by a newer custinfo; upgrade to read it."""

    code = "schema_version"


class StoreError(CustInfoError):
    """The storage cannot be used: closed, locked, read-only, full or corrupt."""

    code = "store"


def missing_extra(package: str, *, extra: str, cause: ModuleNotFoundError) -> MissingExtraError:
    """The error for a missing optional package; a broken install of it passes on unchanged.

    Args:
        package: the import name that was not found, such as ``"sqlalchemy"``.
        extra: the extra of custinfo that installs it.
        cause: the error of the failed import.

    Raises:
        ModuleNotFoundError: *cause* itself, where another module than *package* is missing.

    >>> str(missing_extra("sqlalchemy", extra="sql", cause=ModuleNotFoundError(name="sqlalchemy")))
    "'sqlalchemy' is not installed; run: pip install 'custinfo[sql]'"
    """
    if cause.name is not None and cause.name.split(".")[0] != package.split(".")[0]:
        raise cause
    message = f"{package!r} is not installed; run: pip install 'custinfo[{extra}]'"
    return MissingExtraError(message, package=package, extra=extra)
