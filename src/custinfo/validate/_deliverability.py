"""Whether domains take mail, asked of the DNS."""

from __future__ import annotations

import asyncio
import enum
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, MutableMapping
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
_MAX_LENGTH = 1024  # of a name in Unicode; in ASCII it has at most 253 characters


class Deliverability(enum.StrEnum):
    """What the DNS says about mail to a domain."""

    DELIVERABLE = "deliverable"
    UNDELIVERABLE = "undeliverable"
    UNKNOWN = "unknown"


_Cache = dict[str, tuple[Deliverability, float]]
_caches: MutableMapping[Any, _Cache] = weakref.WeakKeyDictionary()
_default: list[Any] = []


async def check_deliverability(
    domains: Iterable[str],
    *,
    timeout_s: float = 10.0,
    concurrency: int = 20,
    resolver: Any = None,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Deliverability]:
    """Ask the DNS whether domains take mail.

    Each domain is asked for once, whatever its letter case and whether it is written in Unicode or ASCII: MX records,
    and without any the address records (RFC 5321, 5.1). No such domain, no record of either kind and a null MX
    (RFC 7505) mean undeliverable. Whatever prevents an answer means unknown, never undeliverable: a time-out, a server
    that fails or refuses, a machine without a resolver. An address literal such as ``[192.0.2.1]`` is unknown, since no
    DNS knows it. Answers are remembered per resolver for their time to live, between 1 and 60 minutes; unknown ones are
    asked again. A call that is cancelled cancels its questions.

    Args:
        domains: names, such as the part of an address after the @; repeats cost nothing.
        timeout_s: seconds for all of it; what is not answered then is unknown.
        concurrency: questions at the same time.
        resolver: what to ask, with the ``resolve`` of `dns.asyncresolver.Resolver`; by default the system's.
        clock: seconds of a clock that never goes back, by which answers are forgotten.

    Returns:
        Each of *domains* -> what was found.

    Raises:
        InvalidFieldError: ``"option"`` where *timeout_s* or *concurrency* is not positive; ``"values"`` for one text.

    Source: RFC 5321 section 5.1 (2008), RFC 7505 (2015).

    >>> import asyncio
    >>> asyncio.run(check_deliverability([]))
    {}
    """
    if not timeout_s > 0 or concurrency < 1:
        raise InvalidFieldError("timeout_s and concurrency must be positive", code="option")
    if isinstance(domains, (str, bytes)):
        raise InvalidFieldError("domains must be an iterable of names, not one name; put it into a list", code="values")
    asked = list(dict.fromkeys(domains))
    names = {domain: _name(domain) for domain in asked}
    answers: dict[str, Deliverability] = {}
    asker = _system() if resolver is None else resolver
    cache = _cache_of(asker)
    now = clock()
    open_names = []
    for name in dict.fromkeys(name for name in names.values() if name):
        known = cache.get(name)
        if known is not None and known[1] > now:
            answers[name] = known[0]
        else:
            open_names.append(name)
    if open_names and asker is not None:
        held = await _ask_all(iter(open_names), min(concurrency, len(open_names)), timeout_s, asker)
        for name, (state, ttl_s) in held.items():
            answers[name] = state
            if state is not Deliverability.UNKNOWN:
                cache[name] = (state, clock() + ttl_s)
    return {
        domain: Deliverability.UNDELIVERABLE if name == "" else answers.get(name or "", Deliverability.UNKNOWN)
        for domain, name in names.items()
    }


def _name(domain: object) -> str | None:
    """The name in ASCII and lower case, "" where it cannot be one, None for an address literal."""
    if not isinstance(domain, str) or not domain.strip(".") or len(domain) > _MAX_LENGTH:
        return ""
    if domain.startswith("["):
        return None
    try:
        return dns.name.from_text(domain, idna_codec=dns.name.IDNA_2008).to_text().lower()
    except (dns.exception.DNSException, ValueError):
        return ""


def _system() -> Any:
    """The resolver that the machine is configured with, None where it is not."""
    if not _default:
        try:
            _default.append(dns.asyncresolver.Resolver())
        except dns.exception.DNSException:
            return None
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
) -> dict[str, tuple[Deliverability, float]]:
    """Name -> (what was found, seconds it holds) of what is answered in time."""
    answers: dict[str, tuple[Deliverability, float]] = {}

    async def work() -> None:
        for name in names:
            answers[name] = await _ask(resolver, name, timeout_s)

    workers = [asyncio.create_task(work()) for _ in range(concurrency)]
    try:
        await asyncio.wait(workers, timeout=timeout_s)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return answers


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
