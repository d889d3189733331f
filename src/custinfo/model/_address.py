"""Postal addresses."""

import re
from datetime import datetime

import attrs

from custinfo.model._check import flag, many, optional_text, optional_utc
from custinfo.model._field import Index, personal, plain
from custinfo.model._range import DateRange
from custinfo.model._rules import fault, language_tag, one_of

COUNTRY = Index(name="country", text=lambda address: address.region_code, normalize=lambda text: text.strip().upper())
_HYBRID_LINES = 2
_HYBRID_CHARACTERS = 70
_is_country = re.compile("[A-Z]{2}").fullmatch


def _part(english: str, chinese: str) -> str | None:
    made: str | None = personal("contact", english, chinese, mask="hide", default=None, validator=optional_text)
    return made


@attrs.frozen(kw_only=True)
class Address:
    """A postal address.

    `region_code`, `postal_code`, `sorting_code`, `administrative_area`, `locality`, `sublocality`, `address_lines`,
    `recipients`, `organization` and `language_code` as in google.type.PostalAddress. The structured parts are those of
    ISO 20022 (PostalAddress27): `department` (Dept), `sub_department` (SubDept), `street_name` (StrtNm),
    `building_number` (BldgNb), `building_name` (BldgNm), `floor` (Flr), `post_box` (PstBx), `unit` (Room), `care_of`
    (CareOf), `postal_code` (PstCd), `locality` (TwnNm), `town_location` (TwnLctnNm), `sublocality` (DstrctNm),
    `administrative_area` (CtrySubDvsn), `region_code` (Ctry), `address_lines` (AdrLine).

    Args:
        region_code: country, ISO 3166-1 alpha-2.
        language_code: of the address, BCP 47.
        label: home, billing, shipping.
        verified_at: when it was verified.
        valid: days on which it is good.
        preferred: whether it is preferred to others.

    Raises:
        InvalidFieldError: "address.empty" where no part is given; "language.format", "text.*", "field.type",
            "time.*", "bool.type".

    >>> office = Address(street_name="Example Road", building_number="100", locality="上海", region_code="CN")
    >>> office.is_structured, Address(address_lines="100 Example Road", region_code="CN").is_structured
    (True, False)
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
    building_name: str | None = _part("name of the building", "楼宇名称")
    floor: str | None = _part("floor", "楼层")
    unit: str | None = _part("flat, room or unit", "室")
    post_box: str | None = _part("post box", "邮政信箱")
    care_of: str | None = _part("care of", "转交")
    department: str | None = _part("department", "部门")
    sub_department: str | None = _part("part of the department", "科室")
    town_location: str | None = _part("part of the town", "镇区位置")
    sublocality: str | None = _part("district of the city", "区")
    locality: str | None = _part("city or town", "城市")
    administrative_area: str | None = _part("province or state", "省")
    postal_code: str | None = _part("postal code", "邮政编码")
    sorting_code: str | None = _part("sorting code", "分拣码")
    region_code: str | None = plain(
        "country, ISO 3166-1 alpha-2", "国家代码", index=COUNTRY, default=None, validator=optional_text
    )
    recipients: tuple[str, ...] = personal(
        "identity", "who receives mail there", "收件人", mask="name", default=(), converter=many(str)
    )
    organization: str | None = personal(
        "identity", "organisation there", "单位名称", mask="first", default=None, validator=optional_text
    )
    language_code: str | None = plain("language, BCP 47", "语言", default=None, validator=language_tag)
    label: str | None = plain("home, billing, shipping", "标签", default=None, validator=optional_text)
    verified_at: datetime | None = plain("when it was verified", "核实时间", default=None, converter=optional_utc)
    valid: DateRange | None = plain("days on which it is good", "有效期", default=None, validator=one_of(DateRange))
    preferred: bool = plain("preferred to others", "是否首选", default=False, validator=flag)

    def __attrs_post_init__(self) -> None:
        # Those that most addresses have come first.
        if not (
            self.region_code
            or self.address_lines
            or self.locality
            or self.street_name
            or any(getattr(self, name) for name in _OTHER_PARTS)
        ):
            raise fault("address.empty", "address_lines", "an address needs at least one part")

    @property
    def is_structured(self) -> bool:
        """Whether it can be sent as a structured address: town and country in their own parts, and no lines.

        Source: SWIFT CBPR+ usage guidelines, Standards Release 2025 (in force from 2025-11-22).
        """
        return self._has_town_and_country() and not self.address_lines

    @property
    def is_hybrid(self) -> bool:
        """Whether it can be sent as a hybrid address: town and country in their own parts, the rest in lines.

        One or two lines of at most 70 characters each. They may not repeat a part that is there by itself; that is for
        the sender to see to. An address that is neither structured nor hybrid is refused from 2026-11-14 on.

        Source: SWIFT CBPR+ usage guidelines, Standards Release 2025 (in force from 2025-11-22).

        >>> Address(address_lines="100 Example Road", locality="上海", region_code="CN").is_hybrid
        True
        """
        return (
            self._has_town_and_country()
            and 1 <= len(self.address_lines) <= _HYBRID_LINES
            and all(len(line) <= _HYBRID_CHARACTERS for line in self.address_lines)
        )

    def _has_town_and_country(self) -> bool:
        return bool(self.locality and self.locality.strip() and _is_country(self.region_code or ""))


_NO_PARTS = {"label", "language_code", "verified_at", "valid", "preferred"}
_OTHER_PARTS = tuple(field.name for field in attrs.fields(Address) if field.name not in _NO_PARTS)
