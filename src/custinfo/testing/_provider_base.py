"""What the parts of the key provider's contract share: how to make a provider, and how to look for a secret."""

from __future__ import annotations

import base64
import os
import traceback

from custinfo.crypto import WrappedKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from custinfo.crypto import KeyProvider

CONTEXT = b"custinfo/contract"


class ProviderContract:
    """The hooks of the suite."""

    def make_provider(self) -> KeyProvider:
        """A provider; each call may give one of another key."""
        raise NotImplementedError("give a KeyProvider")

    def reopen(self, provider: KeyProvider) -> KeyProvider:
        """Another provider object over the same key, where one can be made; else the provider itself."""
        return provider

    def revoke(self, provider: KeyProvider) -> bool:
        """Make the key unusable as an operator would: disable it, or stop its service; False where nobody can."""
        return False

    def secrets(self, provider: KeyProvider) -> Sequence[bytes]:
        """What must never show: the provider's key, passphrase, token."""
        return ()


def changed(wrapped: WrappedKey, blob: bytes) -> WrappedKey:
    """The same with another blob."""
    return WrappedKey(wrapped.key_uri, wrapped.version, blob)


def flipped(blob: bytes, at: int) -> bytes:
    """The blob with one bit of the byte at this place turned over."""
    return blob[:at] + bytes([blob[at] ^ 1 << at % 8]) + blob[at + 1 :]


def new_key() -> bytes:
    """32 random bytes."""
    return os.urandom(32)


def shows(text: str | bytes, secret: bytes) -> bool:
    """Whether a piece of *secret* stands in *text*: as it is, in hexadecimal, in base64, or as Python writes bytes."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    size = min(8, len(secret))
    pieces = {secret[at : at + size] for at in (0, len(secret) - size)}
    forms = {
        form
        for piece in pieces
        for form in (piece, piece[::-1], piece.hex().encode(), piece.hex().upper().encode(), repr(piece)[2:-1].encode())
    }
    # The letters of six bytes stand on their own in base64 if they begin at a multiple of three.
    forms |= {base64.b64encode(secret[:6])[:8], base64.urlsafe_b64encode(secret[:6])[:8]}
    return any(form in data for form in forms)


def said_by(error: BaseException) -> str:
    """All that an error says: message, repr, attributes, and the traceback as Python prints it."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
