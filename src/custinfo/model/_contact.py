"""Value objects of a customer: contact points, identifiers, tags."""

from datetime import datetime

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._check import KEY_LIMIT, flag, key_text, optional_key, optional_text, optional_utc
from custinfo.model._field import Index, personal, plain
from custinfo.model._keys import email_key, identifier_key, phone_key
from custinfo.model._range import DateRange
from custinfo.model._rules import one_of


def _identifier_text(identifier: "Identifier") -> str:
    return identifier_key(
        scheme=identifier.scheme, value=identifier.value, issuer=identifier.issuer, country=identifier.country
    )


def _is_external(identifier: "Identifier") -> bool:
    return identifier.scheme == "external"


EMAIL = Index(name="email", text=lambda email: email.value, normalize=email_key)
PHONE = Index(name="phone", text=lambda phone: phone.value, normalize=phone_key)
IDENTIFIER = Index(name="identifier", text=_identifier_text, normalize=str.strip, unique=_is_external)
TAG = Index(name="tag", text=lambda tag: tag.name, normalize=str.strip, blind=False)


@attrs.frozen
class Email:
    """An e-mail address as a contact point; it is checked by `custinfo.validate.email`, not here.

    Raises:
        InvalidFieldError: "text.*", "time.*", "field.type", "bool.type".

    >>> Email("rosa@example.com")
    Email(label=None, verified_at=None, valid=None, preferred=False)
    """

    value: str = personal("contact", "e-mail address", "电子邮箱", mask="email", index=EMAIL, validator=key_text)
    label: str | None = plain("home, work", "标签", default=None, validator=optional_text, kw_only=True)
    verified_at: datetime | None = plain(
        "when it was verified", "核实时间", default=None, converter=optional_utc, kw_only=True
    )
    valid: DateRange | None = plain(
        "days on which it is good", "有效期", default=None, validator=one_of(DateRange), kw_only=True
    )
    preferred: bool = plain("preferred to others", "是否首选", default=False, validator=flag, kw_only=True)


@attrs.frozen
class Phone:
    """A phone number as a contact point, E.164 where it was validated.

    Raises:
        InvalidFieldError: "text.*", "time.*", "field.type", "bool.type".

    >>> Phone("+8613800138000", label="mobile").label
    'mobile'
    """

    value: str = personal("contact", "phone number", "电话号码", mask="phone", index=PHONE, validator=key_text)
    label: str | None = plain("mobile, home, work", "标签", default=None, validator=optional_text, kw_only=True)
    verified_at: datetime | None = plain(
        "when it was verified", "核实时间", default=None, converter=optional_utc, kw_only=True
    )
    valid: DateRange | None = plain(
        "days on which it is good", "有效期", default=None, validator=one_of(DateRange), kw_only=True
    )
    preferred: bool = plain("preferred to others", "是否首选", default=False, validator=flag, kw_only=True)


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
                f"scheme, issuer and value together are longer than {KEY_LIMIT:,} bytes of UTF-8; shorten them",
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
