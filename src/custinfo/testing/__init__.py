"""Contract suites for third-party backends and key providers; they need the extra ``testing``."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.testing._store import RecordStoreContract

__all__ = ["RecordStoreContract"]

__getattr__, __dir__ = lazy_exports(__name__, {"RecordStoreContract": "custinfo.testing._store"})
