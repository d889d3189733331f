"""The contract suite that a storage backend subclasses."""

from __future__ import annotations

from custinfo.testing._deps import pytest

_PARTS = ("base", "capabilities", "carry", "columns", "feed", "keys", "model", "query", "records", "threads")
# Failed assertions of the suite shall show their values, as in a test file; pytest must know before the import.
pytest.register_assert_rewrite(*(f"custinfo.testing._store_{part}" for part in _PARTS))

from custinfo.testing._store_capabilities import CapabilitiesContract  # noqa: E402
from custinfo.testing._store_carry import CarryContract  # noqa: E402
from custinfo.testing._store_columns import ColumnsContract  # noqa: E402
from custinfo.testing._store_feed import FeedContract  # noqa: E402
from custinfo.testing._store_keys import KeysContract  # noqa: E402
from custinfo.testing._store_model import ModelContract  # noqa: E402
from custinfo.testing._store_query import QueryContract  # noqa: E402
from custinfo.testing._store_records import RecordsContract  # noqa: E402
from custinfo.testing._store_threads import ThreadsContract  # noqa: E402


class RecordStoreContract(
    RecordsContract,
    KeysContract,
    FeedContract,
    ThreadsContract,
    ModelContract,
    CapabilitiesContract,
    QueryContract,
    ColumnsContract,
    CarryContract,
):
    """Tests that every `custinfo.store.RecordStore` passes; run them with pytest in your own test file.

    Subclass it under a name that begins with ``Test`` and give ``make_store(self)``, a fresh, empty store for each
    call; ``reopen(self, store)`` may give the same one opened again after it was closed. No fixture is needed. Tests
    of capabilities are left out where the unit has them not. Each test ends within 10 s, also on a store that lets
    one unit wait for another.

    >>> from custinfo.store import MemoryStore
    >>> class TestMyStore(RecordStoreContract):
    ...     def make_store(self):
    ...         return MemoryStore()
    >>> TestMyStore().test_kinds_are_apart()
    """
