"""One customer book over a store, a keyring, a policy and a clock."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.book._book import Book, MergedAll
    from custinfo.book._collections import AuditedCollection
    from custinfo.book._ledger import Statement
    from custinfo.book._report import ImportIssue, ImportReport, RejectedRow
    from custinfo.book._views import BookView, CollectionView, RecordView

__all__ = [
    "AuditedCollection",
    "Book",
    "BookView",
    "CollectionView",
    "ImportIssue",
    "ImportReport",
    "MergedAll",
    "RecordView",
    "RejectedRow",
    "Statement",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "AuditedCollection": "custinfo.book._collections",
        "Book": "custinfo.book._book",
        "BookView": "custinfo.book._views",
        "CollectionView": "custinfo.book._views",
        "ImportIssue": "custinfo.book._report",
        "ImportReport": "custinfo.book._report",
        "MergedAll": "custinfo.book._book",
        "RecordView": "custinfo.book._views",
        "RejectedRow": "custinfo.book._report",
        "Statement": "custinfo.book._ledger",
    },
)
