"""A normal form is normal: checked again it is good and stays as it is, and no letter becomes another one."""

from __future__ import annotations

import random
import unicodedata
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import custinfo.validate
from custinfo.validate import bic, cn_uscc, country, currency, date, hkid, iban, lei, phone, postal_code, text, vat
from custinfo.validate._base import BaseValidator

# good values of each validator, as people write them
WRITTEN = {
    "bic": ["deutdeff", "DEUT DE FF XXX"],
    "cn_resident_id": ["11010519491231002x", "110105491231002", "110105-19491231-002X"],
    "cn_uscc": ["91350100m000100y43"],
    "country": [" cn", "usa", "156"],
    "currency": ["cny ", "JPY"],
    "date": ["19900304", "1990年3月4日", "4 March 1990", "2020-01-02T03:04:05Z"],
    "email": ["Info@EXAMPLE.com", "e\u0301@b\u00fccher.example.com", "a@xn--bcher-kva.com"],
    "hkid": ["a123456(3)", "AB987654(3)"],
    "iban": ["gb82 west 1234 5698 7654 32", "DE89-3704-0044-0532-0130-00"],
    "lei": ["5493001kjtiigc8y1r12"],
    "luhn": ["7992-7398 713"],
    "person_name": ["王 小 明", " Anna  O'Neil", "Zhang, Wei", "买买提•艾力", "각 하나"],
    "phone": ["+1 (201) 555-0123", "+44 20 7946 0018 ext. 7"],
    "postal_code": ["sw1a 1aa", "100-0001", "d-10115"],
    "text": [" two  words", "one\ntwo", "e\u0301"],
    "url": ["HTTP://Example.COM:80/a?b#c", "https://u:p@B\u00fccher.example/", "http://[0:0::1]:81"],
    "vat": ["DE 136 695 976", "el094259216", "XI110305878"],
}
MARKS = "\u0301\u0316\u0345\u1100\u1161\u11a8\u0958\ufb01\u00df\u0131\u0130\u017f\u212a\u212b\uff21\uff11"
PIECES = [*MARKS, *" \u00a0\u3000\t\n\x0b\u2028\u200b.-·•/:@#?%,()'\"<", "王", "1", "a", "Z", "\u0301\u0316"]


def everything() -> list[BaseValidator[Any]]:
    found = [getattr(custinfo.validate, name) for name in custinfo.validate.__all__]
    # a card's value is not its number, and `other_id` has no format of its own
    plain = [one for one in found if isinstance(one, BaseValidator) and one.name not in ("card", "other_id")]
    try:
        import stdnum  # noqa: F401
    except ModuleNotFoundError:
        plain.remove(vat)
    configured = [text.with_options(multiline=True), text.with_options(max_length=9), date.with_options(order="dmy")]
    configured += [phone.with_options(region="US"), *(postal_code.with_options(country=one) for one in ("GB", "JP"))]
    return [*plain, *configured]


@st.composite
def scribbled(draw: st.DrawFn, name: str) -> str:
    """A good value with a few characters put in or replaced."""
    value: str = draw(st.sampled_from(WRITTEN[name]))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(value)))
        value = value[:place] + draw(st.sampled_from(PIECES)) + value[place + draw(st.integers(0, 1)) :]
    return value


def assert_stays(validator: BaseValidator[Any], value: object) -> None:
    result = validator(value)
    if result:
        again = validator(result.value)
        assert (again.ok, again.value) == (True, result.value)


@pytest.mark.parametrize("validator", everything(), ids=repr)
def test_a_normal_form_checked_again_is_good_and_stays(validator: BaseValidator[Any]) -> None:
    for value in WRITTEN[validator.name]:
        assert_stays(validator, value)

    @given(scribbled(validator.name))
    @settings(max_examples=80, deadline=None)
    def holds(value: str) -> None:
        assert_stays(validator, value)

    holds()


def test_a_normal_form_is_not_longer_than_the_limit() -> None:
    grows = "\u0958"  # NFC writes it as two characters
    assert text(grows * 3, max_length=6).ok
    assert text(grows * 3, max_length=5).issues[0].code == "value.too_long"
    assert custinfo.validate.person_name(grows * 150).issues[0].code == "value.too_long"


def test_marks_that_come_together_between_hanzi_are_put_in_order() -> None:
    assert custinfo.validate.person_name("王\u0301 \u0316明").value == "王\u0316\u0301明"


@cache
def look_alikes() -> list[tuple[str, str]]:
    """(character outside ASCII, what its capital, its small letter or its compatibility form is in ASCII)."""
    found = []
    for char in map(chr, range(0x80, 0x20000)):  # beyond there are none
        forms = {char.upper(), char.lower(), unicodedata.normalize("NFKC", char)}
        found += [(char, form.upper()) for form in forms if form.isascii() and form.strip()]
    return found


@pytest.mark.parametrize(
    ("validator", "values"),
    [
        (bic, ["DEUTDEFF", "BARCGBSSKFI", "DEUTDESS"]),
        (cn_uscc, ["91350100M000100Y43"]),
        (country, ["FI", "IS", "SK", "SSD", "IT", "578", "TKM"]),
        (currency, ["INR", "SEK", "SSP", "TTD"]),
        (hkid, ["A123456(3)"]),
        (iban, ["GB82WEST12345698765432", "LI21088100002324013AA", "MT84MALT011000012345MTLCAST001S"]),
        (lei, ["5493001KJTIIGC8Y1R12"]),
        (postal_code, ["FI12", "SS1 1SS"]),
        (postal_code.with_options(country="GB"), ["SS1 1SS", "IM1 1AA"]),
        (vat, ["FR40303265045", "ESA13585625"]),
    ],
    ids=repr,
)
def test_no_letter_of_another_alphabet_is_taken_for_one_of_ascii(
    validator: BaseValidator[str], values: list[str]
) -> None:
    if validator.name == "vat":
        pytest.importorskip("stdnum", reason="python-stdnum (extra ids) is not installed")
    tried = 0
    for value in values:
        assert validator(value).ok
        for char, form in look_alikes():
            if form in value:
                tried += 1
                result = validator(value.replace(form, char, 1))
                assert not result.ok, ascii(char)
    assert tried > 20


# ---- VAT numbers --------------------------------------------------------------------------------

NATIONAL = {  # form of the number without prefix, for countries of every kind of prefix and check
    "AR": "n" * 11,
    "AT": "Unnnnnnnn",
    "AU": "n" * 11,
    "BE": "0nnnnnnnnn",
    "CH": "CHEnnnnnnnnnMWST",
    "CN": "91350100Mnnnnnnnnn",
    "DE": "n" * 9,
    "DK": "n" * 8,
    "ES": "An" + "n" * 7,
    "FR": "n" * 11,
    "GB": "n" * 9,
    "GR": "n" * 9,
    "IE": "nnnnnnnT",
    "IT": "n" * 7 + "0nn" + "n",
    "KR": "n" * 10,
    "LU": "n" * 8,
    "MX": "MXAB8001nnAB0",
    "NL": "n" * 9 + "B01",
    "NO": "n" * 9 + "MVA",
    "NZ": "n" * 8,
    "PL": "n" * 10,
    "RO": "n" * 8,
    "RU": "n" * 10,
    "SE": "n" * 10 + "01",
}


def test_a_vat_number_has_its_country_in_front_and_is_read_again_with_and_without_the_option() -> None:
    pytest.importorskip("stdnum", reason="python-stdnum (extra ids) is not installed")
    from stdnum.util import get_cc_module

    choice = random.Random(7)
    for place, form in NATIONAL.items():
        peer = get_cc_module(place.lower(), "vat")
        found = 0
        for _ in range(3_000):
            number = "".join(choice.choice("0123456789") if char == "n" else char for char in form)
            if not peer.is_valid(number):
                continue
            found += 1
            result = vat(number, country=place)
            assert result.ok, (place, number)
            assert result.value is not None
            assert result.value.startswith({"GR": "EL"}.get(place, place))
            assert result.meta["country"] == place
            for again in (vat(result.value), vat(result.value, country=place), vat(result.value.lower())):
                assert again.value == result.value
            assert place == "CH" or vat(f"{place} {number}").value == result.value or number.startswith(place)
            if found == 3:
                break
        assert found, place


def test_prefixes_of_vat_numbers_that_are_no_country_codes() -> None:
    pytest.importorskip("stdnum", reason="python-stdnum (extra ids) is not installed")
    for written, normal, place in (
        ("GR094259216", "EL094259216", "GR"),
        ("EL094259216", "EL094259216", "GR"),
        ("UK110305878", "GB110305878", "GB"),
        ("XI110305878", "XI110305878", "GB"),
    ):
        assert (vat(written).value, vat(written).meta["country"]) == (normal, place)
    assert vat("110305878", country="XI").value == "XI110305878"
    assert vat("53 0000 04605", country="MC").value == "FR53000004605"  # Monaco's numbers are French ones
    assert vat("DEDE136695976").issues[0].code == "id.format"
    assert vat("FR136695976", country="DE").issues[0].code == "id.format"
    assert vat("136695976", country="\ufb02").issues[0].code == "vat.no_country"
    # which fault is named: of the number without its prefix, unless only the check digit is wrong
    assert vat("AR20-05536168-3").issues[0].code == "id.checksum"
    assert vat("DE 136 695 978").issues[0].code == "id.checksum"
    assert vat("NO 12").issues[0].code == "id.format"
    assert vat("AR 12").issues[0].code == "id.length"
