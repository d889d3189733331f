"""Normal form of one value by kind; ``None`` where the value is none of its kind."""

from __future__ import annotations

import re

from custinfo.dedupe._names import COMPOUND_FAMILY, TITLES
from custinfo.dedupe._text import fold, is_han, word_set, words

__all__ = [
    "address",
    "birth_date",
    "digits",
    "email",
    "folded_address",
    "full_name",
    "initial",
    "is_junk_user",
    "organization",
    "person",
    "phone",
    "place",
    "small_number",
    "split_full_name",
    "token",
]

_JUNK_USERS = word_set(
    """
    test tester noemail nomail none no na noreply no-reply unknown example xxx email mail abc asdf a aa aaa null
    """
)
_DATE_PARTS = re.compile(r"\d+")
_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
_MONTHS |= {
    "mai": 5,
    "okt": 10,
    "dez": 12,
    "mrz": 3,
    "ene": 1,
    "abr": 4,
    "ago": 8,
    "dic": 12,
    "fev": 2,
    "avr": 4,
    "aou": 8,
}

# Kinds of streets and their abbreviations (USPS Publication 28, appendix C1, 2024, and the usual European ones).
_STREETS = """
street: st str | road: rd | avenue: ave av | lane: ln | drive: dr drv | court: ct crt | place: pl | boulevard: blvd
bvd boul | crescent: cres cr crs | close: cl | circuit: cct cir circle | square: sq | terrace: tce ter terr |
parade: pde | highway: hwy | parkway: pkwy pky | way: wy | trail: trl | alley: aly | calle: c | north: n | south: s
| east: e | west: w | northeast: ne | northwest: nw | southeast: se | southwest: sw | saint: ste | fort: ft | mount:
mt | platz: pl. | strasse: str. | turnpike: tpke | expressway: expy | gardens: gdns | grove: gr grv | rue: r
"""
_STREET_WORDS = {
    short: full.strip()
    for full, _, shorts in (group.partition(":") for group in _STREETS.split("|"))
    for short in shorts.split()
}
_UNIT_WORDS = word_set(
    """
    apt apartment flat unit suite ste room rm floor fl no nr number wohnung piso appartement # bldg building
    """
)
_HAN_CITY = re.compile(r"^(.{2,8}?(?:省|自治区|特别行政区))?(.{1,6}?市)?(.{1,6}?[区县])?")
_HAN_ADDRESS = re.compile(r"^(?P<street>[^\d]{2,20}?)(?P<house>\d+)(?:号|號|弄|-)?(?P<rest>.*)$")
_LEGAL = word_set(
    """
    inc incorporated ltd limited llc llp lp plc gmbh ag kg ohg ug mbh corp corporation co company sa sas sarl
    srl spa bv nv oy ab as aps pty pte sdn bhd kk se ev sl the and of de la le & y und et
    """
)
_LEGAL_HAN = re.compile(r"(股份有限公司|有限责任公司|集团有限公司|有限公司|集团|公司|(?:（|\().*?(?:）|\)))")


def person(text: str) -> str | None:
    """Words of a name in lower case without titles.

    >>> person("Dr. O'Brien-Smith ")
    'obrien smith'
    """
    folded = fold(text)
    if is_han(folded):
        return "".join(words(folded)) or None
    parts = words(folded)
    kept = [part for part in parts if part not in TITLES] or parts
    return " ".join(part for part in kept if not part.isdigit()) or None


def split_full_name(text: str) -> tuple[str | None, str | None]:
    """Given and family name out of a full one.

    >>> split_full_name("Smith, John Paul"), split_full_name("John Smith")
    (('john paul', 'smith'), ('john', 'smith'))
    """
    if is_han(text):
        joined = person(text) or ""
        cut = 2 if joined[:2] in COMPOUND_FAMILY and len(joined) > 2 else 1
        return joined[cut:] or None, joined[:cut] or None
    if "," in text:
        family, _, given = text.partition(",")
        return person(given), person(family)
    name = person(text)
    if name is None:
        return None, None
    given, _, family = name.rpartition(" ")
    return given or None, family or None


def full_name(text: str) -> tuple[str | None, str | None] | None:
    """Given and family name out of a full one; None where it is no name at all."""
    return split_full_name(text) if person(text) else None


def initial(text: str) -> str | None:
    """The first letter, as of "female"."""
    return fold(text)[:1] or None


def small_number(text: str) -> int | None:
    """A year, month or day in digits."""
    return int(text) if text.isdecimal() and len(text) <= 4 else None


def organization(text: str) -> str | None:
    """Words of a firm's name in lower case, its legal form taken off where something is left.

    >>> organization("The Acme Trading Co., Ltd.")
    'acme trading'
    """
    folded = fold(text)
    if is_han(folded):
        return "".join(words(_LEGAL_HAN.sub("", folded))) or folded
    parts = words(folded.replace(".", " ") if not re.search(r"\b\w\.\w\.", folded) else folded.replace(".", ""))
    return " ".join([part for part in parts if part not in _LEGAL] or parts) or None


def email(text: str) -> str | None:
    """Address in lower case without tag, and without dots where the provider ignores them; junk is None.

    >>> email("Jo.Doe+news@GoogleMail.com")
    'jodoe@gmail.com'
    """
    user, at, domain = fold(text).replace("mailto:", "").replace(" ", "").rpartition("@")
    if not at or not user or "." not in domain:
        return None
    user = user.partition("+")[0]
    domain = domain.strip(".>")
    if not domain:
        return None
    if domain in ("gmail.com", "googlemail.com"):
        user, domain = user.replace(".", ""), "gmail.com"
    if is_junk_user(user) or (user == "info" and domain == "example.com"):
        return None
    return f"{user}@{domain}"


def is_junk_user(user: str) -> bool:
    """Whether the user part of an e-mail address is a placeholder.

    >>> is_junk_user("noreply"), is_junk_user("jo.doe")
    (True, False)
    """
    return not user or user in _JUNK_USERS


def phone(text: str) -> str | None:
    """The last eight digits: what stays the same however country and area are written.

    >>> phone("+49 (0)30 4826-1573"), phone("0000000000")
    ('48261573', None)
    """
    text = re.split(r"(?i)\s*(?:ext|x|durchwahl)\.?\s*\d*$", text)[0]
    number = "".join(c for c in text if c.isdigit())
    tail = number[-8:]
    if len(number) < 6 or len(set(tail)) < 3 or tail in "01234567890123456789" or tail in "98765432109876543210":
        return None
    return tail


def birth_date(text: str) -> int | None:
    """Year, month and day as yyyymmdd (0 for a part that is not known); None where it is no day or a placeholder.

    >>> birth_date("1984-02-30"), birth_date("7.4.1962"), birth_date("3/25/1962"), birth_date("1900-01-01")
    (None, 19620407, 19620325, None)
    """
    numbers = _DATE_PARTS.findall(text)
    year, month, day = 0, 0, 0
    if len(numbers) == 1 and len(numbers[0]) == 8:
        n = numbers[0]
        year, month, day = int(n[:4]), int(n[4:6]), int(n[6:])
        if not 1850 <= year <= 2100:
            year, month, day = int(n[4:]), int(n[2:4]), int(n[:2])
    elif len(numbers) == 1 and len(numbers[0]) == 4:
        year = int(numbers[0])
    elif len(numbers) >= 3:
        first = numbers[:3]
        if len(first[0]) == 4:
            year, month, day = (int(x[:4]) for x in first)
        elif len(first[2]) == 4:
            day, month, year = (int(x[:4]) for x in first)
        elif all(len(x) <= 2 for x in first):
            day, month, year = (int(x) for x in first)
            year += 1900 if year > 30 else 2000
    elif len(numbers) == 2 and len(numbers[1]) == 4:
        month = _MONTHS.get(re.sub(r"[^a-z]", "", fold(text))[:3], 0)
        day, year = int(numbers[0][:4]), int(numbers[1])
    if month > 12 >= day:
        month, day = day, month
    if not 1850 <= year <= 2100 or month > 12 or day > 31 or (month == 0) != (day == 0):
        return None
    if day > (31, 29 if year % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]:
        return None
    value = year * 10000 + month * 100 + day
    return None if value in (19000101, 18991231, 18991230, 19700101, 19000000, 20000101, 99991231) else value


def digits(text: str) -> str | None:
    """Letters and digits of a number such as a national id or account; one repeated character is a placeholder.

    >>> digits("ab-12 34"), digits("000-00-0000")
    ('ab1234', None)
    """
    number = "".join(c for c in fold(text) if c.isalnum())
    if len(number) < 3 or len(set(number)) == 1 or number in ("123456789", "1234567890", "12345678", "123456"):
        return None
    return number


def place(text: str) -> str | None:
    """Words of a place name with abbreviations written out."""
    folded = fold(text)
    if is_han(folded):
        folded = "".join(words(folded))
        return (folded[:-1] if len(folded) > 2 and folded[-1] in "市省区县" else folded) or None
    return " ".join(_STREET_WORDS.get(part, part) for part in words(folded)) or None


def token(text: str) -> str | None:
    """Folded letters and digits without anything between them."""
    return "".join(words(fold(text))) or None


def address(text: str) -> tuple[str | None, str | None, str | None]:
    """Street, house number and unit of an address in one line.

    >>> address("240 Grant Ct., Apt 54"), address("Lindenstr. 113")
    (('grant court', '240', '54'), ('lindenstrasse', '113', None))
    """
    return folded_address(fold(text))


def folded_address(folded: str) -> tuple[str | None, str | None, str | None]:
    """The same of text that is folded already."""
    if is_han(folded):
        return _han_address(folded)
    parts = words(folded)
    house = next((part for part in parts if part[0].isdigit()), None)
    street: list[str] = []
    unit: list[str] = []
    for position, part in enumerate(parts):
        if part == house and position == parts.index(house):
            continue
        if part[0].isdigit() and not re.match(r"^\d+(st|nd|rd|th)$", part):
            unit.append(part)
        elif part in _UNIT_WORDS and position > 0:
            continue
        elif len(part) == 1 and unit and position > 1:
            unit.append(part)
        else:
            street.append(_STREET_WORDS.get(part, part))
    if street and street[-1].endswith("str") and len(street[-1]) > 3:
        street[-1] += "asse"
    return " ".join(street) or None, house, " ".join(unit) or None


def _han_address(text: str) -> tuple[str | None, str | None, str | None]:
    closed = "".join(text.split())
    match = _HAN_CITY.match(closed)
    rest = closed[match.end() :] if match else closed
    parts = _HAN_ADDRESS.match(rest)
    if parts is None:
        return rest or None, None, None
    return parts["street"], parts["house"], "".join(words(parts["rest"])) or None
