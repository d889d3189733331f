"""Key commitment: a ciphertext made to open under two keys, which GCM allows, opens under the one that it names."""

from __future__ import annotations

from functools import cache
from itertools import count

import pytest
from crypto_helpers import STARTS
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from custinfo.crypto import FieldCipher, Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.crypto import _data_keys as data_keys_module
from custinfo.crypto._codec import decode
from custinfo.crypto._format import field_key
from custinfo.crypto._suites import suite_of
from custinfo.errors import DecryptionError

DEKS = [b"\x01" * 32, b"\x02" * 32]


def names_of(*names):
    return b"".join(len(name).to_bytes(4, "big") + name for name in names)


def test_a_ciphertext_valid_under_two_keys_opens_under_the_one_it_names(suite):
    """GCM does not commit to its key: such a ciphertext can be built (Dodis et al., CRYPTO 2018). The key id does."""
    place = {"entity": "e", "record": "r", "field": "f"}
    for target in DEKS:
        token = token_of_two_keys(suite, STARTS[suite] + field_key(target)[1], names_of(b"t", b"e", b"r", b"f"))
        for dek in DEKS:
            cipher = FieldCipher.from_dek(dek, tenant="t", suite=suite)
            if dek == target:
                assert len(cipher.decrypt(token, **place)) == 46
            else:
                with pytest.raises(DecryptionError):
                    cipher.decrypt(token, **place)


@pytest.mark.parametrize("mode", ["subject", "tenant"])
def test_a_ciphertext_valid_under_the_keys_of_two_subjects_opens_for_the_one_it_names(suite, mode, monkeypatch):
    provider, store = LocalKeyProvider.generate(), MemoryKeyStore()
    drawn = Drawn(iter(DEKS))
    headers = []
    for record in ("1", "2"):
        ring = Keyring(provider, store, mode=mode, suite=suite)
        ring.secret("so that the root is there")
        with monkeypatch.context() as patch:
            patch.setattr(data_keys_module, "os", drawn)
            headers.append(FieldCipher(ring).encrypt("x", entity="e", record=record, field="f")[:34])
    assert [header[2:] for header in headers] == [field_key(dek)[1] for dek in DEKS]
    token = token_of_two_keys(suite, headers[0], names_of(b"default", b"e", b"1", b"f"))
    reader = FieldCipher(Keyring(provider, store, mode=mode, suite=suite))
    assert reader.decrypt(token, entity="e", record="1", field="f")
    body = token[34:]
    for moved, record, subject in (
        (headers[1] + body, "1", None),
        (headers[1] + body, "2", None),
        (headers[1] + body, "1", "2"),
        (headers[0] + body, "2", None),
        (headers[0] + body, "2", "1"),
    ):
        with pytest.raises(DecryptionError):
            reader.decrypt(moved, entity="e", record=record, field="f", subject=subject)


class Drawn:
    """Gives these data keys in place of random ones."""

    def __init__(self, keys):
        self.keys = keys

    def urandom(self, _count):
        return next(self.keys)


BLOCK_CIPHERS = {
    "AES-256-GCM": algorithms.AES,
    "SM4-GCM": lambda key: algorithms.SM4(key[:16]),
}


def token_of_two_keys(suite, header, names):
    """A token whose ciphertext and tag GCM accepts under both of DEKS, with a plaintext in canonical form each time.

    Of three blocks of ciphertext the middle one is solved for, so that the tags meet; the others are chosen.
    """
    first, last, nonce = meeting_blocks(suite)
    aad = header + names
    blocks = [int.from_bytes(aad[at : at + 16].ljust(16, b"\x00"), "big") for at in range(0, len(aad), 16)]
    lengths = 8 * len(aad) << 64 | 8 * 48
    # Tag_k = sum of blocks times powers of H_k, plus mask: with the middle block unknown this is linear in it.
    constants, cubes = [], []
    for ecb in two_ecbs(suite):
        h = int.from_bytes(ecb.update(bytes(16)), "big")
        y = 0
        for block in [*blocks, first, 0, last, lengths]:
            y = multiply(y ^ block, h)
        constants.append(y ^ int.from_bytes(ecb.update(nonce + b"\x00\x00\x00\x01"), "big"))
        cubes.append(multiply(h, multiply(h, h)))
    middle = multiply(constants[0] ^ constants[1], inverse(cubes[0] ^ cubes[1]))
    tag = constants[0] ^ multiply(middle, cubes[0])
    body = b"".join(part.to_bytes(16, "big") for part in (first, middle, last, tag))
    plain = [
        suite_of(suite).seal(field_key(dek)[0]).decrypt(nonce, body, aad) for dek in DEKS
    ]  # it is valid under both
    assert plain[0] != plain[1]
    assert all(len(decode(one)) == 46 for one in plain)
    return header + nonce + body


@cache
def meeting_blocks(suite):
    """First and last block of ciphertext and a nonce under which both plaintexts begin with codec 1 and end in 0x80."""
    ecbs = two_ecbs(suite)
    for page in count():
        nonces = [(number << 40).to_bytes(12, "big") for number in range(page << 13, page + 1 << 13)]
        starts, ends = (
            [ecb.update(counter.join(nonces) + counter) for ecb in ecbs]
            for counter in (b"\x00\x00\x00\x02", b"\x00\x00\x00\x04")
        )
        quads = zip(starts[0][::16], starts[1][::16], ends[0][15::16], ends[1][15::16], strict=True)
        for nonce, (start, other_start, end, other_end) in zip(nonces, quads, strict=True):
            if start == other_start and end == other_end:
                return (start ^ 0x01) << 120, end ^ 0x80, nonce
    raise AssertionError  # count() does not end


def two_ecbs(suite):
    """The bare block cipher under the keys of DEKS."""
    keys = [field_key(dek)[0] for dek in DEKS]
    return [Cipher(BLOCK_CIPHERS[suite](key), modes.ECB()).encryptor() for key in keys]  # noqa: S305 - on purpose


def multiply(x, y):
    """GF(2^128) as in NIST SP 800-38D, section 6.3."""
    z = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            z ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return z


def inverse(x):
    result, power = 1 << 127, x
    for _ in range(127):
        power = multiply(power, power)
        result = multiply(result, power)
    return result
