"""Tokens of many values at once are those of each by itself."""

import base64
import hashlib
import hmac

import pytest

from custinfo.crypto import BlindIndex, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.crypto._blind_index import _base32_of_digests


@pytest.mark.parametrize("bits", [256, 255, 9])
@pytest.mark.parametrize("rotating", [False, True], ids=["one key", "rotating"])
def test_tokens_of_many_values_are_those_of_each(bits: int, rotating: bool) -> None:
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    index = BlindIndex(keyring, "email", normalize=str.casefold, bits=bits)
    values = [f"User{n}@example.com" for n in range(30)]
    index.token("x")
    if rotating:
        index.rotate()
    many = index.tokens_many(values)
    assert many == [index.tokens(value) for value in values]
    assert {len(tokens) for tokens in many} == {2 if rotating else 1}
    assert index.tokens_many([]) == []


def test_base32_of_many_digests_is_that_of_rfc_4648() -> None:
    digests = [hmac.digest(bytes(32), bytes([n]), hashlib.sha256) for n in range(256)] + [bytes(32), b"\xff" * 32]
    assert _base32_of_digests(digests) == [base64.b32encode(digest).decode().rstrip("=") for digest in digests]
