"""The bytes of a stored object: what is changed in them is noticed, and no error shows what was in them."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import CustInfoError, DecryptionError, InvalidFieldError, SchemaVersionError, StoreError
from custinfo.store._payload import Payload, pack, pack_sealed, unpack

KEY = bytes(range(32))
PAYLOAD = Payload({"$v": "customer/1", "id": "c1", "tags": [{"name": "vip"}]}, {"names": b"token-1", "b": b""}, "c0")
MAC = "af33d3ca2e3077159f24908b2a4d7c3d796302550a608fb72d6198dba0a6092e"
SEALED = pack_sealed(PAYLOAD, kind="customer", id="c1", key=KEY)

names = st.text(max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
)
clear = st.dictionaries(names.filter(lambda name: name not in {"$sealed", "$subject"}), json_values, max_size=4)


def opened(data: bytes, *, kind: str = "customer", id: str = "c1", key: bytes | None = KEY) -> Payload:
    return unpack(data, kind=kind, id=id, key=key)


@given(clear)
def test_a_plain_payload_is_its_json(fields: dict[str, Any]) -> None:
    data = pack(fields)
    assert json.loads(data) == fields
    assert opened(data, key=None) == (fields, {}, None)


@given(clear, st.dictionaries(names, st.binary(max_size=9), max_size=4), st.none() | names, names, names)
def test_a_sealed_payload_comes_back(
    fields: dict[str, Any], tokens: dict[str, bytes], subject: str | None, kind: str, id: str
) -> None:
    payload = Payload(fields, tokens, subject)
    assert opened(pack_sealed(payload, kind=kind, id=id, key=KEY), kind=kind, id=id) == payload


def test_the_layout_is_the_one_of_the_description() -> None:
    """A golden file in one line: other implementations must be able to read it."""
    head = b'{"$v":"customer/1","id":"c1","tags":[{"name":"vip"}],"$sealed":["names","b"],"$subject":"c0"}'
    rest = len(head).to_bytes(4, "big") + head + b"\0\0\0\7token-1" + b"\0\0\0\0"
    named = b"\0\0\0\x08customer" + b"\0\0\0\x02c1"
    mac = hmac.digest(KEY, b"\xc2\x01" + named + rest, "sha256")
    assert b"\xc2\x01" + mac + rest == SEALED
    assert mac.hex() == MAC


def test_every_flipped_bit_is_noticed() -> None:
    for place in range(len(SEALED)):
        for bit in range(8):
            data = bytearray(SEALED)
            data[place] ^= 1 << bit
            with pytest.raises((DecryptionError, SchemaVersionError)):
                opened(bytes(data))


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_every_cut_is_noticed(length: int) -> None:
    with pytest.raises(DecryptionError):
        opened(SEALED[:length])


@settings(max_examples=200)
@given(st.binary(max_size=80), st.sampled_from([KEY, None]))
def test_any_bytes_give_a_payload_or_an_error_of_ours(data: bytes, key: bytes | None) -> None:
    for start in (b"", b"\xc2\x01", b"\xc2\x02", b"{"):
        try:
            found = opened(start + data, key=key)
        except CustInfoError as error:
            assert error.__cause__ is None  # noqa: PT017 - either outcome is right
        else:
            assert isinstance(found.clear, dict)


@pytest.mark.parametrize("rest", [b"", b"\0", b"\0\0\0\2{}\0\0\0\1x", b"\0\0\0\4null", b"\0\0\0\1{", b"\0\0\0\x09{}"])
def test_a_payload_that_another_program_sealed_badly_is_refused(rest: bytes) -> None:
    named = b"\0\0\0\x08customer\0\0\0\x02c1"
    data = b"\xc2\x01" + hmac.digest(KEY, b"\xc2\x01" + named + rest, "sha256") + rest
    with pytest.raises(StoreError) as caught:
        opened(data)
    assert caught.value.code == "payload.broken"


def test_the_names_of_the_tokens_must_be_a_list_of_their_number() -> None:
    for sealed in (7, None, "n", ["a", "b"], [["a"]], []):
        payload = Payload({"$sealed": sealed}, {}, None)
        good = pack_sealed(payload, kind="k", id="i", key=KEY)
        rest = good[34:] + b"\0\0\0\1t"
        named = b"\0\0\0\1k\0\0\0\1i"
        data = b"\xc2\x01" + hmac.digest(KEY, b"\xc2\x01" + named + rest, "sha256") + rest
        if sealed == "n":
            assert opened(data, kind="k", id="i").tokens == {"n": b"t"}
            continue
        with pytest.raises(StoreError):
            opened(data, kind="k", id="i")


@pytest.mark.parametrize("where", [{"kind": "account"}, {"id": "c2"}, {"id": "c1\0"}, {"kind": "customerc", "id": "1"}])
def test_a_payload_opens_in_its_own_place_only(where: dict[str, str]) -> None:
    with pytest.raises(DecryptionError) as caught:
        opened(SEALED, **where)
    assert caught.value.code == "payload.altered"


@pytest.mark.parametrize("key", [b"", bytes(32)])
def test_another_key_opens_nothing(key: bytes) -> None:
    with pytest.raises(DecryptionError):
        opened(SEALED, key=key)


def test_a_plain_payload_is_refused_in_an_encrypted_collection() -> None:
    with pytest.raises(DecryptionError):
        opened(pack({"id": "c1"}))


def test_an_encrypted_payload_needs_a_key() -> None:
    with pytest.raises(InvalidFieldError) as caught:
        opened(SEALED, key=None)
    assert caught.value.code == "store.cipher"


@pytest.mark.parametrize("key", [KEY, None])
def test_a_payload_of_a_newer_release_says_so(key: bytes | None) -> None:
    with pytest.raises(SchemaVersionError):
        opened(b"\xc2\x02anything", key=key)


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b"{", b'{"a":', b"\xff", b'{"a":' * 9000, b"[" * 9000])
def test_broken_json_is_damage(data: bytes) -> None:
    with pytest.raises(StoreError) as caught:
        opened(data, key=None)
    assert caught.value.code == "payload.broken"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("value", ["Rosa\ud800", float("nan"), {1, 2}, object(), {"a": {"b": {3}}}])
def test_what_has_no_json_form_is_refused_without_being_shown(value: Any) -> None:
    for write in (pack, lambda fields: pack_sealed(Payload(fields, {}, None), kind="k", id="i", key=KEY)):
        with pytest.raises(InvalidFieldError) as caught:
            write({"note": value})
        assert caught.value.code == "payload.json"
        assert "Rosa" not in str(caught.value)
        assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", ["$sealed", "$subject"])
def test_names_of_the_payload_itself_are_reserved(name: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        pack({name: "x"})
    assert caught.value.code == "payload.reserved"
