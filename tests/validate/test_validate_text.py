"""Text, names, dates, postal codes, countries, currencies and web addresses."""

from __future__ import annotations

import csv
import datetime
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.validate import country, currency, date, person_name, postal_code, text, url
from custinfo.validate._iso3166 import ALPHA2, ALPHA3, NUMERIC
from custinfo.validate._name_order import split_hanzi
from custinfo.validate._postal_masks import MASKS, UNUSED

SHARED = Path("/work/shared/data")


def codes(result: object) -> list[str]:
    return [issue.code for issue in result.issues]  # type: ignore[attr-defined]


# ---- text ---------------------------------------------------------------------------------------

UNSAFE = [
    ("\x00", "text.control"),
    ("\x1b", "text.control"),
    ("\x7f", "text.control"),
    ("\x9b", "text.control"),
    ("\u202e", "text.bidi"),
    ("\u2066", "text.bidi"),
    ("\ufffe", "text.noncharacter"),
    ("\U0010ffff", "text.noncharacter"),
    ("\u200b", "text.zero_width"),
    ("\u200d", "text.zero_width"),
    ("\ufeff", "text.zero_width"),
    ("\u3164", "text.zero_width"),
    ("\U000e0041", "text.zero_width"),
    ("\ue000", "text.private_use"),
    ("e" + "\u0301" * 31, "text.marks"),
    ("раypal", "text.confusable"),
    ("\u2028", "text.line_break"),
    ("\n", "text.line_break"),
]


@pytest.mark.parametrize(("part", "code"), UNSAFE, ids=[f"{ord(part[0]):04x}-{code}" for part, code in UNSAFE])
def test_characters_that_do_not_belong_are_found_in_text_and_names(part: str, code: str) -> None:
    for validator in (text, person_name):
        result = validator(f"ab{part}cd" if code != "text.confusable" else f"ab {part} cd")
        assert codes(result) == [code]
        assert result.ok is (result.issues[0].severity != "error")


def test_text_is_trimmed_composed_and_of_single_spaces() -> None:
    assert text("  Cafe\u0301 \t 12\u3000Main ").value == "Café 12 Main"
    assert text("one\r\ntwo  three\n", multiline=True).value == "one\ntwo three"
    assert text("one\ntwo").value == "one two"
    assert codes(text("   ")) == ["text.blank"]
    assert codes(text("x" * 10_001)) == ["value.too_long"]
    assert text.with_options(max_length=3)("abcd").issues[0].params["max_length"] == 3
    with pytest.raises(InvalidFieldError):
        text("x", max_length="3")  # type: ignore[arg-type]


@given(st.text(max_size=60))
def test_normal_forms_are_stable(value: str) -> None:
    for validator in (text, text.with_options(multiline=True), person_name, postal_code, country, currency, url):
        result = validator(value)
        if result:
            again = validator(result.value)
            assert again.value == result.value


# ---- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "normal", "script", "family", "given"),
    [
        ("王小明", "王小明", "Hani", "王", "小明"),
        ("欧阳 娜娜", "欧阳娜娜", "Hani", "欧阳", "娜娜"),
        ("欧阳", "欧阳", "Hani", "欧", "阳"),
        ("东 方朔", "东方朔", "Hani", "东", "方朔"),
        ("山田 太郎", "山田太郎", "Hani", None, None),
        ("買買提·艾力", "買買提·艾力", "Hani", None, None),
        ("阿卜杜拉・艾力", "阿卜杜拉·艾力", "Hani", None, None),
        ("囗囗", "囗囗", "Hani", None, None),
        ("王", "王", "Hani", None, None),
        ("Jean-Claude  van Damme", "Jean-Claude van Damme", "Latn", None, None),
        ("Иван Петров", "Иван Петров", "Cyrl", None, None),
        ("山田 たろう", "山田 たろう", "Zyyy", None, None),
        ("O'Neil", "O'Neil", "Latn", None, None),
    ],
)
def test_names_of_many_scripts(value: str, normal: str, script: str, family: str | None, given: str | None) -> None:
    result = person_name(value)
    assert result.value == normal
    assert not result.issues
    assert result.meta["script"] == script
    assert (result.meta.get("family"), result.meta.get("given")) == (family, given)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12345", ["name.no_letter"]),
        ("...", ["name.no_letter"]),
        ("\x00", ["text.control"]),
        ("Anna2", ["name.digits"]),
        ("anna@example.com", ["name.symbol"]),
        ("N/A", ["name.placeholder"]),
        ("无", ["name.placeholder"]),
        ("Ｌｉ　Ｍｉｎｇ", ["value.fullwidth"]),
        ("x" * 201, ["value.too_long"]),
        (7, ["value.type"]),
    ],
)
def test_what_is_odd_in_a_name_is_reported(value: object, expected: list[str]) -> None:
    assert codes(person_name(value)) == expected


def test_full_width_letters_of_a_name_are_suggested() -> None:
    assert person_name("Ｌｉ Ｍｉｎｇ").meta["suggestion"] == "Li Ming"


def test_family_names_of_a_published_list_are_split_off() -> None:
    path = SHARED / "validate" / "zh_names.jsonl"
    if not path.exists():
        pytest.skip("the shared folder with published names is not here")
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    surnames = [row["s"] for row in rows if row["kind"] == "surname"]
    split = [surname for surname in surnames if split_hanzi(surname + "小明").get("family") == surname]
    assert len(split) >= 0.98 * len(surnames)


# ---- dates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2020-03-04", (2020, 3, 4)),
        ("20200304", (2020, 3, 4)),
        (" 2020/3/4 ", (2020, 3, 4)),
        ("2020.03.04", (2020, 3, 4)),
        ("1990年3月4日", (1990, 3, 4)),
        ("1990 年 03 月 04 号", (1990, 3, 4)),
        ("13/04/2020", (2020, 4, 13)),
        ("04-13-2020", (2020, 4, 13)),
        ("3.3.2020", (2020, 3, 3)),
        ("4 March 2020", (2020, 3, 4)),
        ("4-Mar-2020", (2020, 3, 4)),
        ("Mar. 4, 2020", (2020, 3, 4)),
        ("Sept 4 2020", (2020, 9, 4)),
        ("2020-03-04T00:00:00Z", (2020, 3, 4)),
        ("2020-03-04 00:00", (2020, 3, 4)),
        ("20200304T000000", (2020, 3, 4)),
        ("2000-02-29", (2000, 2, 29)),
        (datetime.date(2020, 3, 4), (2020, 3, 4)),
        (datetime.datetime(2020, 3, 4, 5, tzinfo=datetime.UTC), (2020, 3, 4)),
    ],
)
def test_dates_are_read(value: object, expected: tuple[int, int, int]) -> None:
    result = date(value)
    assert type(result.value) is datetime.date
    assert result.value == datetime.date(*expected)
    assert not result.issues


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("03/04/2020", "date.ambiguous"),
        ("19450231", "date.impossible"),
        ("19001399", "date.impossible"),
        ("1900-02-29", "date.impossible"),
        ("00000101", "date.impossible"),
        ("1990年13月4日", "date.impossible"),
        ("31/31/2020", "date.impossible"),
        ("2020/13/01", "date.impossible"),
        ("30 February 2020", "date.impossible"),
        ("3 Ma 2020", "date.format"),
        ("4 Mai 2020", "date.format"),
        ("4 Ju 2020", "date.format"),
        ("4 Jun, 20", "date.format"),
        ("03/04/20", "date.two_digit_year"),
        ("2020", "date.incomplete"),
        ("2020-03", "date.incomplete"),
        ("2020年3月", "date.incomplete"),
        ("yesterday", "date.format"),
        ("3/4-2020", "date.format"),
        *(
            (f"2020-03-04{time}", "date.format")
            for time in ("T25:00:00", "T10:60", " 10:00:61", "T996161", "T10:00+99:00")
        ),
        (20200304, "value.type"),
        (float("nan"), "value.missing"),
        (None, "value.missing"),
        ("", "value.missing"),
    ],
)
def test_a_date_that_cannot_be_read_says_why(value: object, code: str) -> None:
    assert date(value).value is None
    assert codes(date(value)) == [code]


def test_a_time_of_day_is_dropped_with_a_warning() -> None:
    for value in ("2020-03-04T10:00:00", "2020-03-04 00:00:00+08:00", "20200304T101112.5Z", "2020-03-04T23:59:60"):
        assert date(value).value == datetime.date(2020, 3, 4)
        assert codes(date(value)) == ["date.time_dropped"]


def test_the_order_of_day_and_month_is_said_not_guessed() -> None:
    assert date("03/04/2020", order="dmy").value == datetime.date(2020, 4, 3)
    assert date("03/04/2020", order="mdy").value == datetime.date(2020, 3, 4)
    assert codes(date("03/04/2020", order="ymd")) == ["date.order"]
    assert codes(date("04/13/2020", order="dmy")) == ["date.impossible"]
    assert date.with_options(order="dmy").many(["03/04/2020", "2020-04-03"]).values == [datetime.date(2020, 4, 3)] * 2
    with pytest.raises(InvalidFieldError, match="dmy, mdy, ymd"):
        date("03/04/2020", order="ydm")


def test_dates_may_be_bounded() -> None:
    living = date.with_options(not_before=datetime.date(1900, 1, 1))
    assert codes(living("1899-12-31")) == ["date.too_early"]
    assert living("1899-12-31").issues[0].message() == "The date is before 1900-01-01."
    assert codes(living(datetime.date(2030, 1, 1), not_after=datetime.date(2026, 1, 1))) == ["date.too_late"]
    assert living("1900-01-01")


def test_columns_of_times_are_read_as_dates() -> None:
    pandas = pytest.importorskip("pandas")
    stamps = np.array(["2020-03-04", "NaT"], dtype="datetime64[ns]")
    for column in (stamps, pandas.Series(stamps), pandas.Series(stamps, dtype=object), tuple(stamps.tolist()[:0])):
        batch = date.many(column)
        assert batch.values == [datetime.date(2020, 3, 4), None][: len(column)]
        assert list(batch.counts()) == (["value.missing"] if len(column) else [])


@given(st.dates())
def test_every_day_is_read_back(day: datetime.date) -> None:
    assert date(day.isoformat()).value == date(f"{day:%Y}".zfill(4) + f"{day:%m%d}").value == day


# ---- postal codes, countries, currencies --------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "where", "normal"),
    [
        ("2600", "AU", "2600"),
        ("sw1a1aa", "GB", "SW1A 1AA"),
        ("K1A0B1", "ca", "K1A 0B1"),
        ("1234 ab", "NL", "1234 AB"),
        ("1000001", "JP", "100-0001"),
        ("D-10115", "DE", "10115"),
        ("LV1010", "LV", "LV-1010"),
        ("1010", "LV", "LV-1010"),
        ("00-950", "PL", "00-950"),
        ("12345-6789", "US", "12345-6789"),
        ("100084", "CN", "100084"),
        ("anything 1", None, "ANYTHING 1"),
        ("2600", "", "2600"),
    ],
)
def test_postal_codes_are_written_as_in_their_country(value: str, where: str | None, normal: str) -> None:
    result = postal_code(value, country=where)
    assert result.value == normal
    assert not result.issues


@pytest.mark.parametrize(
    ("value", "where", "expected"),
    [
        ("26000", "AU", ["postal_code.country"]),
        ("ABCDE", None, ["postal_code.format"]),
        ("12_34", None, ["postal_code.format"]),
        ("1234567890123", None, ["postal_code.format"]),
        ("00000", "HK", ["postal_code.unused"]),
        ("12345", "XX", ["postal_code.country_unknown"]),
        ("12345", 7, ["postal_code.country_unknown"]),
        ("1\x002", None, ["text.control"]),
        ("1\u200b2", None, ["text.zero_width", "postal_code.format"]),
        ("1" * 40, None, ["value.too_long"]),
    ],
)
def test_what_is_odd_in_a_postal_code_is_reported(value: str, where: str | None, expected: list[str]) -> None:
    assert codes(postal_code(value, country=where)) == expected


def test_published_postal_codes_are_valid() -> None:
    path = SHARED / "validate" / "postal_codes.jsonl"
    if not path.exists():
        pytest.skip("the shared folder with published postal codes is not here")
    for line in path.read_text("utf-8").split("\n"):
        if line:
            row = json.loads(line)
            assert postal_code(row["postal_code"], country=row["country"]).ok, row


def test_every_country_has_postal_codes_or_is_known_to_have_none() -> None:
    assert not UNUSED & set(MASKS)
    assert not UNUSED - ALPHA2
    # territories without inhabitants or whose post is another country's
    assert ALPHA2 - UNUSED - set(MASKS) <= {"AQ", "BV", "HM", "TF", "MO", "LI", "SJ"}
    assert postal_code.many(["2600", "100-0001"], country=["AU", "JP"]).ok.all()


def test_countries_in_three_notations() -> None:
    assert len(ALPHA2) == len(ALPHA3) == len(NUMERIC) == 249
    for value in ("cn", "CHN", "156", " CN "):
        assert country(value).value == "CN"
    assert codes(country("XX")) == ["country.unknown"]
    assert country("中国").meta["suggestion"] == "CN"
    assert codes(country("UK")) == ["country.unknown", "country.did_you_mean"]
    assert codes(country(156)) == ["value.type"]


def test_currencies() -> None:
    assert currency(" usd ").value == "USD"
    assert currency("KWD").meta["minor_digits"] == 3
    assert codes(currency("XXX")) == ["currency.unknown"]
    assert codes(currency("€")) == ["currency.format", "currency.did_you_mean"]
    assert currency("RMB").issues[1].message("zh") == "您是否想填 CNY？"
    assert codes(currency(None)) == ["value.missing"]


# ---- web addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        ("HTTP://Example.COM", "http://example.com"),
        ("https://example.com:443/A?b=C#d", "https://example.com/A?b=C#d"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("http://192.0.2.1/x", "http://192.0.2.1/x"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
        ("https://例え.jp/路径", "https://例え.jp/路径"),
        ("https://xn--r8jz45g.jp", "https://xn--r8jz45g.jp"),
        ("https://example.com.", "https://example.com"),
    ],
)
def test_web_addresses(value: str, normal: str) -> None:
    assert url(value).value == normal
    assert not url(value).issues


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("example.com", ["url.format"]),
        ("javascript:alert(1)", ["url.scheme"]),
        ("ftp://example.com", ["url.scheme"]),
        ("https:///x", ["url.format"]),
        ("https://exa mple.com", ["url.format"]),
        ("https://[::1", ["url.format"]),
        ("https://[zz]/", ["url.format"]),
        ("https://-example.com", ["url.host"]),
        ("https://exam!ple.com", ["url.host"]),
        ("https://a..b", ["url.host"]),
        ("https://1.2.3.4.5", ["url.host"]),
        ("https://0x7f000001/", ["url.host"]),
        ("https://a.0X", ["url.host"]),
        ("https://" + "a" * 64 + ".com", ["url.host"]),
        ("https://example.com:99999", ["url.port"]),
        ("https://example.com:x", ["url.port"]),
        ("https://some:body@example.com", ["url.credentials"]),
        ("https://example.com/\u202e", ["text.bidi"]),
        ("https://example.com/" + "x" * 2_048, ["url.too_long"]),
        (None, ["value.missing"]),
    ],
)
def test_what_is_wrong_with_a_web_address(value: object, expected: list[str]) -> None:
    assert codes(url(value)) == expected


def test_schemes_are_an_option() -> None:
    assert url("ftp://example.com", schemes=("ftp",)).ok
    assert not url("http://example.com", schemes=("https",))
    with pytest.raises(InvalidFieldError):
        url("http://example.com", schemes="http")  # type: ignore[arg-type]


# ---- FEBRL-3: no noise --------------------------------------------------------------------------


def test_real_looking_persons_give_no_noise() -> None:
    path = SHARED / "dedupe" / "febrl3.csv"
    if not path.exists():
        pytest.skip("the shared folder with FEBRL-3 is not here")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def column(name: str) -> list[str]:
        return [row[name] for row in rows if row[name]]

    for name in ("given_name", "surname"):
        assert list(person_name.many(column(name)).issues()) == []
    for name in ("address_1", "address_2", "suburb", "state", "street_number"):
        assert list(text.many(column(name), max_length=100).issues()) == []
    assert list(postal_code.many(column("postcode")).issues()) == []
    assert list(postal_code.many(column("postcode"), country="AU").issues()) == []
    assert date.many(column("date_of_birth")).counts() == {"date.impossible": 35}
