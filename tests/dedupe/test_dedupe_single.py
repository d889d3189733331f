"""One pair in plain numbers equals the arrays: normal forms, levels and weights."""

import numpy as np
import pytest
from dedupe_people import people
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custinfo._columns import read_columns
from custinfo.dedupe import Matcher
from custinfo.dedupe._compare import compare
from custinfo.dedupe._fields import APART, SIMPLE, Field, build_fields, key_of
from custinfo.dedupe._form import FieldSpec, record_reader
from custinfo.dedupe._kinds import KINDS
from custinfo.dedupe._levels import EQUAL
from custinfo.dedupe._regroup import weigh
from custinfo.dedupe._scorers import count_words
from custinfo.dedupe._single import single_scorer
from custinfo.dedupe._text import factorize

WORDS = ["ann", "anna", "anne marie", "bob", "robert", "rob", "li", "lee", "wong", "wang", "müller", "mueller"]
HAN = ["王小明", "王小", "李", "建国", "健国", "北京市", "阳光科技有限公司", "人民路5号"]
PLACES = ["12 high st flat 3 b", "12a high street", "high street 12", "old mill lane", "mill lane", "newtown"]
CONTACTS = [
    *("jo.doe+x@gmail.com", "jodoe@gmail.com", "j.doe@example.com", "joe@example.com"),
    *("+44 161 496 0123", "0161 496 0124"),
]
DATES = ["1980-02-03", "1980-03-02", "1980", "3.2.1980", "1981-02-03", "1980-02-30", "1900-01-01", "19800203"]
FIRMS = ["acme tools ltd", "tools acme", "acme tols", "acme trading tools", "zebra food", "the acme"]
ODD = ["", "N/A", "x", "123", "0000000", "AB 12-34", "ab12345", "ab12354", None, 5, 1980, 7.0, float("nan"), b"ann"]
CELLS = st.one_of(st.sampled_from([*WORDS, *HAN, *PLACES, *CONTACTS, *DATES, *FIRMS, *ODD]), st.text(max_size=12))
TABLE = {
    "a": "given_name", "b": "family_name", "c": "middle_name", "d": "full_name", "e": "organization", "f": "email",
    "g": "phone", "h": "phone", "i": "birth_year", "j": "birth_month", "k": "birth_day", "l": "sex", "m": "street",
    "n": "house_number", "o": "unit", "p": "address", "q": "locality", "r": "region", "s": "postal_code",
    "t": "country", "u": "national_id", "v": "account", "w": "amount", "x": "date", "y": "category", "z": "text",
    "aa": "verified_id", "bb": "token",
}  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.fixed_dictionaries(dict.fromkeys(TABLE, CELLS)), min_size=1, max_size=3),
    left_out=st.sets(st.sampled_from(sorted(TABLE))),
    born=st.booleans(),
)
def test_one_record_has_the_normal_forms_of_the_columns(rows, left_out, born):
    kinds = {column: kind for column, kind in TABLE.items() if column not in left_out}
    if born:
        kinds = {**kinds, "i": "birth_date", "j": "birth_date"}
    columns = read_columns([{column: row[column] for column in kinds} for row in rows]) if kinds else {}
    # Cells as a column of one record each, as a list of them might be of one type.
    columns = {name: np.array([*column.tolist(), None], object)[:-1] for name, column in columns.items()}
    fields = build_fields(columns, kinds) if columns else []
    specs = [FieldSpec(name=f.name, kind=f.kind, columns=f.columns, width=f.codes.shape[1]) for f in fields]
    read = record_reader(kinds, specs)
    for row in range(len(rows)):
        expected = [tuple(None if code < 0 else f.texts[code] for code in f.codes[row]) for f in fields]
        assert read({name: column[row] for name, column in columns.items()}) == expected


def test_birth_dates_in_parts_are_read_alike():
    cells = {
        "i": [1980, "1980", 1980, 99, None, "1980", 1980],
        "j": [2, "2", 13, 2, 2, None, 2],
        "k": [3, "03", 3, 3, 3, 3, 32],
    }
    for names in ("ijk", "ij", "i", "ik"):
        kinds = {name: TABLE[name] for name in names}
        columns = {name: np.array([*cells[name], None], object)[:-1] for name in names}
        (field,) = build_fields(columns, kinds)
        read = record_reader(kinds, [FieldSpec(name=field.name, kind=field.kind, columns=field.columns, width=1)])
        for row, code in enumerate(field.first.tolist()):
            expected = None if code < 0 else field.texts[code]
            assert read({name: column[row] for name, column in columns.items()}) == [(expected,)]


def test_every_kind_is_in_the_table():
    assert {*TABLE.values(), "birth_date", "ignore"} == set(KINDS)
    assert {kind for kind, _, _ in (*SIMPLE, *APART)} <= set(KINDS)


TEXTS = {
    "name": WORDS + HAN,
    "place": [*PLACES, *HAN, "high road", "high"],
    "email": ["jodoe@gmail.com", "j.doe@example.com", "joe@example.com", "jodoe@example.com", "jo.doe1@example.com"],
    "phone": ["49600123", "49600124", "94600123", "49611123"],
    "number": ["ab12345", "ab12354", "ab12399", "x"],
    "house": ["12", "12a", "21", "1"],
    "postal": ["ab12cd", "ab12ce", "ab1", "12345"],
    "date": ["19800203", "19800302", "19800000", "19810203", "19800213", "19900709"],
    "tokens": [*FIRMS, "阳光科技", "阳光食品"],
    "flag": ["a", "b"],
}


@pytest.mark.parametrize("kind", sorted(TEXTS))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_one_pair_has_the_level_of_the_arrays_in_both_orders(kind, data):
    free = st.text("abc e王李国", min_size=1, max_size=9).map(lambda t: " ".join(t.split())).filter(bool)
    digits = st.text("0189", min_size=8, max_size=8)
    strategy = st.sampled_from(TEXTS[kind])
    if kind in ("name", "place", "tokens"):
        strategy = strategy | free
    elif kind == "email":
        strategy = strategy | free.map(lambda t: f"{t}@example.com")
    elif kind == "date":
        strategy = strategy | digits
    texts = data.draw(st.lists(strategy, min_size=2, max_size=6, unique=True))
    name = "street" if kind == "place" else kind
    key = key_of(name, kind)
    key_of_text = [key(text) if key else text for text in texts]
    keys, key_texts = factorize(key_of_text)
    words = count_words(texts) if kind == "tokens" else None
    codes = np.arange(len(texts), dtype=np.int32)[:, None]
    field = Field(
        name=name, kind=kind, codes=codes, texts=texts, keys=keys, key_texts=key_texts, columns=("c",), words=words
    )
    left, right = np.triu_indices(len(texts), 1)
    batch = compare([field], left, right)[0]
    scorer = single_scorer(kind, words)
    for level, i, j in zip(batch.tolist(), left.tolist(), right.tolist(), strict=True):
        if kind == "flag":
            assert scorer(texts[i], key_of_text[i])(texts[j], key_of_text[j]) == level
            continue
        assert scorer(texts[i], key_of_text[i])(texts[j], key_of_text[j]) == level
        assert scorer(texts[j], key_of_text[j])(texts[i], key_of_text[i]) == level
    assert (compare([field], right, left)[0] == batch).all()
    assert (compare([field], left[:1], left[:1])[0] == EQUAL).all()


def wide(seed, persons):
    """People with a country, alternatives, swapped names, firms and Chinese names."""
    columns, _ = people(seed, persons)
    rows = len(columns["email"])
    for row in range(0, rows, 7):
        given_name, family = columns["given_name"][row], columns["family_name"][row]
        columns["given_name"][row], columns["family_name"][row] = family, given_name
    for row in range(0, rows, 5):
        columns["given_name"][row], columns["family_name"][row] = ["建国", "小明", "伟"][row % 3], ["王", "张"][row % 2]
    columns["country"] = ["GB" if row % 3 else "CN" if row % 2 else "" for row in range(rows)]
    columns["mobile"] = columns["phone"][1:] + columns["phone"][:1]
    columns["company"] = [f"{'abcdefg'[row % 7]}cme trading {row % 11} ltd" for row in range(rows)]
    columns["middle_name"] = [["", "Ann", "A", "Bob"][row % 4] for row in range(rows)]
    return columns


def test_one_record_weighs_with_each_other_what_the_arrays_say():
    columns = wide(5, 35)
    matcher = Matcher.fit(columns, threshold=-60.0)
    state = matcher._state
    rows = len(columns["email"])
    entry = state.entry.view
    for row in range(0, rows, 6):
        found = matcher.check({name: values[row] for name, values in columns.items()})
        other = np.array([match.row for match in found])
        odds = weigh(state.entries, np.full(len(other), entry[row]), entry[other], workers=1)
        assert [match.weight for match in found] == (odds / np.log(2)).tolist()
        assert len(found) > 5


def test_one_record_has_the_keys_of_the_arrays():
    matcher = Matcher.fit(wide(8, 20))
    entries = matcher._state.entries
    every = np.arange(len(entries), dtype=np.int64)
    for entry, keys in enumerate(entries.keys(every)):
        slots = []
        for values, (start, end) in zip(entries.values, entries.spans, strict=True):
            f = entries.values.index(values)
            width = values.slots.view.shape[1]
            for code in entries.codes.view[entry, start:end].tolist():
                text, key = (values.texts[code], values.keys[code]) if code >= 0 else ("", "")
                slots += entries.maker.slots_of(f, text, key) if code >= 0 else [0] * width
        one = entries.maker.keys_of(int(entries.content.view[entry]), slots)
        assert set(one) == set(keys[keys != 0].tolist())
        assert len(one) == len(set(one))


def test_a_record_not_known_before_weighs_the_same_once_it_is():
    columns = wide(6, 30)
    matcher = Matcher.fit(columns)
    asked = wide(7, 6)
    for row in range(len(asked["email"])):
        record = {name: values[row] for name, values in asked.items()}
        before = matcher.check(record)
        matcher.add([record])
        after = [match for match in matcher.check(record) if match.row != len(matcher) - 1]
        assert [(m.row, m.weight) for m in before] == [(m.row, m.weight) for m in after]
        matcher.remove([len(matcher) - 1])
