"""Storage: one small protocol, its backends, and what is written once above them."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.store._backup import backup, verify_backup
    from custinfo.store._backup_report import BackupManifest, BackupReport, BackupSection
    from custinfo.store._collection import Collection
    from custinfo.store._drill import Difference, DrillReport, drill
    from custinfo.store._find import Page
    from custinfo.store._keystore import RecordKeyStore
    from custinfo.store._memory import MemoryStore
    from custinfo.store._open import open_store
    from custinfo.store._payments import payment_columns
    from custinfo.store._postgres_store import PostgresStore
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
        SupportsPending,
        SupportsPurge,
        SupportsQuery,
        SupportsRestore,
        SupportsTrim,
        Unit,
    )
    from custinfo.store._restore import RestoreReport, restore
    from custinfo.store._sqlalchemy_store import SqlAlchemyStore
    from custinfo.store._sqlite_store import SqliteStore
    from custinfo.store._where import Q, Where

__all__ = [
    "BackupManifest",
    "BackupReport",
    "BackupSection",
    "Collection",
    "Cursor",
    "Difference",
    "DrillReport",
    "Event",
    "Key",
    "MemoryStore",
    "Page",
    "PostgresStore",
    "Q",
    "Record",
    "RecordKeyStore",
    "RecordStore",
    "RestoreReport",
    "START",
    "SqlAlchemyStore",
    "SqliteStore",
    "SupportsBackup",
    "SupportsBulk",
    "SupportsColumns",
    "SupportsKeyRange",
    "SupportsPending",
    "SupportsPurge",
    "SupportsQuery",
    "SupportsRestore",
    "SupportsTrim",
    "Unit",
    "Where",
    "backup",
    "drill",
    "open_store",
    "payment_columns",
    "restore",
    "verify_backup",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "START": "custinfo.store._protocol",
        "BackupManifest": "custinfo.store._backup_report",
        "BackupReport": "custinfo.store._backup_report",
        "BackupSection": "custinfo.store._backup_report",
        "Collection": "custinfo.store._collection",
        "Difference": "custinfo.store._drill",
        "DrillReport": "custinfo.store._drill",
        "RestoreReport": "custinfo.store._restore",
        "backup": "custinfo.store._backup",
        "drill": "custinfo.store._drill",
        "restore": "custinfo.store._restore",
        "verify_backup": "custinfo.store._backup",
        "payment_columns": "custinfo.store._payments",
        "Cursor": "custinfo.store._protocol",
        "Event": "custinfo.store._protocol",
        "Key": "custinfo.store._protocol",
        "MemoryStore": "custinfo.store._memory",
        "PostgresStore": "custinfo.store._postgres_store",
        "Page": "custinfo.store._find",
        "Q": "custinfo.store._where",
        "Record": "custinfo.store._protocol",
        "RecordKeyStore": "custinfo.store._keystore",
        "RecordStore": "custinfo.store._protocol",
        "SqlAlchemyStore": "custinfo.store._sqlalchemy_store",
        "SqliteStore": "custinfo.store._sqlite_store",
        "SupportsBackup": "custinfo.store._protocol",
        "SupportsBulk": "custinfo.store._protocol",
        "SupportsColumns": "custinfo.store._protocol",
        "SupportsKeyRange": "custinfo.store._protocol",
        "SupportsPending": "custinfo.store._protocol",
        "SupportsPurge": "custinfo.store._protocol",
        "SupportsQuery": "custinfo.store._protocol",
        "SupportsRestore": "custinfo.store._protocol",
        "SupportsTrim": "custinfo.store._protocol",
        "Unit": "custinfo.store._protocol",
        "Where": "custinfo.store._where",
        "open_store": "custinfo.store._open",
    },
)
