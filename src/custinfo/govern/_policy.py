"""Who may see and do what: grants by role and purpose, default deny."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model import mask

CLEAR = "clear"
OWN = "mask"


def _name(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidFieldError(
            f"{attribute.name} must be a name: text, not empty", code="policy.name", path=attribute.name
        )


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    # One name alone is text, whose letters would make a tuple of other names.
    names: tuple[Any, ...] = (value,) if isinstance(value, str) else tuple(value)
    if not all(isinstance(name, str) and name for name in names):
        raise InvalidFieldError("roles, actions and methods are names: lists of texts, none empty", code="policy.name")
    return names


@attrs.frozen
class Principal:
    """Whoever acts: a user or a service that the host application has authenticated.

    Args:
        name: for the audit log.
        roles: that the host application gave it.
        auth_methods: how it proved who it is, such as ``("pwd", "otp")``.

    Raises:
        InvalidFieldError: "policy.name".

    >>> Principal("desk-7", ["sales"]).roles
    ('sales',)
    """

    name: str = attrs.field(validator=_name)
    roles: tuple[str, ...] = attrs.field(default=(), converter=_names)
    auth_methods: tuple[str, ...] = attrs.field(default=(), converter=_names)


def _fields(value: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    if isinstance(value, str):
        value = (value,)
    fields: dict[Any, Any] = dict(value) if isinstance(value, Mapping) else dict.fromkeys(value, CLEAR)
    for path, how in fields.items():
        entity, _, name = path.partition(".") if isinstance(path, str) else ("", "", "")
        if not entity or not name.isidentifier():
            raise InvalidFieldError("a granted field is a path such as 'customer.phones'", code="grant.field")
        kind, _, which = how.partition(":") if isinstance(how, str) else ("", "", "")
        if how not in (CLEAR, OWN) and kind != OWN:
            raise InvalidFieldError("a field is granted 'clear', 'mask' or 'mask:<name>'", code="grant.how", path=path)
        if how not in (CLEAR, OWN):
            mask("", which)
    return fields


@attrs.frozen
class Grant:
    """What one role may do with which fields for one purpose.

    Args:
        role: the role that it is given to.
        purpose: the purpose that it is given for.
        fields: path such as ``"customer.phones"`` -> ``"clear"``, ``"mask"`` (the field's own mask) or
            ``"mask:last4"``; a list of paths grants them clear.
        actions: ``"read"``, ``"write"``, ``"export"``.
        auth_methods: that the principal must have used, such as ``("otp",)``.

    Raises:
        InvalidFieldError: "grant.field", "grant.how", "mask.unknown", "policy.name".

    >>> Grant("sales", "service", {"customer.names": "clear", "customer.phones": "mask:last4"}).actions
    ('read',)
    """

    role: str = attrs.field(validator=_name)
    purpose: str = attrs.field(validator=_name)
    fields: dict[str, str] = attrs.field(converter=_fields)
    actions: tuple[str, ...] = attrs.field(default=("read",), converter=_names)
    auth_methods: tuple[str, ...] = attrs.field(default=(), converter=_names, kw_only=True)


class Authorizer(Protocol):
    """Decides on fields; a host application may bring its own instead of a `Policy`."""

    def fields(self, principal: Principal, *, purpose: str, action: str, entity: str) -> Mapping[str, str]:
        """The granted fields of an entity: field name -> how; empty where nothing is granted."""
        ...


class Policy:
    """Grants by role; what no grant gives is denied.

    >>> policy = Policy([Grant("sales", "service", {"customer.phones": "mask:last4"})])
    >>> policy.fields(Principal("desk-7", ["sales"]), purpose="service", action="read", entity="customer")
    {'phones': 'mask:last4'}
    >>> policy.fields(Principal("desk-7", ["sales"]), purpose="marketing", action="read", entity="customer")
    {}
    """

    def __init__(self, grants: Iterable[Grant]) -> None:
        self.grants = tuple(grants)

    def fields(self, principal: Principal, *, purpose: str, action: str, entity: str) -> dict[str, str]:
        """The granted fields of an entity.

        Of several grants of one field a clear one wins, then the field's own mask, then the first mask by name: the
        order of the grants says nothing.

        Args:
            principal: whoever asks.
            purpose: what for.
            action: "read", "write" or "export".
            entity: such as "customer".
        """
        granted: dict[str, str] = {}
        for grant in self.grants:
            if (
                grant.role in principal.roles
                and grant.purpose == purpose
                and action in grant.actions
                and set(grant.auth_methods) <= set(principal.auth_methods)
            ):
                for path, how in grant.fields.items():
                    owner, _, name = path.partition(".")
                    if owner == entity:
                        # "clear" < "mask" < "mask:...": their order as text is the order of precedence.
                        granted[name] = min(how, granted.get(name, how))
        return granted
