"""Who matters: RFM, tiers, behaviour, life cycle, cohorts, contribution, satisfaction, customer lifetime value."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.segment._active_hours import ActiveHours, BestHours, active_hours
    from custinfo.segment._affinity import Affinity, AffinityExplanation, affinity
    from custinfo.segment._behaviour import Behaviour, behaviour
    from custinfo.segment._bg_nbd import BgNbd, fit_bg_nbd
    from custinfo.segment._calibration import Calibration, calibration
    from custinfo.segment._clv import Summary, customer_lifetime_value, summary
    from custinfo.segment._cohorts import Cohorts, cohorts
    from custinfo.segment._contribution import Contribution, contribution
    from custinfo.segment._explain import RfmExplanation, ScorePart
    from custinfo.segment._gamma_gamma import GammaGamma, fit_gamma_gamma
    from custinfo.segment._interactions import Interactions, interactions
    from custinfo.segment._lifecycle import Lifecycle, LifecycleExplanation, Transitions, lifecycle
    from custinfo.segment._lifecycle_states import LIFECYCLE, check_lifecycle
    from custinfo.segment._loyalty import LoyaltyReport, RepeatRates, loyalty_report
    from custinfo.segment._names import SEGMENTS, SegmentRule
    from custinfo.segment._optimise import ModelWarning
    from custinfo.segment._pareto_nbd import ParetoNbd, fit_pareto_nbd
    from custinfo.segment._portrait import Portrait
    from custinfo.segment._portraits import Portraits, portrait, portraits
    from custinfo.segment._responses import ResponseTimes, response_times
    from custinfo.segment._result import Rfm
    from custinfo.segment._rfm import rfm
    from custinfo.segment._satisfaction import Satisfaction, ces, csat, nps
    from custinfo.segment._satisfaction_by import SatisfactionBy, satisfaction
    from custinfo.segment._spend_bands import BandExplanation, SpendBands, spend_bands
    from custinfo.segment._spending import Spending, spending
    from custinfo.segment._tier_rules import Condition, TierRule, default_tiers
    from custinfo.segment._tiers import TierExplanation, Tiers, tiers
    from custinfo.segment._value_by_segment import SegmentValue, value_by_segment

_MODULES = {
    "_active_hours": ("ActiveHours", "BestHours", "active_hours"),
    "_affinity": ("Affinity", "AffinityExplanation", "affinity"),
    "_behaviour": ("Behaviour", "behaviour"),
    "_bg_nbd": ("BgNbd", "fit_bg_nbd"),
    "_calibration": ("Calibration", "calibration"),
    "_clv": ("Summary", "customer_lifetime_value", "summary"),
    "_cohorts": ("Cohorts", "cohorts"),
    "_contribution": ("Contribution", "contribution"),
    "_explain": ("RfmExplanation", "ScorePart"),
    "_gamma_gamma": ("GammaGamma", "fit_gamma_gamma"),
    "_interactions": ("Interactions", "interactions"),
    "_lifecycle": ("Lifecycle", "LifecycleExplanation", "Transitions", "lifecycle"),
    "_lifecycle_states": ("LIFECYCLE", "check_lifecycle"),
    "_loyalty": ("LoyaltyReport", "RepeatRates", "loyalty_report"),
    "_names": ("SEGMENTS", "SegmentRule"),
    "_optimise": ("ModelWarning",),
    "_pareto_nbd": ("ParetoNbd", "fit_pareto_nbd"),
    "_portrait": ("Portrait",),
    "_portraits": ("Portraits", "portrait", "portraits"),
    "_responses": ("ResponseTimes", "response_times"),
    "_result": ("Rfm",),
    "_rfm": ("rfm",),
    "_satisfaction": ("Satisfaction", "ces", "csat", "nps"),
    "_satisfaction_by": ("SatisfactionBy", "satisfaction"),
    "_spend_bands": ("BandExplanation", "SpendBands", "spend_bands"),
    "_spending": ("Spending", "spending"),
    "_tier_rules": ("Condition", "TierRule", "default_tiers"),
    "_tiers": ("TierExplanation", "Tiers", "tiers"),
    "_value_by_segment": ("SegmentValue", "value_by_segment"),
}
__all__ = [
    "ActiveHours",
    "Affinity",
    "AffinityExplanation",
    "BandExplanation",
    "Behaviour",
    "BestHours",
    "BgNbd",
    "Calibration",
    "Cohorts",
    "Condition",
    "Contribution",
    "GammaGamma",
    "Interactions",
    "LIFECYCLE",
    "Lifecycle",
    "LifecycleExplanation",
    "LoyaltyReport",
    "ModelWarning",
    "ParetoNbd",
    "Portrait",
    "Portraits",
    "RepeatRates",
    "ResponseTimes",
    "Rfm",
    "RfmExplanation",
    "SEGMENTS",
    "Satisfaction",
    "SatisfactionBy",
    "ScorePart",
    "SegmentRule",
    "SegmentValue",
    "SpendBands",
    "Spending",
    "Summary",
    "TierExplanation",
    "TierRule",
    "Tiers",
    "Transitions",
    "active_hours",
    "affinity",
    "behaviour",
    "calibration",
    "ces",
    "check_lifecycle",
    "cohorts",
    "contribution",
    "csat",
    "customer_lifetime_value",
    "default_tiers",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "fit_pareto_nbd",
    "interactions",
    "lifecycle",
    "loyalty_report",
    "nps",
    "portrait",
    "portraits",
    "response_times",
    "rfm",
    "satisfaction",
    "spend_bands",
    "spending",
    "summary",
    "tiers",
    "value_by_segment",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}
    | {"risk": f"{__name__}.risk"},
)
