"""Values through the cipher and back, by type; what the length of a token shows."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from crypto_helpers import SUITES
from hypothesis import given
from hypothesis import strategies as st

import custinfo.crypto
from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.crypto._codec import decode, encode
from custinfo.errors import InvalidFieldError

CIPHER = FieldCipher.from_dek(b"\x09" * 32, tenant="shop-1")
HERE = {"entity": "customer", "record": "17"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
VALUES = (
    st.none()
    | st.binary()
    | TEXT
    | st.integers()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.timedeltas(timedelta(-1), timedelta(1)).filter(
        lambda delta: abs(delta) < timedelta(1)
    ).map(timezone))
    | JSON
)  # fmt: skip


def round_trip(value, cipher=CIPHER):
    return cipher.decrypt(cipher.encrypt(value, **HERE, field="a"), **HERE, field="a")


@pytest.mark.parametrize("suite", SUITES)
@given(value=VALUES)
def test_a_value_comes_back_by_type(suite, value):
    got = round_trip(value, FieldCipher.from_dek(b"\x09" * 32, tenant="shop-1", suite=suite))
    assert type(got) is type(value)
    assert got == value
    if isinstance(value, datetime):
        assert got.utcoffset() == value.utcoffset()
    if isinstance(value, float):
        assert math.copysign(1, got) == math.copysign(1, value)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=6), TEXT, TEXT)
def test_a_record_comes_back_in_its_order(values, entity, record):
    tokens = CIPHER.encrypt_record(values, entity=entity, record=record)
    got = CIPHER.decrypt_record(tokens, entity=entity, record=record)
    assert list(got.items()) == list(values.items())


@given(st.binary(max_size=64))
def test_trailing_zeros_and_padding_marks_survive(value):
    for tail in (b"", b"\x00", b"\x80", b"\x80\x00\x00", bytes(16)):
        assert round_trip(value + tail) == value + tail


@pytest.mark.parametrize("suite", SUITES)
@given(value=st.binary(max_size=100) | TEXT)
def test_a_token_costs_62_bytes_and_the_padding(suite, value):
    size = 1 + len(value if isinstance(value, bytes) else value.encode())
    cipher = FieldCipher.from_dek(b"\x09" * 32, tenant="shop-1", suite=suite)
    assert len(cipher.encrypt(value, **HERE, field="a")) == 62 + size + 16 - size % 16


def test_short_values_of_any_type_have_one_length():
    values = [None, b"", "", "Anna", 0, date(1980, 1, 1), True, [], {}, 1.5]
    assert {len(CIPHER.encrypt(value, **HERE, field="a")) for value in values} == {78}


def test_a_megabyte_goes_through():
    assert round_trip("張" * 350_000) == "張" * 350_000


def test_a_named_time_zone_comes_back_as_its_offset():
    value = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Etc/GMT-2"))
    assert round_trip(value).utcoffset() == timedelta(hours=2)
    assert round_trip(value) == value


def test_a_subclass_is_refused_because_it_would_not_come_back():
    class Name(str):
        __slots__ = ()

    for value in (Name("x"), type("Whole", (int,), {})(1), type("Day", (date,), {})(2026, 1, 1)):
        with pytest.raises(InvalidFieldError, match="cannot be encrypted; convert it") as caught:
            CIPHER.encrypt(value, **HERE, field="a")
        assert caught.value.code == "cipher.type"


def test_subject_is_the_record_by_default():
    cipher = FieldCipher(Keyring(LocalKeyProvider.generate(), MemoryKeyStore()))
    token = cipher.encrypt("x", **HERE, field="a", subject="17")
    assert cipher.decrypt(token, **HERE, field="a") == "x"


def test_some_fields_can_be_decrypted_alone_and_damage_to_others_does_not_matter():
    tokens = CIPHER.encrypt_record({"a": 1, "b": 2, "c": 3}, **HERE)
    tokens["c"] = b"damaged"
    assert CIPHER.decrypt_record(tokens, **HERE, fields=iter(["b", "a"])) == {"b": 2, "a": 1}
    with pytest.raises(InvalidFieldError) as caught:
        CIPHER.decrypt_record(tokens, **HERE, fields=["d"])
    assert caught.value.code == "cipher.no_token"


def test_many_records_go_through_one_given_key_as_well():
    rows = [(str(number), None if number % 2 else "s", {"a": number}) for number in range(600)]
    tokens = CIPHER.encrypt_records(iter(rows), entity="e")
    sealed = ((record, subject, token) for (record, subject, _), token in zip(rows, tokens, strict=True))
    assert CIPHER.decrypt_records(sealed, entity="e") == [values for _, _, values in rows]


def test_a_record_may_hold_tokens_under_several_keys():
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    tokens = {}
    for number in range(4):
        cipher = FieldCipher(Keyring(provider, store, mode="tenant"))
        tokens |= cipher.encrypt_record({f"a{number}": number, f"b{number}": number}, **HERE)
    reader = FieldCipher(Keyring(provider, store, mode="tenant"))
    expected = {f"{letter}{number}": number for number in range(4) for letter in "ab"}
    assert reader.decrypt_record(tokens, **HERE) == expected


def test_many_field_names_do_not_grow_the_memory_of_names():
    cipher = FieldCipher.from_dek(bytes(32), tenant="t")
    for number in range(5000):
        cipher.encrypt(None, **HERE, field=str(number))
    assert len(cipher._frames) <= 4096


def test_process_keys_in_memory_are_bounded():
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    tokens = [FieldCipher(Keyring(provider, store, mode="tenant")).encrypt("x", **HERE, field="a") for _ in range(5)]
    reader = FieldCipher(Keyring(provider, store, mode="tenant", cache_size=2))
    for _ in range(2):
        assert [reader.decrypt(token, **HERE, field="a") for token in tokens] == ["x"] * 5
    assert len(reader._keys._held) <= 2


def test_only_keys_are_kept_in_memory_and_no_cipher_objects():
    """An AESGCM object weighs 2.4 KB; in tenant mode two are kept, of the keys in use."""
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    for mode, kept in (("subject", 0), ("tenant", 2)):
        ring = Keyring(provider, store, mode=mode)
        tokens = [FieldCipher(Keyring(provider, store, mode=mode)).encrypt("x", **HERE, field="a") for _ in range(5)]
        cipher = FieldCipher(ring)
        cipher.encrypt("x", **HERE, field="a")
        assert [cipher.decrypt(token, **HERE, field="a") for token in tokens] == ["x"] * 5
        assert {
            len(key) for held in ring._access._held.values() for key in (held.key, *(held.more or {}).values())
        } == {32}
        slots = [ring._access._process, ring._access._last_read]
        assert sum(slot is not None for slot in slots) == kept


@pytest.mark.parametrize("names", [{"entity": 5}, {"record": None}, {"field": b"a"}, {"record": "\ud800"}], ids=repr)
def test_names_must_be_text(names):
    with pytest.raises(InvalidFieldError) as caught:
        CIPHER.encrypt("x", **({"entity": "e", "record": "r", "field": "f"} | names))
    assert caught.value.code == "cipher.name"


@pytest.mark.parametrize("dek", [b"", bytes(31), bytes(33), "0" * 32, None], ids=repr)
def test_a_data_key_has_32_bytes(dek):
    with pytest.raises(InvalidFieldError) as caught:
        FieldCipher.from_dek(dek, tenant="t")
    assert caught.value.code == "key.length"


def test_repr_names_the_keyring_and_no_key():
    assert repr(CIPHER) == "FieldCipher(one data key)"
    cipher = FieldCipher(Keyring(LocalKeyProvider.generate(), MemoryKeyStore(), tenant="shop-1"))
    assert repr(cipher) == "FieldCipher(Keyring(tenant='shop-1', mode='subject'))"


def test_the_codec_is_whole_without_the_shortcuts_of_the_cipher():
    for value in ("Anna", b"Anna", None):
        assert decode(encode(value)) == value


def test_json_keeps_letters_beyond_ascii_short():
    long, short = (
        CIPHER.encrypt(["é" * 20], **HERE, field="a"),
        CIPHER.encrypt(json.dumps(["é" * 20]), **HERE, field="a"),
    )
    assert len(long) < len(short)


def test_every_public_name_can_be_had():
    for name in custinfo.crypto.__all__:
        assert getattr(custinfo.crypto, name).__name__ == name
