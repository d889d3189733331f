"""A matcher's model as JSON and arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from custinfo.dedupe._form import FieldSpec
from custinfo.dedupe._frozen import FieldCounts, MatchModel, ValueCounts
from custinfo.dedupe._keys import Plan
from custinfo.dedupe._kinds import KINDS
from custinfo.dedupe._levels import LEVELS
from custinfo.dedupe._model import Model
from custinfo.dedupe._rules import Rule
from custinfo.dedupe._verified import SCHEMES

__all__ = ["model_from", "model_to"]

_COMPARED = frozenset({"name", "date", "email", "number", "phone", "place", "postal", "tokens", "flag", "house"})


def model_to(model: MatchModel) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """What JSON holds of the model, and its arrays by name."""
    weights = model.weights
    told = attrs.asdict(model, filter=lambda field, value: field.name not in ("weights", "table"))
    told["prior"] = weights.prior
    arrays = {
        "m": weights.m,
        "m_given": weights.m_given,
        "parent": weights.parent,
        "rho": weights.rho,
        "order": weights.order,
        "linked": weights.linked,
        "table": model.table,
    }
    return told, arrays


def model_from(told: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]]) -> MatchModel:
    """The model; any odd part of it ends in a KeyError, TypeError or ValueError."""
    fields = tuple(
        FieldSpec(
            name=_text(spec["name"]),
            kind=_one_of(spec["kind"], _COMPARED),
            columns=tuple(map(_text, spec["columns"])),
            width=_between(spec["width"], 1, 1000),
        )
        for spec in told["fields"]
    )
    kinds = {_text(column): _one_of(kind, KINDS) for column, kind in told["kinds"].items()}
    plan = told["plan"]
    model = MatchModel(
        columns=tuple(map(_text, told["columns"])),
        kinds=kinds,
        fields=fields,
        pinyin=_one_of(told["pinyin"], ("", "pinyin", "pinyin+simplified")),
        weights=_weights(fields, _number(told["prior"]), arrays),
        table=_array(arrays, "table", (len(fields), LEVELS)),
        counts=tuple(map(_field_counts, told["counts"])),
        either=_numbers(told["either"]),
        stratum=_between(told["stratum"], -1, len(fields) - 1),
        plan=Plan(
            singles=tuple(map(_text, plan["singles"])),
            pairs=tuple((_text(a), _text(b)) for a, b in plan["pairs"]),
            cap=_between(plan["cap"], 1, 1 << 20),
            pair_cap=_between(plan["pair_cap"], 1, 1 << 20),
            coverage=_number(plan["coverage"]),
        ),
        threshold=_number(told["threshold"]),
        auto_threshold=_number(told["auto_threshold"], infinite=True),
        rules=tuple(_rule(rule) for rule in told["rules"]),
        rows=_between(told["rows"], 0, 1 << 40),
    )
    widths = {column for spec in fields for column in spec.columns}
    if len(model.counts) != len(fields) or not widths <= set(kinds) or not set(kinds) <= set(model.columns):
        raise ValueError("fields, counts and columns do not fit together")
    return model


def _weights(fields: tuple[FieldSpec, ...], prior: float, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Model:
    count = len(fields)
    order = _array(arrays, "order", (count,))
    parent = _array(arrays, "parent", (count,))
    if sorted(order.tolist()) != list(range(count)) or not ((parent >= -1) & (parent < count)).all():
        raise ValueError("order and parents must be fields")
    return Model(
        names=tuple(spec.name for spec in fields),
        prior=prior,
        m=_array(arrays, "m", (count, LEVELS)),
        m_given=_array(arrays, "m_given", (count, 3, LEVELS)),
        parent=parent,
        rho=_array(arrays, "rho", (count + 1, count)),
        order=order,
        linked=_array(arrays, "linked", (4, LEVELS)),
    )


def _array(arrays: Mapping[str, np.ndarray[Any, Any]], name: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    array = arrays[name]
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{name} must be of shape {shape} and finite")
    return array


def _rule(told: Mapping[str, Any]) -> Rule:
    return Rule(fields=tuple(map(_text, told["fields"])), scheme=_one_of(told["scheme"], ("", *SCHEMES)))


def _field_counts(told: Mapping[str, Any]) -> FieldCounts:
    return FieldCounts(
        values=_value_counts(told["values"]),
        keys=_value_counts(told["keys"]),
        total=_number(told["total"]),
        sizes=_numbers(told["sizes"]),
        words={_text(word): _between(n, 0, 1 << 40) for word, n in told["words"].items()},
        texts=_between(told["texts"], 2, 1 << 40),
    )


def _value_counts(told: Mapping[str, Any]) -> ValueCounts:
    local = {_text(text): _numbers(by) for text, by in told["local"].items()}
    return ValueCounts(counts=_numbers(told["counts"]), local=local, once=_number(told["once"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("expected text")
    return value


def _one_of(value: Any, known: Any) -> str:
    if value not in known:
        raise ValueError("not among what there is")
    return _text(value)


def _number(value: Any, *, infinite: bool = False) -> float:
    number = float(value)
    if isinstance(value, (str, bool)) or np.isnan(number) or (np.isinf(number) and not infinite):
        raise ValueError("expected a finite number")
    return number


def _numbers(told: Mapping[str, Any]) -> dict[str, float]:
    return {_text(name): _number(value) for name, value in told.items()}


def _between(value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError("number out of range")
    return value
