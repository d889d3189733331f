"""Who is the same person: duplicates without labels or rules, golden records."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.dedupe._calibration import Calibration, calibration
    from custinfo.dedupe._changes import Changes, Match
    from custinfo.dedupe._decide import Estimate
    from custinfo.dedupe._duplicates import Diagnostics, Duplicates, Pairs
    from custinfo.dedupe._explain import Explanation, Part
    from custinfo.dedupe._find import find_duplicates
    from custinfo.dedupe._fingerprint import ValueCluster, cluster_values, fingerprint, ngram_fingerprint
    from custinfo.dedupe._frozen import MatchModel
    from custinfo.dedupe._golden import (
        GoldenRecord,
        Strategy,
        golden_record,
        longest,
        most_complete,
        most_frequent,
        most_recent,
        most_trusted,
        oldest,
        union,
    )
    from custinfo.dedupe._learn import Learning
    from custinfo.dedupe._link import Links, link
    from custinfo.dedupe._matcher import Matcher

_MODULES = {
    "_changes": ("Changes", "Match"),
    "_calibration": ("Calibration", "calibration"),
    "_decide": ("Estimate",),
    "_duplicates": ("Diagnostics", "Duplicates", "Pairs"),
    "_explain": ("Explanation", "Part"),
    "_find": ("find_duplicates",),
    "_fingerprint": ("ValueCluster", "cluster_values", "fingerprint", "ngram_fingerprint"),
    "_golden": (
        "GoldenRecord",
        "Strategy",
        "golden_record",
        "longest",
        "most_complete",
        "most_frequent",
        "most_recent",
        "most_trusted",
        "oldest",
        "union",
    ),
    "_frozen": ("MatchModel",),
    "_learn": ("Learning",),
    "_link": ("Links", "link"),
    "_matcher": ("Matcher",),
}
__all__ = [
    "Calibration",
    "Changes",
    "Diagnostics",
    "Duplicates",
    "Estimate",
    "Explanation",
    "GoldenRecord",
    "Learning",
    "Links",
    "Match",
    "MatchModel",
    "Matcher",
    "Pairs",
    "Part",
    "Strategy",
    "ValueCluster",
    "calibration",
    "cluster_values",
    "find_duplicates",
    "fingerprint",
    "golden_record",
    "link",
    "longest",
    "most_complete",
    "most_frequent",
    "most_recent",
    "most_trusted",
    "ngram_fingerprint",
    "oldest",
    "union",
]

__getattr__, __dir__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}
)
