"""Why an e-mail address is refused: the code, found by looking at the parts."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = [
    "ATEXT",
    "domain_fault",
    "hidden_or_space",
    "is_surely_bad_domain",
    "is_surely_bad_local",
    "local_fault",
    "plain_domain_fault",
    "plain_local_fault",
]

ATEXT = r"a-zA-Z0-9_!#$%&'*+\-/=?^`{|}~"  # RFC 5322 3.2.3
_hidden = re.compile("[\x00-\x1f\x7f]").search
_bad_in_local = re.compile(rf"(?![{ATEXT}.])[\x00-\x7f]").search
_bad_in_domain = re.compile(r"(?![a-zA-Z0-9.-])[\x00-\x7f]").search
_local_chars = re.compile(rf"[{ATEXT}.]*").fullmatch
_domain_chars = re.compile(r"[a-zA-Z0-9.-]*").fullmatch

# < = > are left out: with a mark behind them they become other characters by composition
_never_in_local = re.compile(r"\.\.|^\.|\.$|[ (),:;@\[\\\]]").search
_never_in_domain = re.compile(r"\.\.|^\.|\.$|[ !\"#$%&'()*+,/:;?@\[\\\]^_`{|}~]").search


def is_surely_bad_local(local: str) -> bool:
    """Whether a local part without quotes that is not ASCII is refused whatever composition makes of it."""
    return not local.isprintable() or _never_in_local(local) is not None


def is_surely_bad_domain(domain: str) -> bool:
    """Whether a domain without brackets around it that is not ASCII is refused whatever mapping makes of it.

    Only ASCII counts: of the other characters some are mapped to nothing.
    """
    return _never_in_domain(domain) is not None


def plain_local_fault(local: str, options: Mapping[str, object]) -> str:
    """The code of a local part that is ASCII without quotes and brackets and no dot-atom, "" where it may be good."""
    if not local:
        return "" if options["allow_empty_local"] else "email.local_empty"
    if _local_chars(local):
        return "email.local_dots"
    return "email.unsafe_chars" if _hidden(local) else "email.space" if " " in local else "email.local_chars"


def plain_domain_fault(domain: str, options: Mapping[str, object]) -> str:
    """The code of a fault that is sure in an ASCII domain without brackets, "" where none is."""
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
    if options["globally_deliverable"] and not options["test_environment"]:
        if "." not in domain:
            return "email.domain_no_dot"
        if not domain[-1].isalpha():
            return "email.domain_tld"
    return ""


def domain_fault(domain: str, options: Mapping[str, object], special: list[str]) -> str:
    """Why email-validator refused *domain*, found by looking rather than from its sentences, which change."""
    if domain.startswith("["):
        return "email.domain_literal"
    if code := hidden_or_space(domain):
        return code
    if "@" in domain:
        return "email.two_at"
    if len(domain) > 253:
        return "email.domain_too_long"
    if _bad_in_domain(domain):
        return "email.domain_chars"
    lower = domain.lower()
    if f".{lower}".endswith(tuple(f".{name}" for name in special)):
        return "email.domain_special_use"
    if "--" in lower and any(label[2:4] == "--" and label[:2] != "xn" for label in lower.split(".")):
        return "email.domain_hyphen"
    if "xn--" in lower or not domain.isascii():
        return "email.idn"
    if "." not in domain and options["globally_deliverable"]:
        return "email.domain_no_dot"
    return "email.domain_tld" if not domain[-1].isalpha() else "email.too_long"


def hidden_or_space(part: str) -> str:
    """The code where *part* has characters that cannot be seen, "" where it has none."""
    if part.isprintable() and " " not in part:
        return ""
    if any(not char.isprintable() and not char.isspace() for char in part):
        return "email.unsafe_chars"
    return "email.space" if any(map(str.isspace, part)) else ""


def local_fault(local: str, options: Mapping[str, object]) -> str:
    """Why email-validator refused *local*, no quoted string, "" where nothing is wrong with it."""
    if not local:
        return "" if options["allow_empty_local"] else "email.local_empty"
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "email.local_dots"
    if _bad_in_local(local):
        return "email.local_chars"
    if options["strict"] and len(local) > 64:
        return "email.local_too_long"
    return "" if local.isascii() or options["allow_smtputf8"] else "email.smtputf8"
