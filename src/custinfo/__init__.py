"""Customer information for billing and payment systems."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.book import Book
    from custinfo.crypto import FieldCipher, Keyring
    from custinfo.dedupe import find_duplicates
    from custinfo.errors import CustInfoError
    from custinfo.model import Account, Customer, Money, Transaction
    from custinfo.segment import rfm
    from custinfo.store import open_store

__version__ = "0.1.0"
__all__ = [
    "Account",
    "Book",
    "CustInfoError",
    "Customer",
    "FieldCipher",
    "Keyring",
    "Money",
    "Transaction",
    "find_duplicates",
    "open_store",
    "rfm",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Account": "custinfo.model",
        "Book": "custinfo.book",
        "CustInfoError": "custinfo.errors",
        "Customer": "custinfo.model",
        "FieldCipher": "custinfo.crypto",
        "Keyring": "custinfo.crypto",
        "Money": "custinfo.model",
        "Transaction": "custinfo.model",
        "find_duplicates": "custinfo.dedupe",
        "open_store": "custinfo.store",
        "rfm": "custinfo.segment",
    },
)
