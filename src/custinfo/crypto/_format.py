"""The bytes of field format version 1 that do not depend on a value: framing, headers, derived keys."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from custinfo.errors import DecryptionError, InvalidFieldError, KeyDestroyedError

KEY_LEN = 32
ID_LEN = 32
NONCE_LEN = 12
TAG_LEN = 16
BLOCK_LEN = 16
FIELD_MAGIC = b"\xc1"
HEADER_LEN = 2 + ID_LEN
SHORTEST_TOKEN = HEADER_LEN + NONCE_LEN + BLOCK_LEN + TAG_LEN

_SHA256 = SHA256()
_FRAMES_KEPT = 4096


def framed(text: str) -> bytes:
    """L(x): the length as uint32 big-endian, then UTF-8. Framing keeps ("a", "bc") and ("ab", "c") apart."""
    try:
        data = text.encode()
        return len(data).to_bytes(4, "big") + data
    except (AttributeError, UnicodeEncodeError):
        pass
    # Outside the handler, so that no error in the chain carries the text.
    raise InvalidFieldError(
        "names and ids must be text that UTF-8 can hold; pass a str without lone surrogates", code="cipher.name"
    )


class Frames(dict[str, bytes]):
    """`framed` with a memory, for the names of fields: they repeat in every call and are not personal."""

    def __missing__(self, name: str) -> bytes:
        if len(self) >= _FRAMES_KEPT:
            self.clear()
        self[name] = frame = framed(name)
        return frame


def expand(secret: bytes, *, info: bytes, length: int) -> bytes:
    """HKDF-Expand-SHA256 (RFC 5869, section 2.3) of a uniformly random secret; no extract step is needed."""
    return HKDFExpand(_SHA256, length, info).derive(secret)


def field_key(dek: bytes) -> tuple[bytes, bytes]:
    """The encryption key of a data key and its id: (key 32, kid 32).

    The key id comes out of the same derivation as the key. So it commits to the key: GCM alone lets one
    ciphertext open under two keys, and here the second key would have another id.
    """
    okm = HKDFExpand(_SHA256, KEY_LEN + ID_LEN, b"custinfo/v1/field").derive(dek)
    return okm[:KEY_LEN], okm[KEY_LEN:]


def bad_token() -> DecryptionError:
    """The error for every fault of a token or of its key's row: one class, one message, one code."""
    return DecryptionError(
        "the token cannot be decrypted; it was altered, belongs to another field, record or subject, "
        "or was made under another key"
    )


def destroyed() -> KeyDestroyedError:
    """The error for a token or a subject whose key was shredded."""
    return KeyDestroyedError("the key of this subject was destroyed; its data cannot be read or written any more")
