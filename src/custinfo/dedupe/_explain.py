"""Why two records are one person's or not: a weight for each field, and a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import attrs
import numpy as np

from custinfo._view import table
from custinfo.dedupe._fields import Field
from custinfo.dedupe._levels import RELATIONS

__all__ = ["Explanation", "Part", "explanation"]

_ZH_FIELDS = {
    "given_name": "名",
    "family_name": "姓",
    "middle_name": "中间名",
    "organization": "机构名称",
    "email": "邮箱",
    "phone": "电话",
    "birth_date": "出生日期",
    "sex": "性别",
    "street": "街道",
    "house_number": "门牌号",
    "unit": "单元",
    "locality": "城市",
    "region": "省份",
    "postal_code": "邮编",
    "country": "国家",
    "national_id": "证件号",
    "account": "账号",
    "prior": "先验",
}
_ZH_RELATIONS = {
    "missing": "缺失",
    "equal": "相同",
    "same name written otherwise": "同名异写",
    "short form or part": "简称或部分相同",
    "one typing error": "一处录入误差",
    "similar": "相近",
    "given and family name swapped": "姓名颠倒",
    "different": "不同",
    "day and month swapped": "日月颠倒",
    "same year, rest unknown": "同年，日期不详",
    "two of three parts equal": "年月日中两项相同",
    "same user part": "用户名相同",
    "same user letters": "用户名字母相同",
    "same words": "词语相同",
    "one contains the other": "一方包含另一方",
    "any two records": "任意两条记录",
}


def _zh_rule(text: str) -> str:
    names, _, scheme = text.removeprefix("different ").partition(" verified as ")
    differ = "、".join(_ZH_FIELDS.get(name, name) for name in names.split(" and ")) + "不同"
    return f"{differ}（均通过 {scheme} 校验）" if scheme else differ


@attrs.frozen
class Part:
    """What one field adds; it unpacks as ``field, relation, weight``.

    Attributes:
        field: name of the field, ``prior``, or ``rule``.
        relation: how the two values relate, or what the rule says.
        weight: bits, positive for one person, negative for two; minus infinity for a rule.
    """

    field: str
    relation: str
    weight: float

    def __iter__(self) -> Iterator[str | float]:
        return iter((self.field, self.relation, self.weight))

    def text(self, locale: Literal["en", "zh"] = "en") -> str:
        """Field, relation and weight in words."""
        if self.field == "rule":
            return _zh_rule(self.relation) if locale == "zh" else self.relation
        if locale == "zh":
            name = "" if self.field == "prior" else _ZH_FIELDS.get(self.field, self.field)
            return f"{name}{_ZH_RELATIONS.get(self.relation, self.relation)}（{self.weight:+.1f}）"
        name = "" if self.field == "prior" else self.field.replace("_", " ") + " "
        return f"{name}{self.relation} ({self.weight:+.1f})"


@attrs.frozen(kw_only=True)
class Explanation:
    """Why a pair has its weight.

    Attributes:
        left: row of one record.
        right: row of the other.
        weight: bits; the sum over `parts`.
        parts: field, relation and weight of each piece of evidence, the prior first, rules that keep both apart last.
    """

    left: int
    right: int
    weight: float
    parts: tuple[Part, ...]

    @property
    def probability(self) -> float:
        """Probability that both records are one person's."""
        return float(1 / (1 + np.exp2(-np.clip(self.weight, -1000, 1000))))

    def text(self, locale: Literal["en", "zh"] = "en") -> str:
        """The same as a sentence, without the values themselves.

        >>> Explanation(left=0, right=1, weight=2.0, parts=(Part("prior", "any two records", -8.0),
        ...     Part("phone", "equal", 10.0))).text()
        'Records 0 and 1 are probably one person (80 %, 2.0 bits): phone equal (+10.0); any two records (-8.0).'
        """
        told = sorted(
            (part for part in self.evidence if part.relation != "missing"), key=lambda part: -abs(part.weight)
        )
        prior = [part for part in told if part.field == "prior"]
        told = [part for part in told if part.field != "prior"] + prior
        rules = [part for part in self.parts if part.field == "rule"]
        weight = sum(part.weight for part in self.evidence)
        share = self.probability
        if locale == "zh":
            facts = "；".join(part.text("zh") for part in told)
            if rules:
                why = "；".join(part.text("zh") for part in rules)
                return (
                    f"记录 {self.left} 与 {self.right} 不得合并：{why}。若无此规则，权重为 {weight:.1f} 比特：{facts}。"
                )
            verdict = "很可能是同一人" if share >= 0.5 else "很可能不是同一人"
            return f"记录 {self.left} 与 {self.right} {verdict}（{share:.0%}，{weight:.1f} 比特）：{facts}。"
        facts = "; ".join(part.text("en") for part in told)
        if rules:
            why = "; ".join(part.text("en") for part in rules)
            head = f"Records {self.left} and {self.right} must not meet: {why}."
            return f"{head} Without that they would weigh {weight:.1f} bits: {facts}."
        verdict = "probably one person" if share >= 0.5 else "probably two persons"
        head = f"Records {self.left} and {self.right} are {verdict}"
        return f"{head} ({100 * share:.0f} %, {weight:.1f} bits): {facts}."

    @property
    def evidence(self) -> tuple[Part, ...]:
        """The parts that have a weight of their own: the prior and the fields, without rules."""
        return tuple(part for part in self.parts if part.field != "rule")

    def plot(self, *, locale: Literal["en", "zh"] = "en") -> Any:
        """The weight as a waterfall: from the prior, field by field, to the sum, in bits; a matplotlib figure.

        Args:
            locale: language of the labels; Chinese needs a font that matplotlib finds.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        from custinfo.dedupe._plot import waterfall

        return waterfall(self, locale=locale)

    def _repr_html_(self) -> str:
        columns = {
            "field": np.array([part.field.replace("_", " ") for part in self.parts] + ["sum"], object),
            "relation": np.array([part.relation for part in self.parts] + [""], object),
            "weight in bits": np.array(
                [f"{part.weight:+.1f}" for part in self.parts] + [f"{self.weight:+.1f}"], object
            ),
        }
        verdict = "must not meet" if np.isinf(self.weight) else f"one person: {100 * self.probability:.1f} %"
        return table(columns, title=f"Records {self.left} and {self.right}, {verdict}")


def explanation(
    left: int,
    right: int,
    fields: list[Field],
    levels: list[int],
    weights: list[float],
    prior: float,
    broken: Sequence[str] = (),
) -> Explanation:
    """Explanation out of the levels and weights (bits) of the fields, and the rules by which both never meet."""
    parts = [Part("prior", "any two records", prior)]
    for field, level, weight in zip(fields, levels, weights, strict=True):
        parts.append(Part(field.name, RELATIONS.get(field.kind, RELATIONS["default"])[level], weight))
    parts += [Part("rule", rule, float("-inf")) for rule in broken]
    return Explanation(left=left, right=right, weight=sum(part.weight for part in parts), parts=tuple(parts))
