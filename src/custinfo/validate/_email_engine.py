"""The work behind `email`: plain addresses are judged here, every other one by email-validator.

An address is plain when its local part is an ASCII dot-atom and its domain consists of ASCII labels without ``--``;
there all releases of email-validator agree and only the domain's case changes. Some texts are refused here too: those
that are ASCII without quotes, brackets and backslash, where one broken part cannot be rescued by another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import email_validator
from email_validator import EmailNotValidError, validate_email

from custinfo.validate._base import issue, text_or_issue
from custinfo.validate._email_domains import did_you_mean
from custinfo.validate._result import Issue, Result

__all__ = ["check", "check_many"]

_MAX_LENGTH = 254  # octets, RFC 5321 4.5.3.1.3 with erratum 1690
_MAX_WITH_NAME = 2_000
_ATEXT = r"a-zA-Z0-9_!#$%&'*+\-/=?^`{|}~"
_ATOM = rf"[{_ATEXT}]+"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_local_part = re.compile(rf"{_ATOM}(?:\.{_ATOM})*").fullmatch
_domain_name = re.compile(rf"{_LABEL}(?:\.{_LABEL})+").fullmatch
_special = re.compile(r'["<>\\\[\]]').search
_hidden = re.compile("[\x00-\x1f\x7f]").search
_local_chars = re.compile(rf"[{_ATEXT}.]*").fullmatch
_domain_chars = re.compile(r"[a-zA-Z0-9.-]*").fullmatch
# RFC 2142; email-validator lowers these whatever their case, and is asked for them
_ROLES = frozenset(
    "info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp list "
    "trouble".split()
)
_CACHE_DOMAINS = 50_000

Verdict = tuple[str | None, tuple[Issue, ...]]


class _Domains:
    """What is known of domains under one list of special-use names, which email-validator lets a host change."""

    def __init__(self) -> None:
        self.special: list[str] = []
        self.known: dict[str, tuple[str, Issue | None]] = {}

    def current(self) -> dict[str, tuple[str, Issue | None]]:
        names = email_validator.SPECIAL_USE_DOMAIN_NAMES
        if names != self.special or len(self.known) > _CACHE_DOMAINS:
            self.special, self.known = list(names), {}
        return self.known

    def look(self, domain: str) -> tuple[str, Issue | None]:
        """(lower-case domain, suggestion); ``("", None)`` where email-validator is to be asked."""
        normal, meant = "", None
        if len(domain) <= 253 and "--" not in domain and domain[-1:].isalpha() and _domain_name(domain):
            lower = domain.lower()
            if not any(lower == name or lower.endswith("." + name) for name in self.special):
                normal = lower
                often = did_you_mean(lower)
                meant = issue("email.did_you_mean", domain=often) if often else None
        answer = self.known[domain] = (normal, meant)
        return answer


_domains = _Domains()


def check(value: object, options: Mapping[str, object]) -> Result[str]:
    """One address; *options* are keyword arguments of email-validator."""
    longest = _MAX_WITH_NAME if _setting(options, "allow_display_name") else _MAX_LENGTH
    text = text_or_issue(value, max_length=longest)
    if not isinstance(text, str):
        return Result(None, (issue("email.too_long") if text.code == "value.too_long" else text,))
    local, at, domain = text.partition("@")
    known = _domains.current()
    entry = known.get(domain) or _domains.look(domain)
    normal, issues = _quick(text, local, at, domain, entry, options)
    meta: dict[str, object] | None = None
    if normal is None and not issues:
        normal, issues, meta = _ask(text, local, domain, options)
    if entry[1] is not None and normal is not None:
        meta = {**(meta or {}), "suggestion": f"{normal.rpartition('@')[0]}@{entry[1].params['domain']}"}
    return Result(normal, issues, meta)


def check_many(
    rows: list[object],
    start: int,
    out: list[str | None],
    issues: dict[int, tuple[Issue, ...]],
    options: Mapping[str, object],
) -> None:
    """`check` for many, appending to *out* and *issues*; equal texts are judged once."""
    known: dict[str, Verdict] = {}
    domains, look = _domains.current(), _domains.look
    strict = bool(_setting(options, "strict"))
    append = out.append
    for row, value in enumerate(rows, start):
        if type(value) is not str:
            result = check(value, options)
            append(result.value)
            if result.issues:
                issues[row] = result.issues
            continue
        verdict = known.get(value)
        if verdict is None:
            local, _, domain = value.partition("@")
            normal, meant = domains.get(domain) or look(domain)
            if (
                normal
                and meant is None
                and len(value) <= _MAX_LENGTH
                and _local_part(local)
                and (local.islower() or local.lower() not in _ROLES)
                and not (strict and len(local) > 64)
            ):
                verdict = (value if normal == domain else f"{local}@{normal}", ())
            else:
                result = check(value, options)
                verdict = (result.value, result.issues)
            known[value] = verdict
        append(verdict[0])
        if verdict[1]:
            issues[row] = verdict[1]


def _setting(options: Mapping[str, object], name: str) -> object:
    """The option, or the default that email-validator has at this moment; a host may change those."""
    return options[name] if name in options else getattr(email_validator, name.upper())


def _quick(
    text: str, local: str, at: str, domain: str, entry: tuple[str, Issue | None], options: Mapping[str, object]
) -> Verdict:
    """The verdict where it is sure without email-validator, ``(None, ())`` where it is not."""
    if not at:
        return None, (_no_at(text),)
    normal, meant = entry
    good_local = _local_part(local) is not None
    if normal and good_local and len(text) <= _MAX_LENGTH:
        if len(local) > 64 and _setting(options, "strict"):
            return None, (issue("email.local_too_long"),)
        if local.islower() or local.lower() not in _ROLES:
            return f"{local}@{normal}", () if meant is None else (meant,)
        return None, ()
    if not text.isascii() or _special(text):
        return None, ()
    code = _plain_fault(local, domain, good_local=good_local, options=options)
    return None, (issue(code),) if code else ()


def _no_at(text: str) -> Issue:
    return issue("email.fullwidth_at" if "＠" in text or "﹫" in text else "email.no_at")


def _plain_fault(local: str, domain: str, *, good_local: bool, options: Mapping[str, object]) -> str:
    """The code of a fault that is sure in ASCII text without quotes and brackets, "" where none is."""
    if not good_local:
        if not local:
            return "" if _setting(options, "allow_empty_local") else "email.local_empty"
        if _local_chars(local):
            return "email.local_dots"
        return "email.unsafe_chars" if _hidden(local) else "email.space" if " " in local else "email.local_chars"
    if not domain:
        return "email.domain_empty"
    if not _domain_chars(domain):
        if "@" in domain:
            return "email.two_at"
        return "email.unsafe_chars" if _hidden(domain) else "email.space" if " " in domain else "email.domain_chars"
    if domain[0] == "." or domain[-1] == "." or ".." in domain:
        return "email.domain_dots"
    if domain[0] == "-" or domain[-1] == "-" or ".-" in domain or "-." in domain:
        return "email.domain_hyphen"
    if "--" in domain:
        return ""
    if max(map(len, domain.split("."))) > 63:
        return "email.domain_label_too_long"
    if _setting(options, "globally_deliverable") and not _setting(options, "test_environment"):
        if "." not in domain:
            return "email.domain_no_dot"
        if not domain[-1].isalpha():
            return "email.domain_tld"
    return ""


def _ask(
    text: str, local: str, domain: str, options: Mapping[str, object]
) -> tuple[str | None, tuple[Issue, ...], dict[str, object] | None]:
    try:
        answer = validate_email(text, check_deliverability=False, **options)  # type: ignore[arg-type]
    except EmailNotValidError:
        return None, (issue(_fault(text, local, domain, options)),), None
    except (ValueError, IndexError, RecursionError):  # nothing of a library below may reach the caller
        return None, (issue("email.syntax"),), None
    name = answer.display_name
    return answer.normalized, (), {"display_name": name} if name else None


def _fault(text: str, local: str, domain: str, options: Mapping[str, object]) -> str:
    """Why email-validator refused *text*, found by looking rather than from its sentences, which change."""
    if text.rstrip(" ").endswith(">") and "<" in text and not _setting(options, "allow_display_name"):
        return "email.display_name"
    if local.startswith('"'):
        return "email.quoted" if not _setting(options, "allow_quoted_local") else "email.syntax"
    if domain.startswith("["):
        return "email.domain_literal"
    if "＠" in text and "@" not in text:
        return "email.fullwidth_at"
    if any(not char.isprintable() and not char.isspace() for char in text):
        return "email.unsafe_chars"
    if any(char.isspace() for char in text):
        return "email.space"
    return _fault_local(local, options) or _fault_domain(text, domain, options) or "email.syntax"


def _fault_local(local: str, options: Mapping[str, object]) -> str:
    if not local:
        return "" if _setting(options, "allow_empty_local") else "email.local_empty"
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "email.local_dots"
    ascii_part = "".join(char for char in local if char.isascii())
    if not _local_chars(ascii_part):
        return "email.local_chars"
    if len(local) > 64 and _setting(options, "strict"):
        return "email.local_too_long"
    if ascii_part != local and not _setting(options, "allow_smtputf8"):
        return "email.smtputf8"
    return ""


def _fault_domain(text: str, domain: str, options: Mapping[str, object]) -> str:
    if not domain:
        return "email.domain_empty"
    if "@" in domain:
        return "email.two_at"
    if len(domain) > 253:
        return "email.domain_too_long"
    if any(char.isascii() and not _domain_chars(char) for char in domain):
        return "email.domain_chars"
    lower = domain.lower()
    if any(lower == name or lower.endswith("." + name) for name in _domains.special):
        return "email.domain_special_use"
    if any(label[2:4] == "--" and label[:2] != "xn" for label in lower.split(".")):
        return "email.domain_hyphen"
    if len(text.encode()) > _MAX_LENGTH:
        return "email.too_long"
    if "xn--" in lower or not domain.isascii():
        return "email.idn"
    if "." not in domain and _setting(options, "globally_deliverable"):
        return "email.domain_no_dot"
    return "email.domain_tld" if not domain[-1].isalpha() else ""
