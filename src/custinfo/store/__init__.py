"""Storage: one small protocol, its backends, and what is written once above them."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.store._collection import Collection
    from custinfo.store._keystore import RecordKeyStore
    from custinfo.store._memory import MemoryStore
    from custinfo.store._open import open_store
    from custinfo.store._payments import payment_columns
    from custinfo.store._protocol import (
        START,
        Cursor,
        Event,
        Key,
        Record,
        RecordStore,
        SupportsBackup,
        SupportsBulk,
        SupportsColumns,
        SupportsKeyRange,
        SupportsPurge,
        SupportsQuery,
        SupportsRestore,
        SupportsTrim,
        Unit,
    )
    from custinfo.store._sqlite_store import SqliteStore

__all__ = [
    "Collection",
    "Cursor",
    "Event",
    "Key",
    "MemoryStore",
    "Record",
    "RecordKeyStore",
    "RecordStore",
    "START",
    "SqliteStore",
    "SupportsBackup",
    "SupportsBulk",
    "SupportsColumns",
    "SupportsKeyRange",
    "SupportsPurge",
    "SupportsQuery",
    "SupportsRestore",
    "SupportsTrim",
    "Unit",
    "open_store",
    "payment_columns",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "START": "custinfo.store._protocol",
        "Collection": "custinfo.store._collection",
        "payment_columns": "custinfo.store._payments",
        "Cursor": "custinfo.store._protocol",
        "Event": "custinfo.store._protocol",
        "Key": "custinfo.store._protocol",
        "MemoryStore": "custinfo.store._memory",
        "Record": "custinfo.store._protocol",
        "RecordKeyStore": "custinfo.store._keystore",
        "RecordStore": "custinfo.store._protocol",
        "SqliteStore": "custinfo.store._sqlite_store",
        "SupportsBackup": "custinfo.store._protocol",
        "SupportsBulk": "custinfo.store._protocol",
        "SupportsColumns": "custinfo.store._protocol",
        "SupportsKeyRange": "custinfo.store._protocol",
        "SupportsPurge": "custinfo.store._protocol",
        "SupportsQuery": "custinfo.store._protocol",
        "SupportsRestore": "custinfo.store._protocol",
        "SupportsTrim": "custinfo.store._protocol",
        "Unit": "custinfo.store._protocol",
        "open_store": "custinfo.store._open",
    },
)
