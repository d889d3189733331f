"""What a column holds: its kind, from its name and, where the name says nothing, from its content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custinfo.dedupe._text import factorize, fold, is_han, plain, word_set, words
from custinfo.errors import InvalidFieldError

__all__ = ["KINDS", "TOKENS", "check_kinds", "infer_kinds"]

KINDS: tuple[str, ...] = (
    "given_name", "family_name", "middle_name", "full_name", "organization", "email", "phone",
    "birth_date", "birth_year", "birth_month", "birth_day", "sex",
    "street", "house_number", "unit", "address", "locality", "region", "postal_code", "country",
    "national_id", "verified_id", "account", "amount", "date", "category", "text", "token", "ignore",
)  # fmt: skip
# Tokens of values of these kinds: equal or not, and shared by a household or not as the values are.
TOKENS: tuple[str, ...] = tuple(
    f"token:{kind}"
    for kind in (
        "given_name", "family_name", "middle_name", "organization", "email", "phone", "birth_date", "sex",
        "street", "house_number", "unit", "locality", "region", "postal_code", "country", "national_id", "account",
    )
)  # fmt: skip

# Usual column names, squeezed to letters and digits; several spellings of the trade and of the usual CRM exports.
_NAMES = """
given_name: givenname firstname forename fname given first vorname prenom nombre 名 名字 forenames firstnames fnamec1
family_name: familyname surname lastname lname last sname nachname apellido apellidos nomdefamille 姓 姓氏 family
    secondname lnamec1
middle_name: middlename middle middlenames mname fnamec2 lnamec2 middleinitial
full_name: fullname personname customername contactname clientname holder accountholder cardholder 姓名 customer
    contact
organization: organization organisation company companyname firm business businessname orgname employer firma
    empresa merchant merchantname vendor supplier 公司 公司名称 企业名称 legalname tradename
email: email emailaddress mail emails mailaddress emailid 邮箱 电子邮件 电子邮箱
phone: phone phonenumber telephone tel mobile mobilephone cell cellphone phones telefon handy landline contactnumber
    mobilenumber telno phoneno homephone workphone fax 电话 手机 手机号 电话号码 telefono
birth_date: birthdate dateofbirth dob birthday bday geburtsdatum fechanacimiento datenaissance 生日 出生日期 dateborn
birth_year: birthyear yearofbirth yob by geburtsjahr bornyear
birth_month: birthmonth monthofbirth mob bm
birth_day: birthdayofmonth dayofbirth bd dayborn
sex: sex gender geschlecht sexe sexo 性别
street: street streetname road strasse straße rue calle streetaddress addressline1 address1 addressline addr1 route
    街道
house_number: housenumber streetnumber houseno streetno hausnummer number numero streetnum 门牌号
unit: unit apartment apt flat suite addressline2 address2 addr2 addressline3 address3 building
address: address fulladdress postaladdress addr adresse direccion anschrift 地址 住址 mailingaddress billingaddress
locality: locality city town suburb village place municipality ort stadt ville ciudad 城市 district county
region: region state province administrativearea bundesland provincia 省 省份 stateprovince territory
postal_code: postalcode postcode zip zipcode plz codepostal codigopostal 邮编 邮政编码 pincode
country: country countrycode nation land pays pais 国家 countryname nationality
national_id: nationalid ssn socsecid socialsecurity socialsecuritynumber idnumber idcard taxid vatid vat nin nino
    nif passport passportno passportnumber 身份证 身份证号 证件号 socialsecurityid personalid regno registrationnumber
    lei
    uscc taxnumber
account: account accountnumber accountno iban cardnumber customernumber bankaccount 账号 卡号
amount: amount price total balance income salary revenue turnover sum betrag 金额
date: date createdat created signup signupdate registered registeredat registrationdate updatedat joined 注册日期
category: category type segment status class language currency cuisine title salutation 类别
"""


def _by_name() -> dict[str, str]:
    found: dict[str, str] = {}
    kind = ""
    for word in _NAMES.split():
        if word.endswith(":"):
            kind = word[:-1]
        else:
            found[word] = kind
    return found


_BY_NAME = _by_name()

_ID_NAME = re.compile(
    r"^(rec|record|row|customer|client|user|person|external|source|entity|cluster|contact)?(id|key|uuid|guid|no|index)$"
)
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", re.IGNORECASE)
_PHONE = re.compile(r"^[+(]?[\d][\d\s().\-/]{5,}\d$")
_DATE = re.compile(
    r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|(19|20)\d{6}|\d{4}年\d{1,2}月\d{1,2}日?)"
)
_FIRM = word_set(
    """
    inc ltd llc gmbh ag corp co company plc sa srl bv kg limited restaurant cafe the and of bar grill hotel shop
    """
)
_SAMPLE = 2000


def check_kinds(fields: Mapping[str, str], available: Sequence[str]) -> dict[str, str]:
    """The caller's kinds, checked.

    Raises:
        InvalidFieldError: ``dedupe.kind`` (no such kind), ``dedupe.column`` (no such column).
    """
    for column, kind in fields.items():
        if kind not in KINDS and kind not in TOKENS:
            raise InvalidFieldError(
                f"column {column!r}: there is no kind {kind!r}; use one of {', '.join(KINDS)}, or token:kind, such as "
                "token:phone",
                code="dedupe.kind",
                path=str(column),
            )
        if column not in available:
            raise InvalidFieldError(
                f"there is no column {column!r}; the records have {', '.join(map(str, available))}",
                code="dedupe.column",
                path=str(column),
            )
    for column, kind in fields.items():
        if kind in TOKENS and kind.removeprefix("token:") in {_PARTS.get(other, other) for other in fields.values()}:
            raise InvalidFieldError(
                f"column {column!r}: tokens and values of one kind cannot be compared; leave out one of the two",
                code="dedupe.kind",
                path=str(column),
            )
    return dict(fields)


_PARTS = {
    "full_name": "family_name", "birth_year": "birth_date", "address": "street", "verified_id": "national_id",
}  # fmt: skip


def infer_kinds(columns: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, str]:
    """Kind of each column; ``ignore`` for record ids and for columns that say nothing about who somebody is."""
    kinds = {name: _kind(str(name), column) for name, column in columns.items()}
    have = set(kinds.values())
    for name, kind in kinds.items():
        # Where a street column stands beside "address" the latter is the second line; alone it is the whole address.
        if kind == "street" and not have & {"house_number", "address"} and _has_numbers(columns[name]):
            kinds[name] = "address"
    parts = {"birth_year", "birth_month", "birth_day"}
    if "birth_date" in have and parts & have:
        kinds = {name: "ignore" if kind in parts else kind for name, kind in kinds.items()}
    return kinds


def _kind(name: str, column: np.ndarray[Any, Any]) -> str:
    squeezed = re.sub(r"[\W_]+", "", fold(name))
    squeezed = (
        re.sub(r"^(customer|client|contact|person|billing|shipping|home|primary)(?=.{3,})", "", squeezed)
        if squeezed not in _BY_NAME
        else squeezed
    )
    texts = _sample(column)
    if not texts:
        return "ignore"
    kind = _BY_NAME.get(squeezed)
    if kind is None and squeezed == "name":
        return _name_kind(texts)
    if kind == "date":  # when a record was made says nothing about whom it is of
        return "ignore"
    if kind is not None:
        return _corrected(kind, texts)
    if _ID_NAME.match(squeezed):
        return "ignore"
    return _content_kind(texts)


def _sample(column: np.ndarray[Any, Any]) -> list[str]:
    """Up to 2,000 present values from all over the column."""
    step = max(1, len(column) // (4 * _SAMPLE))
    return [
        text
        for text in map(plain, column[::step].tolist() if column.dtype.kind not in "Mm" else column[::step])
        if text
    ][:_SAMPLE]


def _share(texts: Sequence[str], test: Any) -> float:
    return sum(1 for text in texts if test(text)) / len(texts)


def _corrected(kind: str, texts: list[str]) -> str:
    """A column name can mislead: an "email" column without one @ holds something else."""
    if kind == "email" and _share(texts, lambda t: "@" in t) < 0.3:
        return _content_kind(texts)
    if kind == "phone" and _share(texts, lambda t: sum(c.isdigit() for c in t) >= 6) < 0.3:
        return _content_kind(texts)
    if kind == "birth_date" and _share(texts, lambda t: sum(c.isdigit() for c in t) >= 4) < 0.3:
        return _content_kind(texts)
    return kind


def _name_kind(texts: list[str]) -> str:
    """A column called "name": persons have two or three words, and no numbers or words of firms."""

    def person(text: str) -> bool:
        parts = words(fold(text))
        if is_han(text):
            return len(text) <= 4
        return 2 <= len(parts) <= 4 and not any(c.isdigit() for c in text) and not _FIRM.intersection(parts)

    return "full_name" if _share(texts, person) >= 0.85 else "organization"


def _content_kind(texts: list[str]) -> str:
    codes, distinct = factorize(texts)
    unique = len(distinct) / len(codes)
    if _share(texts, _EMAIL.match) > 0.7:
        return "email"
    if _share(texts, _DATE.match) > 0.8:
        years = sorted(int(m.group()) for m in (re.search(r"(?:18|19|20)\d\d", t) for t in texts) if m)
        # Dates that spread over a life time are birth dates, those of the last years when something was recorded.
        return "birth_date" if years and years[len(years) // 4] < 1990 else "ignore"
    if _share(texts, _PHONE.match) > 0.8 and _share(texts, lambda t: 7 <= sum(c.isdigit() for c in t) <= 15) > 0.8:
        formatted = _share(texts, lambda t: not t.isdigit())
        return "phone" if formatted > 0.2 else "national_id" if unique < 1 else "ignore"
    if len(distinct) <= max(2, min(60, len(codes) // 5)):
        return "category"
    no_space = _share(texts, lambda t: " " not in t and any(c.isdigit() for c in t))
    if unique == 1 and no_space > 0.95:
        return "ignore"
    if no_space > 0.95:
        return "national_id"
    return "text"


def _has_numbers(column: np.ndarray[Any, Any]) -> bool:
    texts = _sample(column)
    return bool(texts) and _share(texts, lambda t: any(c.isdigit() for c in t)) > 0.5
