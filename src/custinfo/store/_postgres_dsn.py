"""May this connection be made? Only TLS that verifies the server leaves the machine."""

from __future__ import annotations

import ipaddress

from custinfo.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def check_transport(options: Mapping[str, str]) -> None:
    """Refuse a connection that leaves the machine without verified TLS.

    Args:
        options: what libpq would use, by its own names: "host", "hostaddr", "sslmode".

    Raises:
        StoreError: "store.tls_required".
    """
    if options.get("sslmode") == "verify-full" or all(map(_is_local, _places(options))):
        return
    message = (
        "a server on another host is used with sslmode=verify-full only, which protects password and data on the way; "
        "add sslmode=verify-full and sslrootcert to the DSN, or pass insecure=True for a network that you trust"
    )
    raise StoreError(message, code="store.tls_required", sslmode=options.get("sslmode") or "prefer")


def _places(options: Mapping[str, str]) -> list[str]:
    """What is contacted: of each host its address where one is given."""
    hosts = options.get("host", "").split(",")
    addresses = options.get("hostaddr", "").split(",")
    count = max(len(hosts), len(addresses))
    hosts += [""] * (count - len(hosts))
    addresses += [""] * (count - len(addresses))
    return [address or host for host, address in zip(hosts, addresses, strict=True)]


def _is_local(place: str) -> bool:
    # libpq takes a path, or "@" and a name, as a Unix socket; so it does nothing at all.
    if place in ("", "localhost") or place[0] in "/@":
        return True
    try:
        return ipaddress.ip_address(place).is_loopback
    except ValueError:
        return False
