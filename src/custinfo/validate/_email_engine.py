"""The work behind `email`: plain addresses are judged here, every other one by email-validator.

An address is plain when its local part is an ASCII dot-atom and its domain consists of ASCII labels without ``--``;
there all releases of email-validator agree and only the domain's case changes. Some texts are refused here too: those
where one broken part cannot be rescued by another, nor by composing its characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from operator import attrgetter

import email_validator
from email_validator import validate_email

from custinfo.validate._base import issue, text_or_issue
from custinfo.validate._email_domains import did_you_mean
from custinfo.validate._email_faults import (
    ATEXT,
    domain_fault,
    hidden_or_space,
    is_surely_bad_domain,
    is_surely_bad_local,
    local_fault,
    plain_domain_fault,
    plain_local_fault,
)
from custinfo.validate._result import Issue, Result

__all__ = ["OPTIONS", "check", "check_many"]

OPTIONS = (
    "allow_display_name",
    "allow_domain_literal",
    "allow_empty_local",
    "allow_quoted_local",
    "allow_smtputf8",
    "globally_deliverable",
    "strict",
    "test_environment",
)

_MAX_LENGTH = 254  # octets, RFC 5321 4.5.3.1.3 with erratum 1690
_MAX_STRICT_LOCAL = 64  # RFC 5321 4.5.3.1.1
_MAX_WITH_NAME = 2_000
_ATOM = rf"[{ATEXT}]+"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_local_part = re.compile(rf"{_ATOM}(?:\.{_ATOM})*").fullmatch
_domain_name = re.compile(rf"{_LABEL}(?:\.{_LABEL})+").fullmatch
# RFC 2142; email-validator lowers these whatever their case, and is asked for them
_ROLES = frozenset(
    "info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp list "
    "trouble".split()
)
# EmailNotValidError is a ValueError; the others are for what libraries below it may get wrong
_ANY_FAULT = (ValueError, IndexError, RecursionError)
_MAX_IDN_GROWTH = 8  # octets of an ASCII label per character of an internationalized one, at most
_CACHE_DOMAINS = 50_000
_CACHE_SETTINGS = 256


class _Domain:
    """What is known of one domain under one set of settings.

    Attributes:
        normal: normal form, "" where the domain is refused.
        room: characters of an ASCII local part that still fit, -1 where the domain is refused.
        issues: why it is refused, or a suggestion.
    """

    __slots__ = ("issues", "normal", "room")

    def __init__(self, normal: str, room: int, *issues: Issue) -> None:
        self.normal = normal
        self.room = room
        self.issues = issues


class _Settings:
    """The options of a call with email-validator's present defaults, and what was judged under them.

    Attributes:
        options: all options of email-validator.
        special: its special-use domain names.
        domains: domains by the text of the address.
        roles: normal forms of local parts that are roles.
    """

    __slots__ = ("_endings", "domains", "options", "roles", "special")

    def __init__(self, options: Mapping[str, object], special: list[str]) -> None:
        self.options = options
        self.special = special
        self._endings = tuple(f".{name}" for name in special)
        self.domains: dict[str, _Domain] = {}
        self.roles: dict[str, str] = {}

    def domain(self, text: str) -> _Domain:
        """The domain *text*, judged once."""
        found = self.domains.get(text)
        if found is None:
            if len(self.domains) >= _CACHE_DOMAINS:
                self.domains.clear()
            found = self.domains[text] = self._judge(text)
        return found

    def _judge(self, text: str) -> _Domain:
        longest = _MAX_STRICT_LOCAL if self.options["strict"] else _MAX_LENGTH
        lower = text.lower()
        code = ""
        if len(text) <= 253 and "--" not in text and text[-1:].isalpha() and _domain_name(text):
            if not f".{lower}".endswith(self._endings):
                return _Domain(lower, min(longest, _MAX_LENGTH - 1 - len(text)), *_remark(lower))
            code = "" if self.options["test_environment"] else "email.domain_special_use"
        elif text[:1] != "[":
            if text.isascii():
                code = plain_domain_fault(text, self.options)
            elif is_surely_bad_domain(text):
                code = domain_fault(text, self.options, self.special)
        if code:
            return _Domain("", -1, issue(code))
        # Whatever a plain local part is, the domain is judged alike; so one question answers for all of them.
        try:
            answer = validate_email(f"a@{text}", check_deliverability=False, **self.options)  # type: ignore[arg-type]
        except _ANY_FAULT:
            return _Domain("", -1, issue(domain_fault(text, self.options, self.special)))
        forms = (text, answer.domain, answer.ascii_domain)
        return _Domain(answer.domain, min(longest, _MAX_LENGTH - 1 - max(len(form.encode()) for form in forms)))


_cache: dict[tuple[object, ...], _Settings] = {}
# the older releases have the option strict without a default of their own
_HAVE_DEFAULTS = [name for name in OPTIONS if hasattr(email_validator, name.upper())]
_defaults = attrgetter(*map(str.upper, _HAVE_DEFAULTS))


def _settings(options: Mapping[str, object]) -> _Settings:
    """Settings of this moment: a host may change email-validator's defaults and special-use names at any time."""
    special = email_validator.SPECIAL_USE_DOMAIN_NAMES
    defaults: tuple[object, ...] = _defaults(email_validator)
    key = (*defaults, *sorted(options.items())) if options else defaults
    found = _cache.get(key)
    if found is None or found.special != special:
        if len(_cache) >= _CACHE_SETTINGS:
            _cache.clear()
        full = {"strict": False, **dict(zip(_HAVE_DEFAULTS, defaults, strict=True)), **options}
        found = _cache[key] = _Settings(full, list(special))
    return found


def check(value: object, options: Mapping[str, object]) -> Result[str]:
    """One address; *options* are keyword arguments of email-validator."""
    return _check(value, _settings(options))


def _check(value: object, settings: _Settings) -> Result[str]:
    options = settings.options
    longest = _MAX_WITH_NAME if options["allow_display_name"] else _MAX_LENGTH
    text = text_or_issue(value, max_length=longest)
    if not isinstance(text, str):
        return Result(None, (issue("email.too_long") if text.code == "value.too_long" else text,))
    local, at, rest = text.partition("@")
    if not at:
        return _without_at(text, settings)
    if _local_part(local):
        domain = settings.domain(rest)
        if domain.room < 0:
            return Result(None, domain.issues)
        if len(local) > domain.room:
            strictly = options["strict"] and len(local) > _MAX_STRICT_LOCAL
            return Result(None, (issue("email.local_too_long" if strictly else "email.too_long"),))
        known = local if local.islower() or local.lower() not in _ROLES else settings.roles.get(local)
        if known is not None:
            return _good(f"{known}@{domain.normal}", domain.issues)
    else:
        code = _sure_fault(text, local, rest, settings)
        if code:
            return Result(None, (issue(code),))
    try:
        answer = validate_email(text, check_deliverability=False, **options)  # type: ignore[arg-type]
    except _ANY_FAULT:
        return Result(None, (issue(_fault(text, local, rest, settings)),))
    if _local_part(local):
        settings.roles[local] = answer.local_part  # at most as many as ways to write the roles
    return _good(answer.normalized, _remark(answer.domain), answer.display_name)


def _without_at(text: str, settings: _Settings) -> Result[str]:
    meant = text.replace("＠", "@").replace("﹫", "@")
    if meant == text:
        return Result(None, (issue("email.no_at"),))
    answer = _check(meant, settings)
    return Result(None, (issue("email.fullwidth_at"),), {"suggestion": answer.value} if answer else None)


def _sure_fault(text: str, local: str, domain: str, settings: _Settings) -> str:
    """The code where a local part that is no dot-atom is surely refused, "" where email-validator is to be asked."""
    options = settings.options
    if "<" in text and options["allow_display_name"]:
        return ""
    if not text.isascii():
        if '"' in text or "<" in text or not local:
            return ""
        if is_surely_bad_local(local):
            return hidden_or_space(local) or local_fault(local, options)
        if domain.isascii():
            return "" if domain[:1] == "[" or _domain_name(domain) else plain_domain_fault(domain, options)
        return domain_fault(domain, options, settings.special) if is_surely_bad_domain(domain) else ""
    if text[0] == '"' and "<" not in text:
        return "" if options["allow_quoted_local"] else "email.quoted"
    if '"' in text:
        return ""
    if "<" in text and text.rstrip(" ").endswith(">"):
        return "email.display_name"
    return plain_local_fault(local, options)


def _remark(domain: str) -> list[Issue]:
    meant = did_you_mean(domain)
    return [issue("email.did_you_mean", domain=meant)] if meant else []


def _good(normal: str, issues: Sequence[Issue], name: str | None = None) -> Result[str]:
    meta: dict[str, object] = {"display_name": name} if name else {}
    if issues:
        meta["suggestion"] = f"{normal.rpartition('@')[0]}@{issues[0].params['domain']}"
    return Result(normal, issues, meta or None)


def check_many(
    rows: list[object],
    start: int,
    out: list[str | None],
    issues: dict[int, tuple[Issue, ...]],
    options: Mapping[str, object],
) -> None:
    """`check` for many, appending to *out* and *issues*; equal texts are judged once."""
    settings = _settings(options)
    good: dict[object, str] = {}
    other: dict[object, Result[str]] = {}
    domains, append, local_part = settings.domains, out.append, _local_part
    for row, value in enumerate(rows, start):
        if type(value) is not str:
            result = _check(value, settings)
            append(result.value)
            issues[row] = result.issues
            continue
        normal = good.get(value)
        if normal is not None:
            append(normal)
            continue
        local, _, rest = value.partition("@")
        domain = domains.get(rest)
        if (
            domain is not None
            and not domain.issues
            and len(local) <= domain.room
            and local_part(local)
            and (local.islower() or local.lower() not in _ROLES)
        ):
            normal = domain.normal
            normal = value if normal == rest else f"{local}@{normal}"
            good[value] = normal
            append(normal)
            continue
        found = other.get(value)
        if found is None:
            found = other[value] = _check(value, settings)
        append(found.value)
        if found.issues:
            issues[row] = found.issues


def _fault(text: str, local: str, domain: str, settings: _Settings) -> str:
    """Why email-validator refused *text*, a text that no rule above was sure of."""
    options = settings.options
    if "<" in text and (text.rstrip(" ").endswith(">") or options["allow_display_name"]):
        return "email.syntax" if options["allow_display_name"] else "email.display_name"
    if local.startswith('"'):
        return "email.syntax" if options["allow_quoted_local"] else "email.quoted"
    code = hidden_or_space(local) or local_fault(local, options)
    if not code and not unicodedata.is_normalized("NFC", local):
        code = local_fault(unicodedata.normalize("NFC", local), options)
    if code:
        return code
    if len(text.encode()) > _MAX_LENGTH:
        return "email.too_long"
    # The domain was not judged apart yet; a second question would double the cost, so it is only asked where an IDN
    # may be good and merely too long in its ASCII form.
    known = settings.domains.get(domain)
    if known is None and len(local.encode()) + _MAX_IDN_GROWTH * len(domain) > _MAX_LENGTH:
        known = settings.domain(domain)
    if known is not None:
        return known.issues[0].code if known.room < 0 else "email.too_long"
    plain = plain_domain_fault(domain, options) if domain.isascii() and domain[:1] != "[" else ""
    return plain or domain_fault(domain, options, settings.special)
