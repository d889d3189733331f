"""Whether domains take mail, asked of the DNS."""

from __future__ import annotations

import asyncio
import enum
import time
import weakref
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

from custinfo.errors import InvalidFieldError

__all__ = ["Deliverability", "check_deliverability"]

_MIN_TTL_S, _MAX_TTL_S = 60.0, 3600.0
_NEGATIVE_TTL_S = 300.0
_CACHE_DOMAINS = 100_000


class Deliverability(enum.StrEnum):
    """What the DNS says about mail to a domain."""

    DELIVERABLE = "deliverable"
    UNDELIVERABLE = "undeliverable"
    UNKNOWN = "unknown"


_Cache = dict[str, tuple[Deliverability, float]]
_caches: MutableMapping[Any, _Cache] = weakref.WeakKeyDictionary()
_default: list[Any] = []


async def check_deliverability(
    domains: Iterable[str], *, timeout_s: float = 10.0, concurrency: int = 20, resolver: Any = None
) -> dict[str, Deliverability]:
    """Ask the DNS whether domains take mail.

    Each domain is asked for once: MX records, and without any the address records (RFC 5321, 5.1). No such domain, no
    record of either kind and a null MX (RFC 7505) mean undeliverable. Whatever prevents an answer, a time-out first of
    all, means unknown, never undeliverable. Answers are remembered for their time to live, between 1 and 60 minutes.

    Args:
        domains: names, such as the part of an address after the @; repeats cost nothing.
        timeout_s: seconds for all of it; what is not answered then is unknown.
        concurrency: questions at the same time.
        resolver: what to ask, with the ``resolve`` of `dns.asyncresolver.Resolver`; by default the system's.

    Returns:
        Each of *domains* -> what was found.

    Raises:
        InvalidFieldError: ``"option"`` where *timeout_s* or *concurrency* is not positive.

    Source: RFC 5321 section 5.1 (2008), RFC 7505 (2015).

    >>> import asyncio
    >>> asyncio.run(check_deliverability([]))
    {}
    """
    if not timeout_s > 0 or concurrency < 1:
        raise InvalidFieldError("timeout_s and concurrency must be positive", code="option")
    asked = list(dict.fromkeys(domains))
    names = {domain: _name(domain) for domain in asked}
    answers: dict[str, Deliverability] = {}
    asker = _system() if resolver is None else resolver
    cache = _cache_of(asker)
    now = time.monotonic()
    open_names = []
    for name in dict.fromkeys(name for name in names.values() if name):
        known = cache.get(name)
        if known is not None and known[1] > now:
            answers[name] = known[0]
        else:
            open_names.append(name)
    if open_names:
        await _ask_all(iter(open_names), min(concurrency, len(open_names)), timeout_s, asker, cache, answers)
    return {
        domain: answers.get(name, Deliverability.UNKNOWN) if name else Deliverability.UNDELIVERABLE
        for domain, name in names.items()
    }


def _name(domain: object) -> str:
    """The name in ASCII and lower case, "" where it cannot be one."""
    if not isinstance(domain, str) or not domain.strip("."):
        return ""
    try:
        return dns.name.from_text(domain, idna_codec=dns.name.IDNA_2008).to_text().lower()
    except (dns.exception.DNSException, ValueError):
        return ""


def _system() -> Any:
    if not _default:
        _default.append(dns.asyncresolver.Resolver())
    return _default[0]


def _cache_of(resolver: Any) -> _Cache:
    """The answers that this resolver gave before; none are kept for one that cannot be referred to weakly."""
    try:
        cache = _caches.setdefault(resolver, {})
    except TypeError:
        return {}
    if len(cache) > _CACHE_DOMAINS:
        cache.clear()
    return cache


async def _ask_all(
    names: Iterator[str],
    concurrency: int,
    timeout_s: float,
    resolver: Any,
    cache: _Cache,
    answers: dict[str, Deliverability],
) -> None:
    async def work() -> None:
        for name in names:
            state, ttl_s = await _ask(resolver, name, timeout_s)
            answers[name] = state
            if state is not Deliverability.UNKNOWN:
                cache[name] = (state, time.monotonic() + ttl_s)

    workers = [asyncio.create_task(work()) for _ in range(concurrency)]
    try:
        await asyncio.wait(workers, timeout=timeout_s)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _ask(resolver: Any, name: str, timeout_s: float) -> tuple[Deliverability, float]:
    """(what was found, seconds it holds)."""
    try:
        found = await resolver.resolve(name, "MX", lifetime=timeout_s)
        taken = any(record.exchange != dns.name.root for record in found)
        state = Deliverability.DELIVERABLE if taken else Deliverability.UNDELIVERABLE
        return state, min(max(float(found.rrset.ttl), _MIN_TTL_S), _MAX_TTL_S)
    except dns.resolver.NXDOMAIN:
        return Deliverability.UNDELIVERABLE, _NEGATIVE_TTL_S
    except dns.resolver.NoAnswer:
        return await _ask_addresses(resolver, name, timeout_s)
    except Exception:  # noqa: BLE001  an injected resolver may raise anything; then nothing is known
        return Deliverability.UNKNOWN, 0.0


async def _ask_addresses(resolver: Any, name: str, timeout_s: float) -> tuple[Deliverability, float]:
    for kind in ("A", "AAAA"):
        try:
            found = await resolver.resolve(name, kind, lifetime=timeout_s)
            return Deliverability.DELIVERABLE, min(max(float(found.rrset.ttl), _MIN_TTL_S), _MAX_TTL_S)
        except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
            continue
        except Exception:  # noqa: BLE001  as above
            return Deliverability.UNKNOWN, 0.0
    return Deliverability.UNDELIVERABLE, _NEGATIVE_TTL_S
