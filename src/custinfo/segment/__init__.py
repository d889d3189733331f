"""Who matters: RFM, tiers."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.segment._explain import RfmExplanation, ScorePart
    from custinfo.segment._names import SEGMENTS, SegmentRule
    from custinfo.segment._result import Rfm
    from custinfo.segment._rfm import rfm
    from custinfo.segment._tier_rules import Condition, TierRule, default_tiers
    from custinfo.segment._tiers import TierExplanation, Tiers, tiers

_MODULES = {
    "_explain": ("RfmExplanation", "ScorePart"),
    "_names": ("SEGMENTS", "SegmentRule"),
    "_result": ("Rfm",),
    "_rfm": ("rfm",),
    "_tier_rules": ("Condition", "TierRule", "default_tiers"),
    "_tiers": ("TierExplanation", "Tiers", "tiers"),
}
__all__ = [
    "Condition",
    "Rfm",
    "RfmExplanation",
    "SEGMENTS",
    "ScorePart",
    "SegmentRule",
    "TierExplanation",
    "TierRule",
    "Tiers",
    "default_tiers",
    "rfm",
    "tiers",
]

__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}
)
