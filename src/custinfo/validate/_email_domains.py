"""Mail domains that are often mistyped.

Source: the large mail providers' own names, own choice of 2026; real domains one letter away are listed beside them.
"""

from __future__ import annotations

__all__ = ["did_you_mean"]

_OFTEN = (
    "gmail.com hotmail.com yahoo.com outlook.com icloud.com foxmail.com aliyun.com live.com msn.com sina.com sohu.com "
    "qq.com 163.com 126.com 139.com yeah.net 189.cn googlemail.com protonmail.com"
).split()
_NAMES = [name for name in _OFTEN if len(name) >= 9 and name[0].isalpha()]
_REAL = frozenset(
    "mail.com email.com ymail.com fmail.com zmail.com email.cz gmx.com hotmail.co yahoo.co outlook.co gmail.co "
    "yahoo.cn hotmail.es outlook.es outlook.fr outlook.de outlook.it".split()
)
_ENDINGS = {".con", ".cmo", ".ocm", ".vom", ".xom", ".comm", ".cpm", ".coom", ".om", ".nett", ".ney", ".cm"}


def did_you_mean(domain: str) -> str | None:
    """The well-known domain that *domain* (lower case) is one slip away from, if there is one.

    >>> did_you_mean("gmial.com"), did_you_mean("qq.con"), did_you_mean("mail.com")
    ('gmail.com', 'qq.com', None)
    """
    if domain in _OFTEN or domain in _REAL:
        return None
    name, dot, ending = domain.rpartition(".")
    if dot + ending in _ENDINGS:
        for often in _OFTEN:
            if often.rpartition(".")[0] == name:
                return often
    for often in _NAMES:
        if abs(len(often) - len(domain)) <= 1 and _one_slip(domain, often):
            return often
    return None


def _one_slip(first: str, second: str) -> bool:
    """One letter added, left out, changed, or two neighbours swapped."""
    short, long = sorted((first, second), key=len)
    same = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    swapped = long[:same] + long[same + 1 : same + 2] + long[same : same + 1] + long[same + 2 :]
    return short[same + 1 :] == long[same + 1 :] or short == swapped
