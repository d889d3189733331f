"""A small generator of persons with copies, errors, households and truth; every name is made of syllables."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

SYLLABLES = (
    "ba",
    "do",
    "ki",
    "lu",
    "mer",
    "nor",
    "pel",
    "ra",
    "sti",
    "tan",
    "vo",
    "wen",
    "xi",
    "yor",
    "zim",
    "fal",
    "gre",
)
Columns = dict[str, list[str]]


def _name(rng: random.Random, parts: int) -> str:
    return "".join(rng.choice(SYLLABLES) for _ in range(parts)).capitalize()


def _typo(rng: random.Random, text: str) -> str:
    if len(text) < 3:
        return text
    at = rng.randrange(1, len(text) - 1)
    new = rng.choice("0123456789") if text[at].isdigit() else rng.choice("aeilnrst")
    return rng.choice([text[:at] + text[at + 1 :], text[:at] + new + text[at + 1 :], text[:at] + new + text[at:]])


def people(seed: int, persons: int = 150) -> tuple[Columns, list[int]]:
    """Columns and the person of each record; a quarter of the persons lives with another one."""
    rng = random.Random(seed)
    given = [_name(rng, 2) for _ in range(60)]
    family = [_name(rng, 3) for _ in range(90)]
    streets = [f"{_name(rng, 2)} Street" for _ in range(40)]
    towns = [f"{_name(rng, 2)}ville" for _ in range(12)]
    rows: list[tuple[int, dict[str, str]]] = []
    home: dict[str, str] = {}
    for person in range(persons):
        if not home or rng.random() > 0.25:
            home = {
                "family_name": rng.choice(family),
                "address": f"{rng.randrange(1, 200)} {rng.choice(streets)}",
                "locality": rng.choice(towns),
                "phone": f"+44161496{rng.randrange(10000):04d}",
            }
        first = rng.choice(given)
        born = f"{rng.randrange(1940, 2005)}-{rng.randrange(1, 13):02d}-{rng.randrange(2, 29):02d}"
        mail = f"{first}.{home['family_name']}{rng.randrange(1000)}@example.com".lower()
        true = {"given_name": first, **home, "birth_date": born, "email": mail}
        for copy in range(rng.choice([1, 1, 2, 2, 3])):
            row = dict(true)
            for name in row:
                if copy and rng.random() < 0.15:
                    row[name] = _typo(rng, row[name]) if rng.random() < 0.6 else ""
            rows.append((person, row))
    rng.shuffle(rows)
    return {name: [row[name] for _, row in rows] for name in rows[0][1]}, [person for person, _ in rows]


def scores(labels: Sequence[int], truth: Sequence[int]) -> tuple[float, float, float]:
    """Precision, recall and F1 over pairs, counted pair by pair."""

    def pairs(groups: Sequence[object]) -> set[tuple[int, int]]:
        by: dict[object, list[int]] = {}
        for row, group in enumerate(groups):
            by.setdefault(group, []).append(row)
        return {(a, b) for rows in by.values() for k, a in enumerate(rows) for b in rows[k + 1 :]}

    made, wanted = pairs([int(label) for label in labels]), pairs(truth)
    hits = len(made & wanted)
    precision, recall = hits / len(made) if made else 1.0, hits / len(wanted) if wanted else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def taken(columns: Mapping[str, Sequence[str]], order: Sequence[int]) -> Columns:
    """The same records in another order."""
    return {name: [values[row] for row in order] for name, values in columns.items()}
