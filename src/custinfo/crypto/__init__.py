"""Envelope encryption of personal data: field tokens, key hierarchy, key providers, blind indexes, shredding."""

from __future__ import annotations

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto._blind_index import BlindIndex
    from custinfo.crypto._cipher import FieldCipher
    from custinfo.crypto._key_store import KeyStore, MemoryKeyStore
    from custinfo.crypto._keyring import Keyring, Receipt
    from custinfo.crypto._local import LocalKeyProvider
    from custinfo.crypto._provider import KeyProvider, KeyWrapper, Rewrapper, WrappedKey
    from custinfo.crypto._text import from_text, to_text
    from custinfo.model import mask

_EXPORTS = {
    "BlindIndex": "custinfo.crypto._blind_index",
    "FieldCipher": "custinfo.crypto._cipher",
    "KeyProvider": "custinfo.crypto._provider",
    "KeyStore": "custinfo.crypto._key_store",
    "KeyWrapper": "custinfo.crypto._provider",
    "Keyring": "custinfo.crypto._keyring",
    "LocalKeyProvider": "custinfo.crypto._local",
    "MemoryKeyStore": "custinfo.crypto._key_store",
    "Receipt": "custinfo.crypto._keyring",
    "Rewrapper": "custinfo.crypto._provider",
    "WrappedKey": "custinfo.crypto._provider",
    "from_text": "custinfo.crypto._text",
    "mask": "custinfo.model",
    "to_text": "custinfo.crypto._text",
}

__all__ = [
    "BlindIndex",
    "FieldCipher",
    "KeyProvider",
    "KeyStore",
    "KeyWrapper",
    "Keyring",
    "LocalKeyProvider",
    "MemoryKeyStore",
    "Receipt",
    "Rewrapper",
    "WrappedKey",
    "from_text",
    "mask",
    "to_text",
]

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
