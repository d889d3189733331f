"""The weight of one pair in plain numbers: to the last bit that of `_model` over arrays, and bounds to stop early."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from custinfo.dedupe._chance import KEYED, SHRINK, USUAL_WEIGHT, usual_chances
from custinfo.dedupe._frozen import MatchModel
from custinfo.dedupe._levels import DIFFERENT, EQUAL, LEVELS, MISSING, NEAR, SWAPPED, VARIANT
from custinfo.dedupe._model import ELSEWHERE, SHAREABLE

__all__ = ["Weights", "float32"]

_NEAR = tuple(bool(near) for near in NEAR)
_LEAST = 1e-12
Shares = Sequence[tuple[float, float]]
# Rare values share one chance, so that few bounds serve for most; so many are kept.
_BOUNDS = 50_000


def float32(number: float) -> float:
    """As the arrays hold chances."""
    return float(np.float32(number))


class Weights:
    """The numbers of a model as lists, and what follows from them for one pair."""

    def __init__(self, model: MatchModel) -> None:
        weights = model.weights
        self.names = names = weights.names
        self.prior = weights.prior
        self._m = weights.m.tolist()
        self._given = weights.m_given.tolist()
        self.parents: list[int] = weights.parent.tolist()
        self._linked = weights.linked.tolist()
        self._order: list[int] = weights.order.tolist()
        rho = weights.rho.tolist()
        self._own = [name not in SHAREABLE for name in names]
        self._sharing = [
            [(weights.cause(g, f), 1 - rho[g][f]) for g in weights.before(place) if rho[g][f] > 1e-4]
            for place, f in enumerate(self._order)
        ]
        place = {name: f for f, name in enumerate(names)}
        self._home = (place["street"], place["house_number"]) if {"street", "house_number"} <= set(names) else None
        self._family = place.get("family_name", -1)
        self._elsewhere = [place[name] for name in ELSEWHERE if name in place]
        self._named = [(place[name], value) for name, value in (("family_name", 1), ("given_name", 2)) if name in place]
        self._table = [[float32(chance) for chance in row] for row in model.table.tolist()]
        self._counts = model.counts
        usual: list[float] = usual_chances(model.fields).tolist()
        self._frequencies = [
            (known, USUAL_WEIGHT * usual[f], max(known.total, 1.0) + USUAL_WEIGHT, known.sizes)
            for f, known in enumerate(model.counts)
        ]
        self._bounds: dict[tuple[Any, ...], tuple[list[float], float, float]] = {}
        self.keyed = [spec.kind in KEYED for spec in model.fields]
        self._either = model.either
        self._most = [self._most_shared(place) for place, _ in sorted(enumerate(self._order), key=lambda item: item[1])]
        self.less = [self._less_by_state(f) for f in range(len(names))]

    def _most_shared(self, place: int) -> float:
        """The highest probability that the field at this place of the order is shared."""
        free = 1.0
        for _, here in self._sharing[place]:
            free = min(free, here) if self._own[self._order[place]] else free * here
        return 1 - free

    def shares(self, f: int, text: str, stratum: str | None, *, key: bool) -> tuple[float, float]:
        """Chance that somebody else has this value (or key): where both are of the stratum, and where they are not."""
        known, base, total, sizes = self._frequencies[f]
        values = known.keys if key else known.values
        others = values.counts.get(text, 0.0) - 1.0
        elsewhere = ((values.once if others <= 1.0 else others) + base) / total
        if stratum is None:
            return elsewhere, elsewhere
        local = values.local.get(text)
        others = (0.0 if local is None else local.get(stratum, 0.0)) - 1.0
        here = (values.once if others <= 1.0 else others) + SHRINK * elsewhere
        return here / (sizes.get(stratum, 0.0) + SHRINK), elsewhere

    def swapped(self, f: int, keys: Sequence[str]) -> float:
        """Chance of crosswise equal names, by the four keys of both records."""
        most = max(self._either.get(key, 1.0) for key in keys)
        return most / max(self._counts[f].total, 1.0)

    def chance(self, f: int, level: int) -> float:
        """Chance of a level where no frequency says better."""
        return self._table[f][level]

    def of(self, levels: Sequence[int], chances: Sequence[float]) -> list[float]:
        """Probabilities of each field of one pair: for one person's, then for two persons'; 1 where missing.

        Args:
            levels: of each field.
            chances: of each field as the model's arrays hold them (float32).
        """
        near = [_NEAR[level] for level in levels]
        home = self._home is not None and near[self._home[0]] and near[self._home[1]]
        here = home and not any(levels[f] == DIFFERENT for f in self._elsewhere)
        near += [home, here, here and (self._family < 0 or near[self._family])]
        count = len(levels)
        result = [1.0] * (2 * count)
        for place, f in enumerate(self._order):
            level = levels[f]
            if level == MISSING:
                continue
            free = 1.0
            for g, here in self._sharing[place]:
                if near[g]:
                    free = (min(free, here)) if self._own[f] else free * here
            shared = 1 - free
            parent = self.parents[f]
            if parent < 0:
                same = self._m[f][level]
            else:
                state = 0 if levels[parent] == MISSING else 1 if near[parent] else 2
                same = self._given[f][state][level]
            chance = chances[f]
            if self.names[f] == "email" and level != EQUAL:
                linked = self._linked[sum(value for g, value in self._named if near[g])][level]
                chance = max(linked, chance) if level == VARIANT else linked
            result[f] = same
            result[count + f] = shared * same + (1 - shared) * chance
        return result

    def total(self, pairs: Sequence[Sequence[float]]) -> list[float]:
        """Natural log odds of pairs out of their probabilities."""
        logs = np.log(np.maximum(np.array(pairs), _LEAST))
        count = logs.shape[1] // 2
        total = np.full(len(pairs), self.prior)
        for f in range(count):
            total += logs[:, f] - logs[:, count + f]
        return total.tolist()

    def bounds(
        self, f: int, usual: Sequence[float], equal: Shares, variant: Shares
    ) -> tuple[list[float], float, float]:
        """The most that each level can add, the most of all levels, and of all but EQUAL.

        Args:
            f: position of the field.
            usual: the most that each level can add where no value decides.
            equal: chances of the values asked about, as `shares` gives them.
            variant: those of their keys, for fields whose keys are counted.
        """
        key = (f, *equal, *variant)
        known = self._bounds.get(key)
        if known is None:
            most = list(usual)
            most[EQUAL] = self.most(f, EQUAL, min(map(min, equal)))
            if variant:
                most[VARIANT] = self.most(f, VARIANT, min(map(min, variant)))
            if len(self._bounds) >= _BOUNDS:
                self._bounds.clear()
            known = self._bounds[key] = (most, max(most), max(most[VARIANT:]))
        return known

    def most(self, f: int, level: int, chance: float) -> float:
        """The most that field *f* can add with this level, *chance* being the lowest that it can have."""
        same = self._m[f][level]
        if self.parents[f] >= 0:
            same = max(state[level] for state in self._given[f])
        return self._bound(f, level, same, chance)

    def _bound(self, f: int, level: int, same: float, chance: float) -> float:
        if self.names[f] == "email" and level != EQUAL:
            linked = min(state[level] for state in self._linked)
            chance = max(linked, chance) if level == VARIANT else linked
        same, chance = max(same, _LEAST), max(chance, _LEAST)
        shared = self._most[f]
        apart = min(chance, shared * same + (1 - shared) * chance)
        return math.log(same) - math.log(max(apart, _LEAST))

    def usual_most(self, f: int, level: int) -> float:
        """The same where no value decides."""
        swapped = 1.0 / max(self._counts[f].total, 1.0)
        chance = self._table[f][level]
        return self.most(f, level, min(chance, swapped) if level == SWAPPED else chance)

    def _less_by_state(self, f: int) -> list[list[float]]:
        """By state of the parent and level: how much less than `usual_most` a field adds, 0 where a value decides."""
        usual = [self.usual_most(f, level) for level in range(LEVELS)]
        return [
            [
                self._bound(f, level, state[level], self._table[f][level]) - usual[level]
                if level > VARIANT and level != SWAPPED
                else 0.0
                for level in range(LEVELS)
            ]
            for state in self._given[f]
        ]
