"""Value objects of a customer: contact points, addresses, identifiers, tags."""

from datetime import datetime

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._check import KEY_LIMIT, key_text, many, optional_key, optional_text, optional_utc
from custinfo.model._field import Index, personal, plain
from custinfo.model._keys import email_key, identifier_key, phone_key


def _identifier_text(identifier: "Identifier") -> str:
    return identifier_key(
        scheme=identifier.scheme, value=identifier.value, issuer=identifier.issuer, country=identifier.country
    )


def _is_external(identifier: "Identifier") -> bool:
    return identifier.scheme == "external"


EMAIL = Index(name="email", text=lambda email: email.value, normalize=email_key)
PHONE = Index(name="phone", text=lambda phone: phone.value, normalize=phone_key)
IDENTIFIER = Index(name="identifier", text=_identifier_text, normalize=str.strip, unique=_is_external)
COUNTRY = Index(name="country", text=lambda address: address.region_code, normalize=lambda text: text.strip().upper())
TAG = Index(name="tag", text=lambda tag: tag.name, normalize=str.strip, blind=False)


@attrs.frozen
class Email:
    """An e-mail address as a contact point; it is checked by `custinfo.validate.email`, not here.

    Raises:
        InvalidFieldError: "text.*", "time.*".

    >>> Email("rosa@example.com")
    Email(label=None, verified_at=None)
    """

    value: str = personal("contact", "e-mail address", "电子邮箱", mask="email", index=EMAIL, validator=key_text)
    label: str | None = plain("home, work", "标签", default=None, validator=optional_text, kw_only=True)
    verified_at: datetime | None = plain(
        "when it was verified", "核实时间", default=None, converter=optional_utc, kw_only=True
    )


@attrs.frozen
class Phone:
    """A phone number as a contact point, E.164 where it was validated.

    Raises:
        InvalidFieldError: "text.*", "time.*".

    >>> Phone("+8613800138000", label="mobile").label
    'mobile'
    """

    value: str = personal("contact", "phone number", "电话号码", mask="phone", index=PHONE, validator=key_text)
    label: str | None = plain("mobile, home, work", "标签", default=None, validator=optional_text, kw_only=True)
    verified_at: datetime | None = plain(
        "when it was verified", "核实时间", default=None, converter=optional_utc, kw_only=True
    )


def _part(english: str, chinese: str) -> str | None:
    made: str | None = personal("contact", english, chinese, mask="hide", default=None, validator=optional_text)
    return made


@attrs.frozen(kw_only=True)
class Address:
    """A postal address.

    `region_code` to `address_lines` as in google.type.PostalAddress; `street_name`, `building_number` and `unit` are
    the structured parts of ISO 20022 (StrtNm, BldgNb, Room).

    Raises:
        InvalidFieldError: "address.empty" where no part is given; "text.*", "field.type".

    >>> Address(address_lines="100 Example Road", locality="上海", region_code="CN").address_lines
    ('100 Example Road',)
    """

    address_lines: tuple[str, ...] = personal(
        "contact",
        "lines of the address",
        "地址",
        mask="hide",
        default=(),
        converter=many(str),
    )
    street_name: str | None = _part("street", "街道")
    building_number: str | None = _part("house number", "门牌号")
    unit: str | None = _part("flat, room or unit", "室")
    sublocality: str | None = _part("district of the city", "区")
    locality: str | None = _part("city or town", "城市")
    administrative_area: str | None = _part("province or state", "省")
    postal_code: str | None = _part("postal code", "邮政编码")
    region_code: str | None = plain(
        "country, ISO 3166-1 alpha-2", "国家代码", index=COUNTRY, default=None, validator=optional_text
    )
    label: str | None = plain("home, billing, shipping", "标签", default=None, validator=optional_text)

    def __attrs_post_init__(self) -> None:
        if not (
            self.address_lines
            or self.street_name
            or self.building_number
            or self.unit
            or self.sublocality
            or self.locality
            or self.administrative_area
            or self.postal_code
            or self.region_code
        ):
            raise InvalidFieldError("an address needs at least one part", code="address.empty", path="address_lines")


@attrs.frozen(kw_only=True)
class Identifier:
    """An identifier that somebody gave to the customer: resident id, company number, the id in another system.

    An external id is ``scheme="external"`` with the source's name as issuer; it is unique per (issuer, value).

    Raises:
        InvalidFieldError: "text.too_long" where its look-up form is longer than a store can hold; "text.*", "time.*".

    >>> Identifier(scheme="external", issuer="shop", value="C00001").scheme
    'external'
    """

    scheme: str = plain("kind of identifier, such as cn_resident_id", "证件类型", validator=key_text)
    value: str = personal("identity", "the identifier", "证件号码", mask="last4", index=IDENTIFIER, validator=key_text)
    issuer: str | None = plain("who issued it", "签发机构", default=None, validator=optional_key)
    country: str | None = plain("country, ISO 3166-1 alpha-2", "国家代码", default=None, validator=optional_key)
    verified_at: datetime | None = plain("when it was verified", "核实时间", default=None, converter=optional_utc)

    def __attrs_post_init__(self) -> None:
        characters = len(self.scheme) + len(self.issuer or self.country or "") + len(self.value)
        if 4 * characters + 2 > KEY_LIMIT and len(_identifier_text(self).encode()) > KEY_LIMIT:
            raise InvalidFieldError(
                f"scheme, issuer and value together are longer than {KEY_LIMIT:,} bytes of UTF-8",
                code="text.too_long",
                path="value",
            )


@attrs.frozen
class Tag:
    """A label for filters and lists; not for personal data.

    Raises:
        InvalidFieldError: "text.*".

    >>> Tag("vip").name
    'vip'
    """

    name: str = plain("the label", "标签", index=TAG, validator=key_text)
