"""Where the value of a field came from."""

import re
from datetime import datetime
from typing import Any

import attrs

from custinfo.model._check import Field, key_text, optional_key, optional_utc, utc
from custinfo.model._field import plain
from custinfo.model._rules import fault, in_order

# Fields of your own may have digits in their names: custom.tier2.
_PATH = re.compile(r"[a-z_]+(\[[0-9]{1,5}\])?(\.[a-z][a-z0-9_]*(\[[0-9]{1,5}\])?)*").fullmatch


def _path(_: object, field: "Field[Any]", value: object) -> None:
    key_text(_, field, value)
    if not _PATH(str(value)):
        raise fault("stamp.path", field.name, "path must be that of a field, such as birth_date or emails[0].value")


def _confidence(_: object, field: "Field[Any]", value: object) -> None:
    if value is not None and (type(value) not in {float, int} or not 0 <= value <= 1):  # type: ignore[operator]
        raise fault("stamp.confidence", field.name, "confidence must be a number from 0 to 1")


@attrs.frozen(kw_only=True)
class Stamp:
    """Where the value of one field came from, when, and how sure it is.

    Args:
        path: of the field, such as ``birth_date``, ``emails`` or ``emails[0].value``.
        source: name of the source, such as that of an import.
        at: when the source said so; aware, kept in UTC.
        actor: who entered it, an id of staff or of a program.
        confidence: 0 to 1, where the source tells it.
        verified_at: when somebody checked it with the customer or a register; not before *at*.

    Raises:
        InvalidFieldError: "stamp.path", "stamp.confidence", "stamp.verified"; "text.*", "time.*".

    >>> from datetime import UTC, datetime
    >>> Stamp(path="birth_date", source="pos", at=datetime(2026, 1, 31, tzinfo=UTC)).source
    'pos'
    """

    path: str = plain("field that it is about", "字段路径", validator=_path)
    source: str = plain("name of the source", "来源", validator=key_text)
    at: datetime = plain("when the source said so", "时间", converter=utc)
    actor: str | None = plain("who entered it", "操作人", pii="pseudonym", default=None, validator=optional_key)
    confidence: float | None = plain("how sure it is, 0 to 1", "置信度", default=None, validator=_confidence)
    verified_at: datetime | None = plain("when it was verified", "核实时间", default=None, converter=optional_utc)

    def __attrs_post_init__(self) -> None:
        in_order("stamp.verified", at=self.at, verified_at=self.verified_at)


def stamp_of(stamps: tuple[Stamp, ...], path: str) -> Stamp | None:
    """The stamp of a field: its own, else that of what it is part of.

    >>> from datetime import UTC, datetime
    >>> stamps = (Stamp(path="emails", source="pos", at=datetime(2026, 1, 31, tzinfo=UTC)),)
    >>> stamp_of(stamps, "emails[0].value").source, stamp_of(stamps, "phones")
    ('pos', None)
    """
    by_path = {stamp.path: stamp for stamp in stamps}
    while path and path not in by_path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return by_path.get(path)
