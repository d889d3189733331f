"""Envelope encryption of personal data: field tokens, key hierarchy, key providers, blind indexes, shredding."""

from __future__ import annotations

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto._asymmetric import HpkeKeyProvider, RsaKeyProvider
    from custinfo.crypto._aws import AwsKmsKeyProvider
    from custinfo.crypto._blind_index import BlindIndex, plan_index_bits
    from custinfo.crypto._cipher import FieldCipher
    from custinfo.crypto._key_store import KeyStore, MemoryKeyStore, SupportsGetMany
    from custinfo.crypto._keyring import Keyring, Receipt
    from custinfo.crypto._local import LocalKeyProvider
    from custinfo.crypto._passphrase import PassphraseKeyProvider
    from custinfo.crypto._provider import KeyProvider, KeyWrapper, Rewrapper, WrappedKey
    from custinfo.crypto._signer import Signer
    from custinfo.crypto._stream import decrypt_stream, encrypt_stream
    from custinfo.crypto._text import from_text, to_text
    from custinfo.crypto._vault import VaultKeyProvider
    from custinfo.model import mask

_EXPORTS = {
    "AwsKmsKeyProvider": "custinfo.crypto._aws",
    "BlindIndex": "custinfo.crypto._blind_index",
    "FieldCipher": "custinfo.crypto._cipher",
    "HpkeKeyProvider": "custinfo.crypto._asymmetric",
    "KeyProvider": "custinfo.crypto._provider",
    "KeyStore": "custinfo.crypto._key_store",
    "KeyWrapper": "custinfo.crypto._provider",
    "Keyring": "custinfo.crypto._keyring",
    "LocalKeyProvider": "custinfo.crypto._local",
    "MemoryKeyStore": "custinfo.crypto._key_store",
    "PassphraseKeyProvider": "custinfo.crypto._passphrase",
    "Receipt": "custinfo.crypto._keyring",
    "Rewrapper": "custinfo.crypto._provider",
    "RsaKeyProvider": "custinfo.crypto._asymmetric",
    "Signer": "custinfo.crypto._signer",
    "SupportsGetMany": "custinfo.crypto._key_store",
    "VaultKeyProvider": "custinfo.crypto._vault",
    "WrappedKey": "custinfo.crypto._provider",
    "decrypt_stream": "custinfo.crypto._stream",
    "encrypt_stream": "custinfo.crypto._stream",
    "from_text": "custinfo.crypto._text",
    "mask": "custinfo.model",
    "plan_index_bits": "custinfo.crypto._blind_index",
    "to_text": "custinfo.crypto._text",
}

__all__ = [
    "AwsKmsKeyProvider",
    "BlindIndex",
    "FieldCipher",
    "HpkeKeyProvider",
    "KeyProvider",
    "KeyStore",
    "KeyWrapper",
    "Keyring",
    "LocalKeyProvider",
    "MemoryKeyStore",
    "PassphraseKeyProvider",
    "Receipt",
    "Rewrapper",
    "RsaKeyProvider",
    "Signer",
    "SupportsGetMany",
    "VaultKeyProvider",
    "WrappedKey",
    "decrypt_stream",
    "encrypt_stream",
    "from_text",
    "mask",
    "plan_index_bits",
    "to_text",
]

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
