"""Fellegi-Sunter with dependence: match weights of pairs; `_estimate` finds the parameters by EM.

Different persons agree by chance (value frequencies) or because something is shared: who agrees in phone and street is
often of one household and so agrees in family name too. For them each field is a noisy or: with probability ``rho`` it
is a copy because of a field that agrees, otherwise it agrees by chance. For one person a field depends on at most one
other (who moved has another street and another postal code).

Sources: Fellegi and Sunter, A Theory for Record Linkage, JASA 64 (1969); Winkler, Using the EM Algorithm for Weight
Computation in the Fellegi-Sunter Model (1988); Pearl, Probabilistic Reasoning (1988), 4.3 (noisy or).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._chance import Chances
from custinfo.dedupe._fields import Field
from custinfo.dedupe._levels import DIFFERENT, EQUAL, MISSING, NEAR, VARIANT

__all__ = [
    "AREA",
    "ELSEWHERE",
    "HOME",
    "POOLED",
    "SHAREABLE",
    "Evidence",
    "Model",
    "evidence",
    "name_state",
    "near_fields",
    "near_state",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]


@attrs.frozen(kw_only=True, eq=False)
class Evidence:
    """Levels of pairs and the chance of each; all arrays (fields, pairs)."""

    levels: np.ndarray[Any, np.dtype[np.int8]]
    chance: np.ndarray[Any, np.dtype[np.float32]]

    def take(self, keep: np.ndarray[Any, Any]) -> Evidence:
        """The evidence of some of the pairs."""
        return Evidence(levels=self.levels[:, keep], chance=self.chance[:, keep])


@attrs.frozen(kw_only=True, eq=False)
class Model:
    """Everything that was estimated.

    Attributes:
        names: the fields.
        prior: natural log odds that two random records are one person's.
        m: float64 (fields, levels), probability of a level for one person's records.
        m_given: float64 (fields, 3, levels), the same given the state of the parent field: missing, near, not near.
        parent: int64 (fields,), the field that m depends on, -1 for none.
        rho: float64 (fields + 1, fields), rho[g, f] = probability that f is shared by different persons because g is;
            the last g is the residence: street and house number together, which say what neither says alone; what is
            outside a home is shared because of it only where nothing says that it lies elsewhere.
        order: the fields, what can be shared first; f depends on the g before it.
        linked: float64 (4, levels), chance of the levels of e-mail addresses, which are made of names, by how the names
            of two different persons agree: not, the family name, the given name, both.
    """

    names: tuple[str, ...]
    prior: float
    m: Floats
    m_given: Floats
    parent: np.ndarray[Any, np.dtype[np.int64]]
    rho: Floats
    order: np.ndarray[Any, np.dtype[np.int64]]
    linked: Floats

    def parts(self, seen: Evidence) -> Floats:
        """Weight of each field in natural log odds, float64 (fields, pairs); zero where the field is missing."""
        near = near_fields(self.names, seen.levels)
        result = np.zeros(seen.levels.shape)
        for place, f in enumerate(self.order):
            shared = self.shared(near, place)
            same = self.copied(seen.levels, f)
            apart = shared * same + (1 - shared) * self.chance(seen, f)
            weight = np.log(np.maximum(same, 1e-12)) - np.log(np.maximum(apart, 1e-12))
            result[f] = np.where(seen.levels[f] == MISSING, 0.0, weight)
        return result

    def copied(self, levels: Any, f: int) -> Floats:
        """Probability of the level of field *f* where both values are the same thing, given its parent."""
        if self.parent[f] < 0:
            return self.m[f][levels[f]]  # type: ignore[no-any-return]
        return self.m_given[f][near_state(levels, self.parent[f]), levels[f]]  # type: ignore[no-any-return]

    def chance(self, seen: Evidence, f: int) -> Any:
        """Chance of the level of field *f*; for an e-mail address given how the names agree."""
        if self.names[f] != "email":
            return seen.chance[f]
        level = seen.levels[f]
        return np.where(
            level == EQUAL,
            seen.chance[f],
            np.maximum(
                self.linked[name_state(self.names, seen.levels), level], np.where(level == VARIANT, seen.chance[f], 0)
            ),
        )

    def shared(self, near: Any, place: int) -> Floats:
        """Probability that the field at this place of the order is a copy because of the fields before it.

        What is a person's own is shared at most because of one of them: phone and residence tell of the same household.
        """
        f = self.order[place]
        own = self.names[f] not in SHAREABLE
        free = np.ones(near.shape[1])
        for g in self.before(place):
            if self.rho[g, f] > 1e-4:
                here = np.where(near[self.cause(g, f)], 1 - self.rho[g, f], 1.0)
                free = np.minimum(free, here) if own else free * here
        return 1 - free

    def cause(self, g: int, f: int) -> int:
        """The row of `near_fields` that says whether *f* can be shared because of *g*.

        Who lives elsewhere in a street of the same name is of no household, and a child is named after a parent, or a
        twin, only in a family: among thousands of homes many share street and number by chance.
        """
        if g < len(self.names) or self.names[f] in HOME:
            return g
        return g + 1 if self.names[f] in SHAREABLE else g + 2

    def before(self, place: int) -> list[int]:
        """The fields before this place of the order, and the residence where both its parts are among them."""
        fields: list[int] = self.order[:place].tolist()
        if {"street", "house_number"} <= {self.names[f] for f in fields}:
            fields.append(len(self.names))
        return fields

    def log_odds(self, seen: Evidence) -> Floats:
        """Natural log odds that each pair is one person's."""
        parts = self.parts(seen)
        total = np.full(parts.shape[1], self.prior)
        # One after the other: NumPy's own sum depends on how many pairs there are, and one alone must weigh the same.
        for part in parts:
            total += part
        return total


def near_fields(names: Sequence[str], levels: Any) -> Any:
    """Whether each field of each pair is equal or nearly so, bool (fields + 3, pairs).

    Behind the fields the residence (street and house number), the same where nothing says that it lies elsewhere, and
    that of one family.
    """
    near = NEAR[levels]
    home = np.zeros((1, levels.shape[1]), bool)
    if "street" in names and "house_number" in names:
        home[0] = near[list(names).index("street")] & near[list(names).index("house_number")]
    elsewhere = np.zeros(levels.shape[1], bool)
    for name in ELSEWHERE:
        if name in names:
            elsewhere |= levels[list(names).index(name)] == DIFFERENT
    here = home & ~elsewhere
    family = near[list(names).index("family_name")] if "family_name" in names else True
    return np.concatenate([near, home, here, here & family])


def name_state(names: Sequence[str], levels: Any) -> Any:
    """How the names of a pair agree: 0 not, 1 the family name, 2 the given name, 3 both."""
    state = np.zeros(levels.shape[1], np.int64)
    for name, value in (("family_name", 1), ("given_name", 2)):
        if name in names:
            level = levels[list(names).index(name)]
            state += np.where(NEAR[level], value, 0)
    return state


def near_state(levels: np.ndarray[Any, Any], parent: int) -> np.ndarray[Any, Any]:
    level = levels[parent]
    return np.where(level == MISSING, 0, np.where(NEAR[level], 1, 2))


def evidence(
    fields: Sequence[Field], levels: np.ndarray[Any, np.dtype[np.int8]], left: Any, right: Any, chances: Chances
) -> Evidence:
    """Levels of pairs together with their chances."""
    chance = np.empty(levels.shape, np.float32)
    for position in range(len(fields)):
        chance[position] = chances.of(position, fields, levels[position], left, right)
    return Evidence(levels=levels, chance=chance)


# A residence is another one where these differ, though street and house number are called the same.
ELSEWHERE = ("unit", "postal_code", "locality")
HOME = frozenset({"street", "house_number", "unit", "postal_code", "locality", "region", "country"})
AREA = frozenset({"house_number", "postal_code", "locality", "region", "country"})
_FAMILY = frozenset({"family_name", "phone", "email", "account"})
SHAREABLE = HOME | _FAMILY
# Fields of which pairs with equal values are sampled, to see what else different persons have in common then.
POOLED = SHAREABLE | {"given_name"}
