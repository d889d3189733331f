"""Names of people."""

import unicodedata
from enum import StrEnum

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._check import choice, flag, optional_text
from custinfo.model._field import Index, personal, plain
from custinfo.model._keys import name_key
from custinfo.model._rules import language_tag, script_code


class NameUse(StrEnum):
    """What a name is used for."""

    LEGAL = "legal"
    ALIAS = "alias"
    FORMER = "former"


NAME = Index(name="name", text=lambda name: name.text, normalize=name_key)


@attrs.frozen(kw_only=True)
class PersonName:
    """A person's name in one script; `full` alone is legal. A name in several scripts is several names.

    Field names follow vCard 4 (RFC 6350, N) and schema.org (givenName, familyName).

    Args:
        prefix: before the name, such as "Dr"; not part of `text`.
        suffix: behind the name, such as "Jr"; not part of `text`.
        script: of the letters, ISO 15924, such as "Hans" or "Latn".
        language: BCP 47, such as "zh-Hans", or "zh-Latn-pinyin" for pinyin.

    Raises:
        InvalidFieldError: "name.empty" where no part is given; "script.format", "language.format", "text.*",
            "bool.type", "enum.unknown".

    >>> PersonName(given="Rosa", family="Prar").text, PersonName(given="伟", family="张", family_first=True).text
    ('Rosa Prar', '张伟')
    """

    given: str | None = personal("identity", "given name", "名", mask="name", default=None, validator=optional_text)
    family: str | None = personal("identity", "family name", "姓", mask="name", default=None, validator=optional_text)
    middle: str | None = personal("identity", "middle", "中间名", mask="name", default=None, validator=optional_text)
    full: str | None = personal(
        "identity", "whole name as written", "全名", mask="name", index=NAME, default=None, validator=optional_text
    )
    use: NameUse = plain("what the name is used for", "用途", default=NameUse.LEGAL, converter=choice(NameUse))
    family_first: bool = plain("family name is written first", "姓在前", default=False, validator=flag)
    prefix: str | None = personal("identity", "before the name", "称谓", default=None, validator=optional_text)
    suffix: str | None = personal("identity", "behind the name", "后缀", default=None, validator=optional_text)
    script: str | None = plain("script, ISO 15924", "文字", default=None, validator=script_code)
    language: str | None = plain("language, BCP 47", "语言", default=None, validator=language_tag)

    def __attrs_post_init__(self) -> None:
        if not (self.given or self.family or self.middle or self.full):
            raise InvalidFieldError(
                "a name needs at least one of given, family, middle, full", code="name.empty", path="full"
            )

    @property
    def text(self) -> str:
        """The name as one text, in the order in which it is written."""
        if self.full:
            return self.full
        parts = [part for part in (self.given, self.middle, self.family) if part]
        if self.family_first and self.family:
            parts = [self.family, *parts[:-1]]
        joined = "".join(parts)
        return joined if all(map(_is_han, joined)) else " ".join(parts)


def _is_han(character: str) -> bool:
    """Also 﨑 (compatibility), 々 and 〇; the planes 2 and 3 are theirs, whichever version of Unicode Python knows."""
    if 0x20000 <= ord(character) < 0x40000 or character in "々〇":
        return True
    return unicodedata.name(character, "").startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH"))
