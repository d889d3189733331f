"""Numbers of people, firms, banks and cards: published vectors, errors found, columns equal to single calls."""

from __future__ import annotations

import copy
import datetime
import json
import logging
import pickle
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError, MissingExtraError
from custinfo.validate import (
    CardInfo,
    bic,
    card,
    cn_resident_id,
    cn_uscc,
    hkid,
    iban,
    lei,
    luhn,
    other_id,
    vat,
)
from custinfo.validate._cn_id import check_character
from custinfo.validate._gb2260 import bygone, in_force
from custinfo.validate._iban_forms import FORMS, UNREGISTERED
from custinfo.validate._luhn import luhn_holds
from custinfo.validate._uscc import ALPHABET, organisation_check

SHARED = Path("/work/shared/data/validate")
SCALAR_ROWS = 8  # fewer rows than the columns' kernels are used for


def shared(name: str) -> list[dict[str, object]]:
    if not (SHARED / name).exists():
        pytest.skip("the shared folder with published numbers is not here")
    return [json.loads(line) for line in (SHARED / name).read_text("utf-8").split("\n") if line]


def resident_id(rng: random.Random) -> str:
    county = rng.choice(
        sorted(
            rng.choice((in_force(), bygone(), frozenset({"119999", "810000", "999999", "911124", "944840", "911000"})))
        )
    )
    day = datetime.date(1930, 1, 1) + datetime.timedelta(days=rng.randrange(70_000))
    body = f"{county}{day:%Y%m%d}{rng.randrange(1000):03d}"
    return body + check_character(body)


def credit_code(rng: random.Random) -> str:
    organisation = "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=8))
    check = organisation_check(organisation) if rng.random() < 0.8 else "0"
    body = "91" + rng.choice(("110000", "310115", "100000", "990000")) + organisation + check
    weights = [3**place % 31 for place in range(17)]
    total = sum(ALPHABET.index(char) * weight for char, weight in zip(body, weights, strict=True))
    return body + ALPHABET[-total % 31]


def account_number(rng: random.Random) -> str:
    country, form = rng.choice(sorted((FORMS | UNREGISTERED).items()))
    kinds = {"n": "0123456789", "a": "ABCXYZ", "c": "0123456789ABCXYZ"}
    bban, digits = "", ""
    for char in form:
        if char.isdigit():
            digits += char
            continue
        bban, digits = bban + "".join(rng.choices(kinds[char], k=int(digits))), ""
    remainder = int("".join(str(int(char, 36)) for char in f"{bban}{country}00")) % 97
    text = f"{country}{98 - remainder:02d}{bban}"
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4)) if rng.random() < 0.4 else text


def card_number(rng: random.Random) -> str:
    body = "".join(rng.choices("0123456789", k=rng.randrange(11, 19)))
    return next(body + digit for digit in "0123456789" if luhn_holds(body + digit))


MAKERS = [(cn_resident_id, resident_id), (cn_uscc, credit_code), (iban, account_number), (luhn, card_number)]


@pytest.mark.parametrize(("validator", "make"), MAKERS, ids=lambda part: getattr(part, "name", ""))
def test_a_column_is_judged_like_single_values(validator, make) -> None:  # type: ignore[no-untyped-def]
    rng = random.Random(validator.name)
    values: list[object] = [None, 5, "", "Ⅷ" * 18, "\ud800" * 18, "١" * 18, "０" * 18, b"1"]
    for _ in range(600):
        text = make(rng)
        if rng.random() < 0.4:
            place = rng.randrange(len(text))
            text = text[:place] + rng.choice("0123456789X?x é- ") + text[place + rng.randrange(2) :]
        values.append(text)
    batch = validator.many(values)
    single = [validator(value) for value in values]
    assert batch.values == [result.value for result in single]
    assert list(batch.issues()) == [(row, issue) for row, result in enumerate(single) for issue in result.issues]
    few = validator.many(values[:SCALAR_ROWS])
    assert few.values == batch.values[:SCALAR_ROWS]
    assert any(batch.ok)
    assert len(batch.counts()) > 2


@pytest.mark.parametrize(("validator", "make"), MAKERS, ids=lambda part: getattr(part, "name", ""))
def test_what_is_made_right_is_valid_and_its_normal_form_is_stable(validator, make) -> None:  # type: ignore[no-untyped-def]
    rng = random.Random(7)
    for _ in range(200):
        text = make(rng)
        result = validator(text)
        if validator is cn_resident_id and (text.startswith(("99", "911000")) or text[6:8] == "21"):
            assert {issue.code for issue in result.issues} <= {"cn_id.province", "cn_id.date"}
            continue
        assert result.ok, result
        assert validator(result.value) == result


@pytest.mark.parametrize("validator", [cn_resident_id, luhn, iban, lei], ids=lambda part: part.name)
def test_each_single_wrong_digit_is_found(validator) -> None:  # type: ignore[no-untyped-def]
    good = {
        "cn_resident_id": "11010519491231002X",
        "luhn": "79927398713",
        "iban": "GB82WEST12345698765432",
        "lei": "5493001KJTIIGC8Y1R12",
    }[validator.name]
    assert validator(good)
    for place, char in enumerate(good):
        if char.isdigit():
            for other in set("0123456789") - {char}:
                assert not validator(good[:place] + other + good[place + 1 :])


# ---- resident identity numbers ------------------------------------------------------------------


def test_the_example_of_the_standard_is_valid() -> None:
    """GB 11643-1999, section 5: 11010519491231002X and 440524188001010014."""
    result = cn_resident_id("440524188001010014")
    assert result.ok
    assert result.meta["birth_date"] == datetime.date(1880, 1, 1)
    assert result.meta["sex"] == "male"
    assert [issue.code for issue in result.issues] == ["cn_id.county_bygone"]


def test_fifteen_digits_become_eighteen() -> None:
    assert cn_resident_id("110105491231002").value == "11010519491231002X"
    centenarian = cn_resident_id("110105801231998")
    assert centenarian.meta["birth_date"] == datetime.date(1880, 12, 31)


def test_permits_and_foreigners_have_numbers_of_the_same_form() -> None:
    """The specimen of the permanent residence card of 2023; the permits' numbers are made here."""
    foreigner = cn_resident_id("911124198108030024")
    assert dict(foreigner.meta) == {
        "birth_date": datetime.date(1981, 8, 3),
        "sex": "female",
        "region": "110000",
        "kind": "foreigner",
        "nationality": "CA",
    }
    assert not foreigner.issues
    for region in ("810000", "820000", "830000"):
        body = f"{region}19900101001"
        permit = cn_resident_id(body + check_character(body))
        assert (permit.ok, permit.issues, permit.meta["kind"]) == (True, (), "permit")
    assert cn_resident_id("11010519491231002X").meta["kind"] == "resident"
    for begin in ("901124", "911000"):  # no province, no nationality
        body = f"{begin}19810803002"
        assert [issue.code for issue in cn_resident_id(body + check_character(body)).issues] == ["cn_id.province"]


def test_nobody_is_born_after_the_day_that_is_asked_for() -> None:
    eve = cn_resident_id.with_options(as_of=datetime.date(1949, 12, 30))
    assert cn_resident_id("11010519491231002X", as_of=datetime.date(1949, 12, 31)).ok
    assert [issue.code for issue in eve("11010519491231002X").issues] == ["cn_id.date"]
    assert eve.many(["11010519491231002X"] * 100).counts() == {"cn_id.date": 100}
    body = "11010521000101001"
    for batch in (cn_resident_id.many([body + check_character(body)] * count) for count in (1, 100)):
        assert list(batch.counts()) == ["cn_id.date"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("1101051949123100", "cn_id.format"),
        ("11010519491231002Y", "cn_id.format"),
        ("X1010519491231002X", "cn_id.format"),
        ("11010549123100X", "cn_id.format"),
        ("991105194912310026", "cn_id.province"),
        ("110105194902300029", "cn_id.date"),
        ("110105170001010026", "cn_id.date"),
        ("110105194912310021", "cn_id.checksum"),
    ],
)
def test_a_wrong_resident_id_names_its_fault(value: str, code: str) -> None:
    assert [issue.code for issue in cn_resident_id(value).issues] == [code]


def test_full_width_digits_are_suggested_not_corrected() -> None:
    wide = "11010519491231002X".translate({48 + digit: 0xFF10 + digit for digit in range(10)})
    result = cn_resident_id(wide)
    assert not result
    assert result.meta["suggestion"] == "11010519491231002X"
    assert [issue.code for issue in result.issues] == ["cn_id.format", "value.fullwidth"]
    assert [issue.code for issue in cn_resident_id(wide[:-1] + "1").issues] == ["cn_id.format"]


# ---- credit codes, Hong Kong --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("91350100M000100Y43", []),
        ("91350100M000100Y4", ["cn_uscc.format"]),
        ("91350100M000100I43", ["cn_uscc.format"]),
        ("9135010XM000100Y43", ["cn_uscc.format"]),
        ("91350100M000100Y34", ["cn_uscc.checksum"]),
    ],
)
def test_credit_codes(value: str, codes: list[str]) -> None:
    """GB 32100-2015, annex: 91350100M000100Y43."""
    assert [issue.code for issue in cn_uscc(value).issues] == codes


def test_the_check_character_of_an_organisation_code_may_be_ten_or_eleven() -> None:
    checks = {organisation_check(f"{number:08d}") for number in range(60)}
    assert checks == {*"0123456789", "X"}


@pytest.mark.parametrize("value", ["G123456(A)", "g123456A", "AB987654(3)", "C1234569", "A123456 (3)"])
def test_hong_kong_identity_numbers(value: str) -> None:
    result = hkid(value)
    assert result.ok
    assert (
        result.value == value.upper().replace(" ", "").replace("(", "").replace(")", "")[:-1] + f"({result.value[-2]})"
    )


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("A123456(4)", "hkid.checksum"),
        ("A12345(3)", "hkid.format"),
        ("A123456(3", "hkid.format"),
        ("１", "hkid.format"),
    ],
)
def test_a_wrong_hong_kong_number_names_its_fault(value: str, code: str) -> None:
    assert hkid(value).issues[0].code == code


# ---- banks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("GB82 WEST 1234 5698 7654 33", "iban.checksum"),
        ("GB82 WEST 1234 5698 7654 3", "iban.length"),
        ("GB82 1EST 1234 5698 7654 32", "iban.structure"),
        ("GBXX WEST 1234 5698 7654 32", "iban.format"),
        ("GB82_WEST12345698765432", "iban.format"),
        ("US12 1234 5678", "iban.country"),
        ("12345", "iban.format"),
        ("é", "iban.format"),
        ("GB01 BARC 2071 4583 6083 87", "iban.checksum"),
    ],
)
def test_a_wrong_iban_names_its_fault(value: str, code: str) -> None:
    assert [issue.code for issue in iban(value).issues] == [code]


def test_an_iban_says_its_country_and_printed_form() -> None:
    assert dict(iban("GB82WEST12345698765432").meta) == {"country": "GB", "printed": "GB82 WEST 1234 5698 7654 32"}
    assert [issue.code for issue in iban("DZ580002100001113000000570").issues] == ["iban.unregistered"]


def test_published_ibans_agree() -> None:
    for row in shared("iban_schwifty.jsonl"):
        result = iban(row["iban"])
        assert result.ok is (row["set"] != "invalid")


@pytest.mark.parametrize("value", ["DEUTDEFF", "deutdeff500", "NEDSZAJJXXX", "E097AEXX"])
def test_bank_codes(value: str) -> None:
    assert bic(value).value == value.upper()


@pytest.mark.parametrize(
    ("value", "code"), [("DEUTDEF", "bic.format"), ("DEUT1EFF", "bic.format"), ("DEUTQQFF", "bic.country")]
)
def test_a_wrong_bank_code_names_its_fault(value: str, code: str) -> None:
    assert bic(value).issues[0].code == code


def test_legal_entity_identifiers() -> None:
    """ISO 17442-1, example of the check digits: 5493001KJTIIGC8Y1R12."""
    assert lei("5493 001K JTII GC8Y 1R12").value == "5493001KJTIIGC8Y1R12"
    assert lei("5493001KJTIIGC8Y1R1X").issues[0].code == "lei.format"
    assert lei("5493001KJTIIGC8Y1R21").issues[0].code == "lei.checksum"


# ---- cards --------------------------------------------------------------------------------------


def test_public_test_numbers_have_their_brand() -> None:
    for row in shared("cards.jsonl"):
        result = card(row["number"])
        assert result.ok is row["valid"]
        if result:
            assert result.value.brand == row["brand"]


@pytest.mark.parametrize(
    ("value", "brand"),
    [
        ("4242 4242 4242 4242", "visa"),
        ("5555-5555-5555-4444", "mastercard"),
        ("378282246310005", "amex"),
        ("6200000000000005", "unionpay"),
        ("2200000000000004", "mir"),
        ("5018000000000009", "maestro"),
        ("9792000000000003", "troy"),
        ("5067000000000009", "elo"),
        ("6062820000000003", "hipercard"),
        ("6521500000000006", "rupay"),
        ("5061000000000005", "verve"),
        ("5019000000000008", "dankort"),
        ("135000000000008", "uatp"),
        ("2221000000000009", "mastercard"),
        ("2720990000000007", "mastercard"),
        ("6200000000000000059", "unionpay"),
        ("9000000000000001", "unknown"),
    ],
)
def test_a_card_is_known_by_brand_and_ends(value: str, brand: str) -> None:
    result = card(value)
    info = result.unwrap()
    number = value.replace(" ", "").replace("-", "")
    assert (info.brand, info.bin, info.last4) == (brand, number[:6], number[-4:])
    assert info.masked == number[:6] + "*" * (len(number) - 10) + number[-4:]
    assert [issue.code for issue in result.issues] == (["card.brand_unknown"] if brand == "unknown" else [])


def test_the_number_of_a_card_is_kept_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    number = "4012888888881881"
    result = card(number)
    middle = number[6:-4]
    for trace in (repr(result), repr(result.value), str(result.value), repr(pickle.dumps(result)), repr(result.meta)):
        assert middle not in trace
    assert pickle.loads(pickle.dumps(result.value)) == result.value
    assert hash(result.value) == hash(CardInfo("visa", "401288", "1881", 16))
    assert result.value != number
    wrong = card(number[:-1] + "2")
    assert middle not in repr(wrong) + wrong.issues[0].message()
    with pytest.raises(InvalidFieldError) as caught:
        wrong.unwrap()
    assert middle not in str(caught.value) + repr(caught.value)
    batch = card.many([number] * 100)
    assert batch.ok.all()
    for trace in (
        pickle.dumps(batch),
        batch,
        batch.to_dict(),
        batch._repr_html_(),
        copy.deepcopy(batch).values,
        vars(card.__class__),
    ):
        assert middle not in repr(trace)
    for wrong in (number[:-1] + "2", number + "x", number + "1" * 8):
        with caplog.at_level(logging.DEBUG):
            batch = card.many([wrong] * 3)
            logging.getLogger("test").info("%s %r %s", batch, list(batch.failures()), [batch.counts(), batch.values])
        assert middle not in caplog.text + repr(pickle.dumps(batch)) + repr(pickle.dumps(card(wrong)))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("4242x", "card.format"),
        ("４２４２４２４２４２４２４２４２", "card.format"),
        ("42424242", "card.length"),
        ("4242424242424241", "card.checksum"),
        (None, "value.missing"),
    ],
)
def test_a_wrong_card_names_its_fault(value: object, code: str) -> None:
    assert card(value).issues[0].code == code


@given(st.text(alphabet="0123456789", min_size=2, max_size=30))
def test_luhn_equals_its_definition(text: str) -> None:
    total = sum(sum(divmod(int(char) * (1 + place % 2), 10)) for place, char in enumerate(reversed(text)))
    assert luhn(text).ok is (total % 10 == 0)


def test_luhn_wants_two_digits() -> None:
    assert luhn("0").issues[0].code == "luhn.format"
    assert luhn("12a4").issues[0].code == "luhn.format"


# ---- python-stdnum ------------------------------------------------------------------------------


def test_without_python_stdnum_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "stdnum", None)
    for call in (lambda: vat("DE136695976"), lambda: other_id("x", format="isbn")):
        with pytest.raises(MissingExtraError, match=r"custinfo\[ids\]"):
            call()


def test_other_formats_go_through_one_adapter() -> None:
    pytest.importorskip("stdnum", reason="python-stdnum (extra ids) is not installed")
    isbn = other_id.with_options(format="isbn")
    assert isbn("978-0-471-11709-4").value == "9780471117094"
    assert isbn("978-0-471-11709-5").issues[0].code == "id.checksum"
    assert isbn("978-0-471").issues[0].code == "id.length"
    assert isbn("x78-0-471-11709-4").issues[0].code == "id.format"
    assert isbn(None).issues[0].code == "value.missing"
    assert other_id("536-90-4399", format="us.ssn").ok
    assert other_id("000-90-4399", format="us.ssn").issues[0].code == "id.component"
    for name in ("no.such", "../x", None, "exceptions"):
        with pytest.raises(InvalidFieldError):
            other_id("1", format=name)


def test_vat_numbers_are_checked_by_their_country() -> None:
    pytest.importorskip("stdnum", reason="python-stdnum (extra ids) is not installed")
    assert vat("DE 136 695 976").value == "DE136695976"
    assert vat("DE 136 695 976").meta["country"] == "DE"
    assert vat("136695976", country="de").ok
    assert vat("EL 094259216").ok
    assert vat("DE 136 695 978").issues[0].code == "id.checksum"
    assert vat("136695976").issues[0].code == "vat.no_country"
    assert vat("X", country="AQ").issues[0].code == "vat.country"
    assert vat(3).issues[0].code == "value.type"
    assert vat.many(["136695976", "094259216"], country=["DE", "GR"]).ok.all()
