"""Contract suites for third-party backends, key stores and key providers; they need the extra ``testing``."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.testing._keys import KeyStoreContract
    from custinfo.testing._providers import KeyProviderContract
    from custinfo.testing._store import RecordStoreContract

__all__ = ["KeyProviderContract", "KeyStoreContract", "RecordStoreContract"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "KeyProviderContract": "custinfo.testing._providers",
        "KeyStoreContract": "custinfo.testing._keys",
        "RecordStoreContract": "custinfo.testing._store",
    },
)
