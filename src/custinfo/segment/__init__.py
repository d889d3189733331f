"""Who matters: RFM, tiers, customer lifetime value."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.segment._bg_nbd import BgNbd, fit_bg_nbd
    from custinfo.segment._clv import Summary, customer_lifetime_value, summary
    from custinfo.segment._explain import RfmExplanation, ScorePart
    from custinfo.segment._gamma_gamma import GammaGamma, fit_gamma_gamma
    from custinfo.segment._names import SEGMENTS, SegmentRule
    from custinfo.segment._optimise import ModelWarning
    from custinfo.segment._result import Rfm
    from custinfo.segment._rfm import rfm
    from custinfo.segment._tier_rules import Condition, TierRule, default_tiers
    from custinfo.segment._tiers import TierExplanation, Tiers, tiers

_MODULES = {
    "_bg_nbd": ("BgNbd", "fit_bg_nbd"),
    "_clv": ("Summary", "customer_lifetime_value", "summary"),
    "_gamma_gamma": ("GammaGamma", "fit_gamma_gamma"),
    "_optimise": ("ModelWarning",),
    "_explain": ("RfmExplanation", "ScorePart"),
    "_names": ("SEGMENTS", "SegmentRule"),
    "_result": ("Rfm",),
    "_rfm": ("rfm",),
    "_tier_rules": ("Condition", "TierRule", "default_tiers"),
    "_tiers": ("TierExplanation", "Tiers", "tiers"),
}
__all__ = [
    "BgNbd",
    "Condition",
    "GammaGamma",
    "ModelWarning",
    "Rfm",
    "RfmExplanation",
    "SEGMENTS",
    "ScorePart",
    "SegmentRule",
    "Summary",
    "TierExplanation",
    "TierRule",
    "Tiers",
    "customer_lifetime_value",
    "default_tiers",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "rfm",
    "summary",
    "tiers",
]

__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}
)
