"""Typing slips: two texts that differ by one letter or by two neighbours that are swapped."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["meant", "one_slip"]


def one_slip(first: str, second: str) -> bool:
    """One letter added, left out or changed, or two neighbours swapped.

    >>> one_slip("CHIAN", "CHINA"), one_slip("CHIAN", "CHILE")
    (True, False)
    """
    short, long = sorted((first, second), key=len)
    if len(long) - len(short) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    swapped = long[:same] + long[same + 1 : same + 2] + long[same : same + 1] + long[same + 2 :]
    return short[same + 1 :] == long[same + 1 :] or short == swapped


def meant(text: str, names: Mapping[str, str], *, shortest: int) -> str | None:
    """What *text* stands for in *names*, or what the only one within one slip of it stands for.

    Args:
        text: as typed, in capitals.
        names: name in capitals -> what it stands for.
        shortest: letters of a name that a slip may be sought in; shorter ones are too close to each other.

    >>> meant("FRNACE", {"FRANCE": "FR", "GREECE": "GR"}, shortest=5)
    'FR'
    """
    if text in names:
        return names[text]
    if len(text) < shortest - 1:
        return None
    found = {
        names[name]
        for name in names
        if shortest <= len(name) and -1 <= len(name) - len(text) <= 1
        # a slip leaves one end as it is
        if (name[0] == text[0] or name[-1] == text[-1]) and one_slip(text, name)
    }
    return found.pop() if len(found) == 1 else None
