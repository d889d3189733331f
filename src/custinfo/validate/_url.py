"""Web addresses."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import urlsplit, urlunsplit

from custinfo.errors import InvalidFieldError
from custinfo.validate._base import BaseValidator, fail, issue, narrowed, text_or_issue
from custinfo.validate._characters import unsafe
from custinfo.validate._result import Issue, Result

__all__ = ["UrlValidator", "url"]

_MAX_LENGTH = 2_048
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?").fullmatch
_UNWANTED = re.compile(r"[\s<>\"\\^`{|}]").search
_HEXADECIMAL = re.compile("0x[0-9a-f]*").fullmatch
_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}


class UrlValidator(BaseValidator[str]):
    """A web address; see `url`."""

    name = "url"
    codes = frozenset(
        "value.missing value.type value.surrogate value.fullwidth text.control text.bidi text.noncharacter "
        "text.zero_width text.private_use text.marks text.confusable url.too_long url.format url.scheme url.host "
        "url.port url.credentials".split()
    )
    option_names = ("schemes",)

    def _check_options(self) -> None:
        schemes = self._options.get("schemes", ())
        if not isinstance(schemes, (tuple, list, set, frozenset)) or not all(isinstance(one, str) for one in schemes):
            raise InvalidFieldError("schemes must be a tuple of names, such as ('https',)", code="option")
        if schemes:
            self._options["schemes"] = tuple(sorted({one.lower() for one in schemes}))

    def __call__(self, value: object, *, schemes: tuple[str, ...] | None = None) -> Result[str]:
        """Check one absolute web address.

        Args:
            value: the address, at most 2,048 characters.
            schemes: allowed schemes, ``("http", "https")`` when not said. So ``javascript:`` is an error.

        Returns:
            The address with scheme and host in lower case and without the scheme's own port; path and query stay as
            they are. A user name or password in it is a warning: it hides the real host from readers and ends up in
            logs.

        Source: RFC 3986 (2005), RFC 1123 2.1.

        >>> url("HTTP://Example.COM:80/Path?q=1").value
        'http://example.com/Path?q=1'
        >>> url("javascript:alert(1)").issues[0].code
        'url.scheme'
        """
        if schemes is not None:
            return self.with_options(schemes=schemes)(value)
        allowed: tuple[str, ...] = self._options.get("schemes", ("http", "https"))  # type: ignore[assignment]
        found = text_or_issue(value, max_length=_MAX_LENGTH)
        if not isinstance(found, str):
            return fail("url.too_long") if found.code == "value.too_long" else Result(None, (found,))
        issues = unsafe(found)
        if any(one.severity == "error" for one in issues):
            return Result(None, issues)
        result = _judge(found, allowed, issues)
        return result if result or found.isascii() else narrowed(found, result, lambda text: _judge(text, allowed, []))


def _judge(text: str, allowed: tuple[str, ...], issues: list[Issue]) -> Result[str]:
    text = text.strip()
    scheme, colon, _ = text.partition(":")
    if not colon or not scheme.isascii() or scheme.lower() not in allowed:
        plausible = colon and scheme[:1].isalpha() and scheme.replace("+", "").replace("-", "").isalnum()
        return fail("url.scheme" if plausible else "url.format")
    if _UNWANTED(text):
        return fail("url.format")
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return fail("url.format" if "[" in text else "url.host")
    if not parts.netloc or host is None:
        return fail("url.format")
    try:
        port = parts.port
    except ValueError:
        return fail("url.port")
    name = _host(host)
    if not name:
        return fail("url.host")
    user, at, _ = parts.netloc.rpartition("@")
    if at:
        issues.append(issue("url.credentials"))
    kept = "" if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f":{port}"
    return Result(urlunsplit((parts.scheme, user + at + name + kept, *parts[2:])), issues)


def _host(host: str) -> str:
    """The normal form of a host name or IP address, "" where it is none."""
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host).compressed}]"
        except ValueError:
            return ""
    name = unicodedata.normalize("NFC", host).lower().removesuffix(".")
    if unicodedata.normalize("NFKC", name) != name:  # full-width and other compatibility forms, RFC 5892 2.1
        return ""
    labels = name.split(".")
    if len(name) > 253 or not all(0 < len(label) <= 63 for label in labels):
        return ""
    if labels[-1].isdigit() or _HEXADECIMAL(labels[-1]):  # browsers read both as the end of an IP address
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            return ""
    return name if all(_LABEL(_letters_as_x(label)) for label in labels) else ""


def _letters_as_x(label: str) -> str:
    """*label* with each letter or mark of another script than ASCII as ``x``, so that one pattern fits."""
    if label.isascii():
        return label
    return "".join("x" if not char.isascii() and unicodedata.category(char)[0] in "LMN" else char for char in label)


url = UrlValidator()
