"""Value objects of a customer: names, contact points, addresses, identifiers, tags."""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import cast

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._field import Index, optional_text, personal, plain, required_text, utc


def _optional_utc(value: datetime | None) -> datetime | None:
    return None if value is None else utc(value)


def name_key(text: str) -> str:
    """Look-up form of a name: case, accents, width and the order of its words do not matter.

    >>> name_key("PRAR, Rósa") == name_key("rosa prar")
    True
    """
    plain_text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    words = "".join(c if c.isalnum() else " " for c in plain_text.casefold()).split()
    return " ".join(sorted(words))


def email_key(text: str) -> str:
    """Look-up form of an e-mail address: case does not matter.

    >>> email_key(" Rosa@Example.com")
    'rosa@example.com'
    """
    return unicodedata.normalize("NFC", text.strip()).casefold()


def phone_key(text: str) -> str:
    """Look-up form of a phone number: its digits, and the plus sign where it has one.

    >>> phone_key("+86 138-0013-8000")
    '+8613800138000'
    """
    digits = "".join(str(unicodedata.digit(c)) for c in text if c.isdigit())
    return "+" + digits if text.strip().startswith(("+", "＋")) else digits


def _name_text(name: "PersonName") -> str:
    return name.text


def identifier_key(*, scheme: str, value: str, issuer: str | None = None, country: str | None = None) -> str:
    """Look-up form of an identifier: its scheme, whoever issued it, and its value.

    >>> identifier_key(scheme="external", issuer="shop", value="C1")
    'external|shop|C1'
    """
    escaped = (part.replace("\\", "\\\\").replace("|", "\\|") for part in (scheme, issuer or country or "", value))
    return "|".join(escaped)


def _identifier_text(identifier: "Identifier") -> str:
    return identifier_key(
        scheme=identifier.scheme, value=identifier.value, issuer=identifier.issuer, country=identifier.country
    )


def _is_external(identifier: "Identifier") -> bool:
    return identifier.scheme == "external"


NAME = Index(name="name", text=_name_text, normalize=name_key)
EMAIL = Index(name="email", text=lambda email: email.value, normalize=email_key)
PHONE = Index(name="phone", text=lambda phone: phone.value, normalize=phone_key)
IDENTIFIER = Index(name="identifier", text=_identifier_text, unique=_is_external)
TAG = Index(name="tag", text=lambda tag: tag.name, blind=False)


class NameUse(StrEnum):
    """What a name is used for."""

    LEGAL = "legal"
    ALIAS = "alias"
    FORMER = "former"


@attrs.frozen(kw_only=True)
class PersonName:
    """A person's name; `full` alone is legal.

    Field names follow vCard 4 (RFC 6350, N) and schema.org (givenName, familyName).

    Raises:
        InvalidFieldError: "name.empty" where no part is given.

    >>> PersonName(given="Rosa", family="Prar").text, PersonName(given="伟", family="张", family_first=True).text
    ('Rosa Prar', '张伟')
    """

    given: str | None = personal("identity", "given name", "名", mask="name", default=None, validator=optional_text)
    family: str | None = personal("identity", "family name", "姓", mask="name", default=None, validator=optional_text)
    middle: str | None = personal("identity", "middle", "中间名", mask="name", default=None, validator=optional_text)
    full: str | None = personal(
        "identity", "whole name as written", "全名", mask="name", index=NAME, default=None, validator=optional_text
    )
    use: NameUse = plain("what the name is used for", "用途", default=NameUse.LEGAL, converter=NameUse)
    family_first: bool = plain("family name is written first", "姓在前", default=False)

    def __attrs_post_init__(self) -> None:
        if not (self.given or self.family or self.middle or self.full):
            raise InvalidFieldError("a name needs at least one part", code="name.empty", path="names")

    @property
    def text(self) -> str:
        """The name as one text, in the order in which it is written."""
        if self.full:
            return self.full
        parts = [part for part in (self.given, self.middle, self.family) if part]
        if self.family_first and self.family:
            parts = [self.family, *parts[:-1]]
        joined = "".join(parts)
        return joined if joined and all(_is_han(c) for c in joined) else " ".join(parts)


def _is_han(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK UNIFIED")


@attrs.frozen
class Email:
    """An e-mail address as a contact point.

    >>> Email("rosa@example.com")
    Email(label=None, verified_at=None)
    """

    value: str = personal("contact", "e-mail address", "电子邮箱", mask="email", index=EMAIL, validator=required_text)
    label: str | None = plain("home, work", "标签", default=None, validator=optional_text, kw_only=True)
    verified_at: datetime | None = plain(
        "when it was verified", "核实时间", default=None, converter=_optional_utc, kw_only=True
    )


@attrs.frozen
class Phone:
    """A phone number as a contact point, E.164 where it was validated.

    >>> Phone("+8613800138000", label="mobile").label
    'mobile'
    """

    value: str = personal("contact", "phone number", "电话号码", mask="phone", index=PHONE, validator=required_text)
    label: str | None = plain("mobile, home, work", "标签", default=None, validator=optional_text, kw_only=True)
    verified_at: datetime | None = plain(
        "when it was verified", "核实时间", default=None, converter=_optional_utc, kw_only=True
    )


def _part(english: str, chinese: str) -> str | None:
    made: str | None = personal("contact", english, chinese, mask="hide", default=None, validator=optional_text)
    return made


def _lines(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(cast("Iterable[str]", value))


@attrs.frozen(kw_only=True)
class Address:
    """A postal address.

    `region_code` to `address_lines` as in google.type.PostalAddress; `street_name`, `building_number` and `unit` are
    the structured parts of ISO 20022 (StrtNm, BldgNb, Room).

    Raises:
        InvalidFieldError: "address.empty" where no part is given.

    >>> Address(address_lines="100 Example Road", locality="上海", region_code="CN").address_lines
    ('100 Example Road',)
    """

    address_lines: tuple[str, ...] = personal(
        "contact",
        "lines of the address",
        "地址",
        mask="hide",
        default=(),
        converter=_lines,
        validator=attrs.validators.deep_iterable(optional_text),
    )
    street_name: str | None = _part("street", "街道")
    building_number: str | None = _part("house number", "门牌号")
    unit: str | None = _part("flat, room or unit", "室")
    sublocality: str | None = _part("district of the city", "区")
    locality: str | None = _part("city or town", "城市")
    administrative_area: str | None = _part("province or state", "省")
    postal_code: str | None = _part("postal code", "邮政编码")
    region_code: str | None = plain("country, ISO 3166-1 alpha-2", "国家代码", default=None, validator=optional_text)
    label: str | None = plain("home, billing, shipping", "标签", default=None, validator=optional_text)

    def __attrs_post_init__(self) -> None:
        parts = attrs.astuple(self, filter=lambda attribute, _: attribute.name != "label")
        if not any(parts):
            raise InvalidFieldError("an address needs at least one part", code="address.empty", path="addresses")


@attrs.frozen(kw_only=True)
class Identifier:
    """An identifier that somebody gave to the customer: resident id, company number, the id in another system.

    An external id is ``scheme="external"`` with the source's name as issuer; it is unique per (issuer, value).

    >>> Identifier(scheme="external", issuer="shop", value="C00001").scheme
    'external'
    """

    scheme: str = plain("kind of identifier, such as cn_resident_id", "证件类型", validator=required_text)
    value: str = personal(
        "identity", "the identifier", "证件号码", level="C3", mask="last4", index=IDENTIFIER, validator=required_text
    )
    issuer: str | None = plain("who issued it", "签发机构", default=None, validator=optional_text)
    country: str | None = plain("country, ISO 3166-1 alpha-2", "国家代码", default=None, validator=optional_text)
    verified_at: datetime | None = plain("when it was verified", "核实时间", default=None, converter=_optional_utc)


@attrs.frozen
class Tag:
    """A label for filters and lists; not for personal data.

    >>> Tag("vip").name
    'vip'
    """

    name: str = plain("the label", "标签", index=TAG, validator=required_text)
