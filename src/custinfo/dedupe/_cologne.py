"""Cologne phonetics: digits for how a German or English word sounds."""

from __future__ import annotations

__all__ = ["cologne"]

_CODES = {
    **dict.fromkeys("aeijouy", "0"),
    "b": "1",
    **dict.fromkeys("fvw", "3"),
    **dict.fromkeys("gkq", "4"),
    "l": "5",
    **dict.fromkeys("mn", "6"),
    "r": "7",
    **dict.fromkeys("sz", "8"),
}
# Letters after which, and before which, c sounds like k.
_HARD_AT_ONSET, _HARD = frozenset("ahkloqrux"), frozenset("ahkoqux")


def cologne(text: str) -> str:
    """Code of a text, what is no ASCII letter left out.

    Source: Postel, Die Kölner Phonetik, IBM-Nachrichten 19 (1969), 925-931.

    >>> cologne("Guten Morgen"), cologne("Wikipedia"), cologne("Breschnew")
    ('426746', '3412', '17863')
    """
    letters = [c for c in text.lower() if "a" <= c <= "z"]
    codes = []
    for place, letter in enumerate(letters):
        before = letters[place - 1] if place else ""
        after = letters[place + 1] if place + 1 < len(letters) else ""
        codes.append(_code(letter, before, after))
    sounds = "".join(codes)
    once = [code for place, code in enumerate(sounds) if place == 0 or code != sounds[place - 1]]
    return "".join(code for place, code in enumerate(once) if code != "0" or place == 0)


def _code(letter: str, before: str, after: str) -> str:
    if letter == "p":
        return "3" if after == "h" else "1"
    if letter in "dt":
        return "8" if after and after in "csz" else "2"
    if letter == "x":
        return "8" if before and before in "ckq" else "48"
    if letter != "c":
        return _CODES.get(letter, "")
    if not before:
        return "4" if after in _HARD_AT_ONSET else "8"
    return "4" if after in _HARD and before not in "sz" else "8"
