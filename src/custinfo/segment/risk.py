"""Odd payments: one at a time as they come (`Monitor`), or a whole table (`anomalies`)."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.segment._risk_anomalies import Anomalies, anomalies
    from custinfo.segment._risk_decision import Decision, Reason
    from custinfo.segment._risk_history import History
    from custinfo.segment._risk_monitor import Monitor
    from custinfo.segment._risk_rules import DEFAULT_RULES, Action, Rule

_MODULES = {
    "_risk_anomalies": ("Anomalies", "anomalies"),
    "_risk_decision": ("Decision", "Reason"),
    "_risk_history": ("History",),
    "_risk_monitor": ("Monitor",),
    "_risk_rules": ("Action", "DEFAULT_RULES", "Rule"),
}
__all__ = ["Action", "Anomalies", "DEFAULT_RULES", "Decision", "History", "Monitor", "Reason", "Rule", "anomalies"]

__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"custinfo.segment.{module}" for module, names in _MODULES.items() for name in names}
)
