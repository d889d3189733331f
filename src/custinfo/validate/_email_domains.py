"""Mail domains that are often mistyped.

Source: the large mail providers' own names, own choice of 2026; real domains one letter away are listed beside them.
"""

from __future__ import annotations

from collections.abc import Iterator

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
    # a slip leaves the first three or the last five characters as they are
    if domain[:3] not in _STARTS and domain[-5:] not in _ENDS:
        return None
    for place in range(len(domain)):
        before, after = domain[:place], domain[place + 1 :]
        meant = _ONE_SLIP.get(f"{before}*{after}") or _ONE_SLIP.get(f"{before}+{after}")
        if meant is not None:
            return meant
    return _ONE_SLIP.get(domain)


def _slips(name: str) -> Iterator[str]:
    """What *name* becomes by one slip: a letter left out, two neighbours swapped, a letter changed or one too many.

    For the changed letter stands ``*``, for the one too many ``+``, so that a look-up by each place finds it.
    """
    for place in range(len(name) + 1):
        before, after = name[:place], name[place:]
        yield f"{before}+{after}"
        if after:
            yield f"{before}*{after[1:]}"
            yield before + after[1:]
            yield before + after[1:2] + after[:1] + after[2:]


_ONE_SLIP = {slip: name for name in reversed(_NAMES) for slip in _slips(name) if slip != name}
_STARTS = {name[:3] for name in _NAMES}
_ENDS = {name[-5:] for name in _NAMES}
