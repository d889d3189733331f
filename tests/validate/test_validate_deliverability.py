"""Deliverability, asked of a DNS server on the loopback interface."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from custinfo.errors import InvalidFieldError
from custinfo.validate import Deliverability, _deliverability, check_deliverability

TTL_S = {"brief.example.": 1, "long.example.": 1_000_000}
ZONE = {
    ("mail.example.", "MX"): "10 mx.mail.example.",
    ("brief.example.", "MX"): "10 mx.mail.example.",
    ("long.example.", "MX"): "10 mx.mail.example.",
    ("address.example.", "A"): "192.0.2.1",
    ("six.example.", "AAAA"): "2001:db8::1",
    ("null.example.", "MX"): "0 .",
    ("xn--bcher-kva.example.", "MX"): "10 mx.mail.example.",
}
KNOWN = {name for name, _ in ZONE} | {"empty.example."}


class Server(asyncio.DatagramProtocol):
    """Answers from `ZONE`, out of messages that dnspython reads and writes; silent for silent.example."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: object) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        if name == "silent.example.":
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if name == "refused.example.":
            answer.set_rcode(dns.rcode.REFUSED)
        elif name == "alias.example.":
            answer.answer.append(dns.rrset.from_text(question.name, 120, "IN", "CNAME", "mail.example."))
            if kind == "MX":
                answer.answer.append(dns.rrset.from_text("mail.example.", 120, "IN", kind, ZONE["mail.example.", kind]))
        elif name == "broken.example." or (name == "half.example." and kind == "A"):
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in ZONE:
            answer.answer.append(dns.rrset.from_text(question.name, TTL_S.get(name, 120), "IN", kind, ZONE[name, kind]))
        elif name not in KNOWN and name != "half.example.":
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)


def with_server(work: Callable[[Server, dns.asyncresolver.Resolver], Awaitable[None]]) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = transport.get_extra_info("sockname")[1]
        try:
            await work(server, resolver)
        finally:
            transport.close()

    asyncio.run(run())


def test_the_three_states() -> None:
    async def work(server: Server, resolver: dns.asyncresolver.Resolver) -> None:
        domains = [
            "mail.example",
            "MAIL.example",
            "address.example",
            "six.example",
            "null.example",
            "empty.example",
            "none.example",
            "bücher.example",
            "BÜCHER.example.",
            "xn--bcher-kva.example",
            "alias.example",
            "broken.example",
            "refused.example",
            "half.example",
            "",
            "a..b",
            "x" * 64 + ".example",
            "x." * 500_000,
            "\ud800.example",
            "[192.0.2.1]",
        ]
        found = await check_deliverability(domains, timeout_s=5, concurrency=3, resolver=resolver)
        assert list(found) == domains
        yes, no, unknown = Deliverability.DELIVERABLE, Deliverability.UNDELIVERABLE, Deliverability.UNKNOWN
        assert list(found.values()) == [
            *(yes, yes, yes, yes, no, no, no, yes, yes, yes, yes),
            *(unknown, unknown, unknown, no, no, no, no, no, unknown),
        ]
        assert server.asked["mail.example.", "MX"] == 1
        assert server.asked["xn--bcher-kva.example.", "MX"] == 1

    with_server(work)


def test_answers_are_remembered_but_what_is_unknown_is_asked_again() -> None:
    async def work(server: Server, resolver: dns.asyncresolver.Resolver) -> None:
        now = 1000.0
        domains = ["mail.example", "brief.example", "long.example", "none.example", "broken.example"]

        async def asked_after(seconds: float) -> list[int]:
            nonlocal now
            now = 1000.0 + seconds
            await check_deliverability(iter(domains), resolver=resolver, clock=lambda: now)
            return [server.asked[f"{domain}.", "MX"] for domain in domains[:4]]

        assert await asked_after(0) == [1, 1, 1, 1]
        broken = server.asked["broken.example.", "MX"]
        assert await asked_after(59) == [1, 1, 1, 1]  # not forgotten at once, however short its time to live
        assert server.asked["broken.example.", "MX"] > broken  # what is unknown is asked again
        assert await asked_after(61) == [1, 2, 1, 1]
        assert await asked_after(119) == [1, 2, 1, 1]
        assert await asked_after(301) == [2, 3, 1, 2]
        assert await asked_after(3599) == [3, 4, 1, 3]
        assert await asked_after(3601) == [3, 4, 2, 3]  # nor kept for ever, however long

    with_server(work)


def test_a_time_out_is_unknown_and_the_deadline_is_for_all() -> None:
    async def work(server: Server, resolver: dns.asyncresolver.Resolver) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        domains = ["mail.example", "silent.example"]
        found = await check_deliverability(domains, timeout_s=0.3, concurrency=2, resolver=resolver)
        assert found == {"mail.example": Deliverability.DELIVERABLE, "silent.example": Deliverability.UNKNOWN}
        assert loop.time() - start < 3
        assert len(asyncio.all_tasks()) == 1

    with_server(work)


def test_a_cancelled_call_leaves_no_task_behind() -> None:
    async def run() -> None:
        started, never = asyncio.Event(), asyncio.Event()
        stopped: list[str] = []

        class Silent:
            async def resolve(self, name: str, kind: str, *, lifetime: float) -> object:
                started.set()
                try:
                    await never.wait()
                finally:
                    stopped.append(name)
                return None  # pragma: no cover - never

        domains = [f"d{number}.example" for number in range(9)]
        call = asyncio.create_task(check_deliverability(domains, concurrency=3, timeout_s=60, resolver=Silent()))
        await started.wait()
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert len(stopped) == 3
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_a_machine_without_a_resolver_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(_deliverability, "_default", [])
    monkeypatch.setattr(dns.asyncresolver, "Resolver", nothing)
    found = asyncio.run(check_deliverability(["a.example", ""]))
    assert found == {"a.example": Deliverability.UNKNOWN, "": Deliverability.UNDELIVERABLE}


def test_one_name_is_not_taken_for_many() -> None:
    with pytest.raises(InvalidFieldError) as caught:
        asyncio.run(check_deliverability("example.com"))
    assert caught.value.code == "values"


def test_no_more_questions_at_a_time_than_allowed() -> None:
    running: list[int] = []
    most: list[int] = []

    class Slow:
        async def resolve(self, name: str, kind: str, *, lifetime: float) -> object:
            running.append(1)
            most.append(len(running))
            await asyncio.sleep(0)
            running.pop()
            raise dns.resolver.NXDOMAIN

    asyncio.run(check_deliverability([f"d{number}.example" for number in range(50)], concurrency=4, resolver=Slow()))
    assert max(most) == 4


def test_a_resolver_may_raise_anything_and_need_not_be_remembered() -> None:
    class Broken:
        __slots__ = ()

        async def resolve(self, name: str, kind: str, *, lifetime: float) -> object:
            if kind == "MX" and name.startswith("half"):
                raise dns.resolver.NoAnswer
            raise RuntimeError(name)

    found = asyncio.run(check_deliverability(["a.example", "half.example"], resolver=Broken()))
    assert set(found.values()) == {Deliverability.UNKNOWN}


def test_the_system_resolver_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Fake:
        def __init__(self) -> None:
            made.append(self)

        async def resolve(self, name: str, kind: str, *, lifetime: float) -> object:
            class Found(list[object]):
                rrset = SimpleNamespace(ttl=1)

            return Found([SimpleNamespace(exchange=dns.name.from_text("mx.example"))])

    monkeypatch.setattr(_deliverability, "_default", [])
    monkeypatch.setattr(dns.asyncresolver, "Resolver", Fake)
    monkeypatch.setattr(_deliverability, "_CACHE_DOMAINS", 1)
    for _ in range(3):
        found = asyncio.run(check_deliverability(["a.example", "b.example", None]))  # type: ignore[list-item]
        assert list(found.values()) == ["deliverable", "deliverable", "undeliverable"]
    assert len(made) == 1


@pytest.mark.parametrize("options", [{"timeout_s": 0}, {"timeout_s": float("nan")}, {"concurrency": 0}])
def test_limits_must_be_positive(options: dict[str, float]) -> None:
    with pytest.raises(InvalidFieldError):
        asyncio.run(check_deliverability(["a.example"], **options))  # type: ignore[arg-type]
