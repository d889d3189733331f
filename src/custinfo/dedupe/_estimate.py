"""The parameters of the model by EM over pairs, without labels; sources in `_model`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._chance import level_table
from custinfo.dedupe._fields import Field
from custinfo.dedupe._levels import DIFFERENT, LEVELS, MISSING
from custinfo.dedupe._model import AREA, HOME, SHAREABLE, Evidence, Model, name_state, near_fields, near_state

__all__ = ["HOPELESS", "fit", "with_unseen"]

Floats = np.ndarray[Any, np.dtype[np.float64]]

# What copies of one record usually look like; the start of EM, and two pairs' worth of prior for thin data.
_M_START = np.array([0.0, 0.78, 0.04, 0.03, 0.06, 0.03, 0.01, 0.05])
_M_START_SHARED = np.array([0.0, 0.6, 0.04, 0.03, 0.06, 0.03, 0.01, 0.23])
_M_PRIOR = 2.0
_PARENT_PRIOR = 10.0
_LEAST_DIFFERENT = 0.02
HOPELESS = -16.0
_RHO_PRIOR = 20.0
# Twins, and father and son of one name: how often at most an own name or birth date is shared in a household. Without
# this bound "the same person" and "somebody of the same household" could change roles in EM.
_OWN_SHARED = 0.04


_ORDER = ("account", "phone", "email", "street", "house_number", "unit", "postal_code", "locality", "region", "country")


def _rank(name: str) -> int:
    """Place in the order: contact, then home from small to large, then family name, then what is a person's own."""
    return _ORDER.index(name) if name in _ORDER else len(_ORDER) + (name not in SHAREABLE)


def _start_rho(names: Sequence[str]) -> Floats:
    """What different persons usually share: the start of the estimate, and its shape: a zero stays zero.

    Only what can be shared explains that something else is shared. An own name, birth date or id number does not:
    two persons of one birthday have nothing else in common because of it.
    """
    rho = np.zeros((len(names) + 1, len(names)))
    for g, first in enumerate([*names, "residence"]):
        for f, second in enumerate(names):
            if g == f or first not in SHAREABLE | {"residence"}:
                continue
            if second not in SHAREABLE:
                rho[g, f] = _OWN_SHARED / 2 if first in ("residence", "phone", "email") else 0.0
            elif second in HOME:
                rho[g, f] = 0.7 if first == "residence" else 0.3
            else:
                rho[g, f] = 0.01 if first in AREA else 0.2
    return rho


def _linked(names: Sequence[str], pools: Evidence, apart: Floats, table: Floats) -> Floats:
    linked = np.repeat(table[None, :], 4, 0)
    if "email" in names:
        f = list(names).index("email")
        level = pools.levels[f]
        joint = np.bincount(
            name_state(names, pools.levels) * LEVELS + level, weights=apart, minlength=4 * LEVELS
        ).reshape(4, LEVELS)
        joint[:, MISSING] = 0.0
        linked = (joint + _PARENT_PRIOR * table) / (joint.sum(1, keepdims=True) + _PARENT_PRIOR)
    return linked


def fit(
    fields: Sequence[Field],
    pairs: Evidence,
    pools: Evidence,
    random: Evidence,
    *,
    chosen_by: np.ndarray[Any, np.dtype[np.int64]],
    total: float,
    share: float,
    start: Model | None = None,
    same: Any = None,
    pools_same: Any = None,
    rounds: int = 16,
) -> tuple[Model, Floats]:
    """Estimate by EM over candidate pairs.

    Args:
        fields: the fields, in the order of the evidence.
        pairs: the candidate pairs, or a sample of them.
        pools: pairs that agree in one field, for what different persons share.
        random: random pairs, for what different persons agree in by chance.
        chosen_by: the field that each of *pools* was chosen for agreeing in, the number of fields for the residence.
        total: number of all pairs of records.
        share: part of the candidate pairs that *pairs* is.
        start: where to begin.
        same: which of *pairs* a former clustering put together: pairs that only their cluster shows to be one person's
            teach EM what bad copies look like.
        pools_same: the same of *pools*.
        rounds: rounds of EM.

    Returns:
        The model, and the chance table (fields, levels) of random pairs that are not one person's.
    """
    names = tuple(field.name for field in fields)
    count = len(fields)
    table = level_table(random.levels, np.ones(random.levels.shape[1]))
    common = np.array([float((table[f, 1:5]).sum()) for f in range(count)])
    if start is None:
        allowed = np.array(
            [
                [bool((pairs.levels[f] == level).any()) or level in (1, DIFFERENT) for level in range(LEVELS)]
                for f in range(count)
            ]
        )
        m = np.array([_M_START_SHARED if name in SHAREABLE else _M_START for name in names]) * allowed
        m /= m.sum(1, keepdims=True)
        order = np.array(sorted(range(count), key=lambda f: (_rank(names[f]), common[f])), np.int64)
        records = np.sqrt(2 * total)
        model = Model(
            names=names,
            prior=float(np.log(0.5 * records / total)),
            m=m,
            m_given=np.repeat(m[:, None, :], 3, 1),
            parent=np.full(count, -1, np.int64),
            rho=_start_rho(names),
            order=order,
            linked=np.repeat(table[names.index("email")][None, :], 4, 0) if "email" in names else np.zeros((4, LEVELS)),
        )
    else:
        model = start
    prior_m = model.m * _M_PRIOR
    for step in range(rounds):
        odds = model.log_odds(pairs)
        if step == (2 if start is None else 0):
            keep = odds > HOPELESS
            keep = keep if same is None else keep | same
            pairs, odds = pairs.take(keep), odds[keep]
            same = None if same is None else same[keep]
        p = _probability(odds)
        if same is not None:
            p = np.where(same, 1.0, p)
        matches = p.sum() / share
        m = np.empty_like(model.m)
        for f in range(count):
            counts = np.bincount(pairs.levels[f], weights=p, minlength=LEVELS)
            counts[MISSING] = 0.0
            m[f] = (counts + prior_m[f]) / (counts + prior_m[f]).sum()
            # The worst copies never come into sight; a difference is not impossible because of that.
            m[f, DIFFERENT] = max(m[f, DIFFERENT], _LEAST_DIFFERENT)
            m[f] /= m[f].sum()
        parent = model.parent
        if step >= 3 and step % 3 == 0:
            parent = _parents(names, pairs.levels, p, model.order)
        model = attrs.evolve(
            model,
            prior=float(np.log((matches + 0.5) / (total + 1))),
            m=m,
            parent=parent,
            m_given=_given(pairs.levels, p, m, parent),
        )
        if step % 3 == 1 or step == rounds - 1:
            model = _share_again(model, pools, chosen_by, table, pools_same)
    q = 1 - _probability(model.log_odds(random))
    return model, level_table(random.levels, q)


def with_unseen(model: Model) -> Model:
    """The model with what is usual for levels that no pair had which it was estimated from.

    Those have no weight in the pairs at hand, and a record that comes later may be the first to show one.
    """
    usual = np.array([_M_START_SHARED if name in SHAREABLE else _M_START for name in model.names])
    m = np.where(model.m == 0, usual, model.m)
    return attrs.evolve(model, m=m, m_given=np.where(model.m_given == 0, m[:, None, :], model.m_given))


def _probability(odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(odds, -40, 40)))


def _given(levels: Any, p: Floats, m: Floats, parent: Any) -> Floats:
    given = np.repeat(m[:, None, :], 3, 1)
    for f in np.flatnonzero(parent >= 0):
        joint = np.bincount(
            near_state(levels, parent[f]) * LEVELS + levels[f], weights=p, minlength=3 * LEVELS
        ).reshape(3, LEVELS)
        joint[:, MISSING] = 0.0
        given[f] = (joint + _PARENT_PRIOR * m[f]) / (joint.sum(1, keepdims=True) + _PARENT_PRIOR)
    return given


def _parents(names: Sequence[str], levels: Any, p: Floats, order: Any) -> Any:
    """For each field the field before it in the order that tells most about its level among matches, if any does."""
    parent = np.full(len(levels), -1, np.int64)
    for place, f in enumerate(order):
        best = 25.0  # twice the log likelihood ratio that a chance dependence hardly reaches with its dozen parameters
        for g in order[:place]:
            if not ((names[f] in HOME and names[g] in HOME) or {names[f], names[g]} == {"given_name", "family_name"}):
                continue
            joint = np.bincount(near_state(levels, g) * LEVELS + levels[f], weights=p, minlength=3 * LEVELS).reshape(
                3, LEVELS
            )[1:, 1:]
            whole = joint.sum()
            if whole < 10:
                continue
            expected = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True) / whole
            gain = 2 * float((joint * np.log(np.maximum(joint, 1e-9) / np.maximum(expected, 1e-9))).sum())
            if gain > best:
                best, parent[f] = gain, g
    return parent


def _share_again(model: Model, pools: Evidence, chosen_by: Any, table: Floats, same: Any) -> Model:
    """One EM step for rho over pairs that agree in one field, each weighed by the probability that it is no match."""
    if not pools.levels.shape[1]:
        return model
    apart = 1 - _probability(model.log_odds(pools))
    if same is not None:
        apart = np.where(same, 0.0, apart)
    near = near_fields(model.names, pools.levels)
    own = [f for f, name in enumerate(model.names) if name not in SHAREABLE]
    # Own fields of different persons agree by chance alone, so that pairs whose own fields all differ show without bias
    # what is shared, and hardly a match is among them.
    sure = apart * ~near[own].any(0) * (pools.levels[own] == DIFFERENT).any(0)
    home = [f for f, name in enumerate(model.names) if name in ("street", "house_number")]
    free = [(chosen_by != f) & ~((chosen_by == len(model.names)) & (f in home)) for f in range(len(model.names))]
    rho = model.rho.copy()
    start = _start_rho(model.names)
    for _ in range(2):
        current = attrs.evolve(model, rho=rho.copy())
        for place, f in enumerate(model.order):
            level = pools.levels[f]
            # Pairs that were chosen for agreeing in this very field say nothing about how often it agrees.
            present = (level != MISSING) & free[f]
            shared = current.shared(near, place)
            m = model.copied(pools.levels, f)
            pure = (apart if f in own else sure) * present
            copied = shared * m / np.maximum(shared * m + (1 - shared) * current.chance(pools, f), 1e-12)
            credited = pure * copied / np.maximum(shared, 1e-9)
            for g in model.before(place):
                because = near[current.cause(g, f)]
                if start[g, f] == 0 or not (because & present).any():
                    continue
                credit = float(credited[because].sum()) * current.rho[g, f]
                weight = float(pure[because].sum())
                rho[g, f] = (credit + _RHO_PRIOR * start[g, f]) / (weight + _RHO_PRIOR)
    rho[:, own] = np.minimum(rho[:, own], _OWN_SHARED)
    # Names of one spelling with another birth date or id number are two persons', whatever the address says.
    other = [f for f in own if model.names[f] not in ("given_name", "middle_name")]
    namesakes = apart * (pools.levels[other] == DIFFERENT).any(0)
    linked = (
        _linked(model.names, pools, namesakes, table[model.names.index("email")])
        if "email" in model.names
        else model.linked
    )
    return attrs.evolve(model, rho=np.clip(rho, 0.0, 0.98), linked=linked)
