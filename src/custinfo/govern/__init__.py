"""Who may see what, who did what, and what a person may demand: policy, audit log, rights."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.govern._audit import AuditLog
    from custinfo.govern._audited import Act, Auditor, Work
    from custinfo.govern._entry import AuditEntry
    from custinfo.govern._policy import Authorizer, Grant, Policy, Principal
    from custinfo.govern._receipt import ErasureReceipt
    from custinfo.govern._rights import Rights, check_holds

__all__ = [
    "Act",
    "AuditEntry",
    "AuditLog",
    "Auditor",
    "Authorizer",
    "ErasureReceipt",
    "Grant",
    "Policy",
    "Principal",
    "Rights",
    "Work",
    "check_holds",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Act": "custinfo.govern._audited",
        "AuditEntry": "custinfo.govern._entry",
        "AuditLog": "custinfo.govern._audit",
        "Auditor": "custinfo.govern._audited",
        "Authorizer": "custinfo.govern._policy",
        "ErasureReceipt": "custinfo.govern._receipt",
        "Grant": "custinfo.govern._policy",
        "Policy": "custinfo.govern._policy",
        "Principal": "custinfo.govern._policy",
        "Rights": "custinfo.govern._rights",
        "Work": "custinfo.govern._audited",
        "check_holds": "custinfo.govern._rights",
    },
)
