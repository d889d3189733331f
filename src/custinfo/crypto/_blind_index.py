"""BlindIndex: find a record by a value that is stored encrypted, without storing the value."""

from __future__ import annotations

import hmac

from custinfo.errors import AccessDeniedError, InvalidFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from custinfo.crypto._keyring import Keyring

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_DIGIT_OF = _DIGITS.encode().ljust(256)
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]

FEWEST_DISTINCT = 1024
"""Below this many distinct values, counting tokens is as good as reading: sex, birth year, country, status."""


def plan_index_bits(
    rows: int, *, distinct: int | None = None, entropy_bits: float | None = None, allow_low_entropy: bool = False
) -> int:
    """How many bits of a token to keep, so that each token stands for two to four of the values.

    For fields that are searched and need not be unique. A look-up then gives a few candidates, and whoever sees the
    index cannot tell them apart; unique keys need all 256 bits instead. Give *distinct*, *entropy_bits*, or both, and
    the smaller one counts: a field of many values of which few are common shows these few as plainly as a field of
    few values.

    Args:
        rows: how many records there will be.
        distinct: how many distinct values to expect among all there could be.
        entropy_bits: Shannon entropy of the field over the records, in bits: the sum of -p log2 p over its values.
        allow_low_entropy: plan for a field though it has few values.

    Returns:
        1 to 255.

    Raises:
        InvalidFieldError: "index.low_entropy" for fewer than 1,024 distinct values, or 10 bits of entropy;
            "index.rows" for no rows; "index.distinct" for neither of the two, or a negative entropy.

    Source: the planning rule of CipherSweet (Paragonie): two or more, and fewer than the square root of the rows.

    >>> plan_index_bits(1_000_000, distinct=50_000)
    14
    >>> plan_index_bits(1_000_000, distinct=50_000, entropy_bits=11.5)
    10
    """
    if type(rows) is not int or rows < 1:
        raise InvalidFieldError("rows must be how many records there will be, at least 1", code="index.rows")
    if distinct is not None and (type(distinct) is not int or distinct < 1):
        raise InvalidFieldError("distinct must be how many values there will be, at least 1", code="index.distinct")
    if entropy_bits is None:
        values = distinct
    elif 0 <= entropy_bits < 256:
        even = int(2**entropy_bits)  # so many values, equally common, have this entropy
        values = even if distinct is None else min(distinct, even)
    else:
        values = None
    if values is None:
        raise InvalidFieldError(
            "say how many values the field has: distinct=, or entropy_bits= from 0 to below 256", code="index.distinct"
        )
    _check_entropy(values, allow_low_entropy)
    return max(1, min(rows, values, 2**256).bit_length() - 2)


class BlindIndex:
    """Keyed tokens of a field's values, for look-ups of equal values.

    Whoever sees the tokens sees which records share a value and how often each occurs; a field of few values gives
    itself away by that alone, and is refused. Fewer *bits* mix several values under one token: look-ups then give
    candidates, to be compared after decryption. Unique keys need all 256.

    Args:
        keyring: its tenant has one key per index name.
        name: of the index, such as ``"email"``.
        normalize: from a value to its normal form, text or bytes, so that equal values give equal tokens.
        bits: length of the token, 1 to 256.
        distinct: how many distinct values to expect, if known.
        allow_low_entropy: index the field though it has few values.

    Raises:
        InvalidFieldError: "index.low_entropy" for fewer than 1,024 distinct values; "index.bits"; "index.name".
        AccessDeniedError: "keyring.write_only": such a keyring has no index keys; readers add the tokens.

    Source: RFC 2104 (February 1997) with SHA-256, truncated to its leftmost bits as in its section 5.

    >>> from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
    >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    >>> email = BlindIndex(keyring, "email", normalize=str.casefold, bits=256)
    >>> email.token("Anna@example.com") == email.token("anna@EXAMPLE.com")
    True
    """

    def __init__(
        self,
        keyring: Keyring,
        name: str,
        *,
        normalize: Callable[..., str | bytes],
        bits: int,
        distinct: int | None = None,
        allow_low_entropy: bool = False,
    ) -> None:
        if type(name) is not str or not name:
            raise InvalidFieldError("an index needs a name, such as 'email'", code="index.name")
        if type(bits) is not int or not 1 <= bits <= 256:
            raise InvalidFieldError("bits must be an int from 1 to 256; unique keys need 256", code="index.bits")
        if distinct is not None:
            _check_entropy(distinct, allow_low_entropy)
        if not keyring.can_read:
            raise AccessDeniedError(
                "a write-only keyring has no index keys; let a reader add the tokens", code="keyring.write_only"
            )
        self.name = name
        self.bits = bits
        self._access = keyring._access
        self._normalize = normalize
        self._secret = f"index/{name}"

    def __repr__(self) -> str:
        return f"BlindIndex({self.name!r}, bits={self.bits})"

    def token(self, value: object) -> str:
        """The token to store for a value.

        Args:
            value: what *normalize* takes.

        Returns:
            The leftmost *bits* of the HMAC as unpadded base32, spare bits zero: 52 characters for 256 bits. Capital
            letters and the digits 2-7 spell no date and hardly a name, so a search of raw data hits none by chance.

        Raises:
            InvalidFieldError: "index.normalize" if *normalize* fails or gives neither text nor bytes;
                "index.empty" if nothing is left of the value: missing values have no token.
            KeyUnavailableError: provider or key store does not answer.

        >>> from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> len(BlindIndex(keyring, "phone", normalize=str.strip, bits=256).token("+12025550123"))
        52
        """
        return self._digest(self._access.secrets(self._secret)[0], self._normal(value))

    def tokens(self, value: object) -> tuple[str, ...]:
        """The tokens to look a value up by: the current one and, while a rotation is open, the one before.

        Args:
            value: what *normalize* takes.

        Raises:
            InvalidFieldError, KeyUnavailableError: as `token`.

        >>> from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> phone = BlindIndex(keyring, "phone", normalize=str.strip, bits=256)
        >>> phone.tokens("+12025550123") == (phone.token("+12025550123"),)
        True
        """
        normal = self._normal(value)
        return tuple(self._digest(key, normal) for key in self._access.secrets(self._secret))

    def tokens_many(self, values: Iterable[object]) -> list[tuple[str, ...]]:
        """`tokens` of many values, with one look at the keys: call it for some hundreds at a time.

        Args:
            values: what *normalize* takes.

        Raises:
            InvalidFieldError, KeyUnavailableError: as `token`.

        >>> from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> phone = BlindIndex(keyring, "phone", normalize=str.strip, bits=256)
        >>> phone.tokens_many(["+12025550123"]) == [phone.tokens("+12025550123")]
        True
        """
        keys = self._access.secrets(self._secret)
        normal = map(self._normal, values)
        started = [hmac.new(key, digestmod="sha256") for key in keys]
        if self.bits < 256:
            return [tuple([self._token(_finished(begun, each)) for begun in started]) for each in normal]
        texts = iter(_base32_of_digests([_finished(begun, each) for each in normal for begun in started]))
        return list(zip(*[texts] * len(keys), strict=True))

    def rotate(self) -> None:
        """Begin a rotation: `token` uses a new key, `tokens` gives both. An open rotation goes on as it is.

        Then store the new token of every record, and call `finish_rotation`.

        >>> from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> phone = BlindIndex(keyring, "phone", normalize=str.strip, bits=256)
        >>> before = phone.token("+12025550123")
        >>> phone.rotate()
        >>> phone.tokens("+12025550123")[1] == before
        True
        """
        self._access.rotate_secret(self._secret, finish=False)

    def finish_rotation(self) -> None:
        """End a rotation: the key before is forgotten.

        >>> from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
        >>> keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
        >>> phone = BlindIndex(keyring, "phone", normalize=str.strip, bits=256)
        >>> phone.rotate()
        >>> phone.finish_rotation()
        >>> len(phone.tokens("+12025550123"))
        1
        """
        self._access.rotate_secret(self._secret, finish=True)

    def _normal(self, value: object) -> bytes:
        data: bytes | None = None
        try:
            normal = self._normalize(value)
            data = normal.encode() if isinstance(normal, str) else bytes(memoryview(normal))
        except Exception:  # noqa: BLE001, S110 - whatever it raises may carry the value
            pass
        if data is None:
            raise InvalidFieldError(
                "normalize failed on the value or gave neither text nor bytes; check the value first",
                code="index.normalize",
            )
        if not data:
            raise InvalidFieldError(
                "nothing is left of the value after normalize; store no token for a missing value", code="index.empty"
            )
        return data

    def _digest(self, key: bytes, normal: bytes) -> str:
        return self._token(hmac.digest(key, normal, "sha256"))

    def _token(self, digest: bytes) -> str:
        if self.bits < 256:
            size = (self.bits + 7) // 8
            spare = 8 * size - self.bits
            digest = (int.from_bytes(digest[:size], "big") >> spare << spare).to_bytes(size, "big")
        return _base32(digest)


def _finished(begun: hmac.HMAC, data: bytes) -> bytes:
    """The HMAC of the data, its key taken in already: that is half of the work for a short value."""
    own = begun.copy()
    own.update(data)
    return own.digest()


def _base32(data: bytes) -> str:
    """Base32 without padding (RFC 4648), two digits at a time: twice as fast as base64.b32encode."""
    digits = -(-8 * len(data) // 5)
    even = digits + digits % 2
    number = int.from_bytes(data, "big") << (5 * even - 8 * len(data))
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(5 * even - 10, -1, -10)])[:digits]


def _base32_of_digests(digests: list[bytes]) -> list[str]:
    """`_base32` of digests of 32 bytes, all at once: the bits of all are moved apart by the same few operations."""
    data = b"".join([digest + bytes(3) for digest in digests])
    groups = len(data) // 5
    lanes = bytearray(8 * groups)  # five bytes are eight digits, and a digit becomes a byte
    for place in range(5):
        lanes[3 + place :: 8] = data[place::5]
    bits = int.from_bytes(lanes, "big")
    for lane, half in ((8, 20), (4, 10), (2, 5)):  # bytes that hold two halves, and the bits of a half
        low = int.from_bytes(((1 << half) - 1).to_bytes(lane, "big") * (8 * groups // lane), "big")
        bits = (bits & low << half) << (4 * lane - half) | bits & low
    text = bits.to_bytes(8 * groups, "big").translate(_DIGIT_OF).decode("ascii")
    return [text[at : at + 52] for at in range(0, len(text), 56)]


def _check_entropy(distinct: int, allow_low_entropy: bool) -> None:
    if distinct < FEWEST_DISTINCT and not allow_low_entropy:
        raise InvalidFieldError(
            f"a field of {distinct} distinct values shows its values by their counts, and {FEWEST_DISTINCT} are "
            "the fewest allowed; filter after decryption, or say allow_low_entropy=True",
            code="index.low_entropy",
            distinct=distinct,
        )
