"""Who was shredded, as the key store on a record store can list it in one walk."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from custinfo.errors import KeyUnavailableError, StoreError
from custinfo.store._keystore import KIND, TOMBSTONE, RecordKeyStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.crypto import Keyring

_PAGE = 1000
_SUBJECTS = 65_536
_PREFIX = "subject/"


def gone_of(keyring: Keyring) -> Callable[[str], bool]:
    """A function that says whether a subject was shredded, fast for millions of them.

    A key store is asked once for each subject; one on a record store lists its few tombstones first, so that all the
    others need no question.

    Raises:
        KeyUnavailableError: the key store does not answer.
    """
    ask = lru_cache(_SUBJECTS)(keyring.is_shredded)
    if not isinstance(keyring.key_store, RecordKeyStore):
        return ask
    try:
        buried = _buried(keyring.key_store)
    except StoreError as exc:
        message = f"the key store cannot be read ({exc.code}), and without it nobody knows who was erased"
        raise KeyUnavailableError(message) from None
    return lambda subject: subject in buried and ask(subject)


def _buried(key_store: RecordKeyStore) -> frozenset[str]:
    """Subjects of any tenant that have a tombstone; docs/crypto-format.md specifies the names of rows."""
    found: list[str] = []
    after = _PREFIX
    with key_store.store.unit(write=False) as unit:
        while page := unit.page(KIND, after, _PAGE):
            found += [
                record.id.split("/", 2)[2]
                for record in page
                if record.id.startswith(_PREFIX) and record.data[:1] == TOMBSTONE
            ]
            after = page[-1].id
    return frozenset(found)
