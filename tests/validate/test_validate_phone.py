"""Phone numbers: verdict and E.164 form are those of phonenumbers, for every text and region."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import NumberParseException, PhoneNumberFormat

from custinfo.errors import InvalidFieldError
from custinfo.validate import phone

SHARED = Path("/work/shared/data/validate/phone_examples_csv.jsonl")
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CARRIERS = ("15", "041", "101")
TAILS = (" ext. 7", "x123", "#9", ";ext=45", " доб. 3", ",,12#", " int 4", "~5", " extn 12345678", " x 1234567890")
LETTERS = "\ud8000123456789" * 3 + " -().+/xX,;#~ext１٣＋abc\u200b*\x00"


def theirs(value: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(value, region)
    except NumberParseException:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if phonenumbers.is_valid_number(number) else None


def examples() -> list[tuple[str, str | None]]:
    """The metadata's own example of each kind in each region, written in several ways; no real person's."""
    found: list[tuple[str, str | None]] = []
    for index, region in enumerate(REGIONS):
        for kind in phonenumbers.PhoneNumberType.values():
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            abroad = REGIONS[(index * 7 + kind) % len(REGIONS)]
            national = phonenumbers.national_significant_number(number)
            code = number.country_code
            international, dialled, rfc3966 = (phonenumbers.format_number(number, layout) for layout in (1, 2, 3))
            trunk = phonenumbers.ndd_prefix_for_region(region, True) or "0"
            found += [(f"+{code}{national}", region), (international, region), (dialled, region), (rfc3966, region)]
            found += [(national, region), (f"{code}{national}", region), (f"00{national}", region)]
            found += [(phonenumbers.format_out_of_country_calling_number(number, abroad), abroad)]
            # trunk prefixes that should not be there, twice, or behind the calling code
            found += [(f"{trunk}{national}", region), (f"{trunk}{trunk}{national}", region)]
            found += [
                (f"+{code}{trunk}{national}", None),
                (f"+{code} (0) {national}", None),
                (f"+0{code}{national}", region),
            ]
            # what is dialled before it: for abroad, and for a carrier
            found += [(f"{idd}{code}{national}", region) for idd in ("00", "011", "0011", "010", "810", "+00", "++")]
            found += [
                (phonenumbers.format_national_number_with_carrier_code(number, carrier), region) for carrier in CARRIERS
            ]
            # extensions, parameters, and text around it
            found += [(f"{dialled}{tail}", region) for tail in TAILS]
            found += [(f"Tel: {international} (office)", region), (f"{rfc3966};ext=12", None)]
            found += [
                (f"tel:{national};phone-context=+{code}", None),
                (f"{rfc3966};isub=1;phone-context=example.com", region),
            ]
            # letters for digits
            if len(national) > 7:
                found += [(f"{national[:-7]}-FLOWERS", region), (f"+{code} {national[:-4]} TAXI", region)]
        short = phonenumbers.shortnumberinfo.SUPPORTED_SHORT_REGIONS
        found += [(number, region) for number in ("110", "112", "911", "999", "10086", "*100#") if region in short]
    found += [
        ("+39 02 1234 5678", None),
        ("+39 2 1234 5678", None),
        ("+390612345678", "IT"),
        ("0039 0 612345678", "DE"),
    ]
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        number = phonenumbers.example_number_for_non_geo_entity(code)
        if number is not None:
            found.append((phonenumbers.format_number(number, PhoneNumberFormat.E164), None))
    return found


EXAMPLES = examples()


def mutated(rng: random.Random) -> tuple[str, str | None]:
    value, region = rng.choice(EXAMPLES)
    text = list(value)
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        place = rng.randrange(len(text) + 1)
        action = rng.random()
        if action < 0.35:
            text.insert(place, rng.choice(LETTERS))
        elif action < 0.75:
            text[place : place + 1] = rng.choice(LETTERS)
        else:
            text[place : place + 1] = []
    if rng.random() < 0.15:
        region = rng.choice([*REGIONS, None, "XX", "us", ""])
    return "".join(text), region


def facts(value: str, region: str | None) -> dict[str, object]:
    """What phonenumbers says of a valid number besides its E.164 form."""
    number = phonenumbers.parse(value, region)
    return {
        "type": phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number)),
        "international": phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        "national": phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        "region": phonenumbers.region_code_for_number(number),
        "country_code": number.country_code,
        "extension": number.extension or "",
    }


def agree(rows: list[tuple[str, str | None]], *, with_facts: bool = False) -> None:
    expected = [theirs(value, region) for value, region in rows]
    assert [phone(value, region=region).value for value, region in rows] == expected
    batch = phone.many([value for value, _ in rows], region=[region for _, region in rows])
    assert batch.values == expected
    assert batch.ok.tolist() == [value is not None for value in expected]
    if with_facts:
        for (value, region), good in zip(rows, expected, strict=True):
            if good is not None:
                assert dict(phone(value, region=region).meta) == facts(value, region)


def test_examples_of_every_region_and_kind_agree() -> None:
    rng = random.Random(5)
    agree(rng.sample(EXAMPLES, 1_600))
    agree(rng.sample(EXAMPLES, 200), with_facts=True)


def test_every_region_agrees_on_numbers_of_every_length() -> None:
    rng = random.Random(6)
    rows: list[tuple[str, str | None]] = []
    for region in REGIONS:
        code = phonenumbers.country_code_for_region(region)
        for length in rng.sample(range(2, 19), 5):
            digits = "".join(rng.choices("0123456789", k=length))
            rows += [(digits, region), (f"+{code}{digits}", None)]
    agree(rows)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_numbers_get_the_verdict_and_form_of_phonenumbers(seed: int) -> None:
    rng = random.Random(seed)
    agree([mutated(rng) for _ in range(700)])


@given(st.text(alphabet="0123456789+-() ./x", max_size=22), st.sampled_from(REGIONS))
@settings(max_examples=300, deadline=None)
def test_any_text_of_digits_and_punctuation_agrees(value: str, region: str) -> None:
    agree([(value, region), ("+" + value, region)])


@given(st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_text_agrees(value: str) -> None:
    agree([(value, "CN"), (value, None)])


def test_published_examples_are_valid() -> None:
    if not SHARED.exists():
        pytest.skip("the shared folder with the published examples is not here")
    rows = [json.loads(line) for line in SHARED.read_text("utf-8").split("\n") if line]
    agree([(f"+{row['cc']}{row['national']}", None) for row in rows])


@pytest.mark.parametrize(
    ("value", "region", "code"),
    [
        ("", None, "value.missing"),
        ("nothing", "US", "phone.not_a_number"),
        ("201 555 0123", None, "phone.no_region"),
        ("201 555 0123", "XX", "phone.no_region"),
        ("+999 201 555 0123", None, "phone.country_code"),
        ("+1 201", None, "phone.too_short"),
        ("+1", None, "phone.not_a_number"),
        ("00 11", "CN", "phone.too_short"),
        ("55-01", "US", "phone.too_short"),
        ("555-0123", "US", "phone.too_short"),
        ("tel. 555-0123", "US", "phone.too_short"),
        ("201 555 0123 4", "US", "phone.too_long"),
        ("tel. 201 555 0123 4", "US", "phone.too_long"),
        ("2" * 30, "US", "phone.too_long"),
        ("2" * 300, "US", "phone.too_long"),
        ("(001) 555-0123", "US", "phone.not_assigned"),
        ("tel. 101 555 0123", "US", "phone.not_assigned"),
    ],
)
def test_a_refusal_names_what_is_wrong(value: str, region: str | None, code: str) -> None:
    assert theirs(value, region) is None
    assert [issue.code for issue in phone(value, region=region).issues] == [code]
    assert [issue.code for _, issue in phone.many([value], region=region).failures()] == [code]


def test_type_and_layouts_are_computed_when_asked() -> None:
    result = phone("(201) 555-0123 ext. 7", region="US")
    assert result.value == "+12015550123"
    assert dict(result.meta) == {
        "type": "FIXED_LINE_OR_MOBILE",
        "international": "+1 201-555-0123 ext. 7",
        "national": "(201) 555-0123 ext. 7",
        "region": "US",
        "country_code": 1,
        "extension": "7",
    }
    assert "555" not in repr(result.meta)
    assert "555" not in repr(result)
    assert len(result.meta) == 6
    with pytest.raises(KeyError):
        result.meta["colour"]
    copy = pickle.loads(pickle.dumps(result))
    assert copy == result


def test_the_region_may_be_configured_or_given_by_row() -> None:
    here = phone.with_options(region="US")
    assert here("201 555 0123").value == "+12015550123"
    assert here("7400 123456", region="GB").value == "+447400123456"
    assert here.many(["201 555 0123", None, 5]).values == ["+12015550123", None, None]
    assert phone.many(["201 555 0123", "07400 123456"], region=["US", "GB"]).ok.all()
    with pytest.raises(InvalidFieldError, match="one per value"):
        phone.many(["201 555 0123"], region=["US", "GB"])


def test_what_only_phonenumbers_knows_is_left_to_it() -> None:
    # Argentina's mobile prefix is rewritten, Italy keeps leading zeros, the rest begins like its own calling code
    agree(
        [("0343 15 555 1212", "AR"), ("+39 02 1234 5678", None), ("49 1512 3456789", "DE"), ("8 800 555 01 23", "RU")]
    )
