"""E-mail addresses: verdict and normal form are email-validator's."""

from __future__ import annotations

from types import ModuleType

from custinfo.errors import InvalidFieldError
from custinfo.validate._base import BaseValidator
from custinfo.validate._result import Issue, Result

__all__ = ["EmailValidator", "email"]

_engine: ModuleType | None = None  # loaded by the first call: an import statement in each would cost as much as a check
_OPTIONS = (
    "allow_display_name",
    "allow_domain_literal",
    "allow_empty_local",
    "allow_quoted_local",
    "allow_smtputf8",
    "globally_deliverable",
    "strict",
    "test_environment",
)


class EmailValidator(BaseValidator[str]):
    """An e-mail address; see `email`."""

    name = "email"
    codes = frozenset(
        "value.missing value.type value.surrogate email.no_at email.local_empty email.local_chars email.local_dots "
        "email.local_too_long email.domain_empty email.domain_chars email.domain_dots email.domain_hyphen "
        "email.domain_no_dot email.domain_tld email.domain_special_use email.domain_label_too_long "
        "email.domain_too_long email.domain_literal email.idn email.too_long email.unsafe_chars email.space "
        "email.fullwidth_at email.two_at email.quoted email.display_name email.smtputf8 email.syntax "
        "email.did_you_mean".split()
    )
    option_names = _OPTIONS

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        if not all(isinstance(value, bool) for value in self._options.values()):
            raise InvalidFieldError("options of email are True, False or None", code="option")

    def __call__(self, value: object, **options: bool | None) -> Result[str]:
        """Check the form of one e-mail address; nothing is asked of the network.

        Verdict and normal form equal ``email_validator.validate_email(value, check_deliverability=False, **options)``
        for every text: the domain in lower case and Unicode, the local part as it is, in NFC. What may be slow is
        capped: with ``allow_display_name`` more than 2,000 characters are an error.

        Args:
            value: the address.
            options: those of email-validator, with its defaults: ``allow_smtputf8``, ``allow_empty_local``,
                ``allow_quoted_local``, ``allow_domain_literal``, ``allow_display_name``, ``strict``,
                ``globally_deliverable``, ``test_environment``.

        Returns:
            The normal form. A well-known domain with a typing error gives the remark ``email.did_you_mean`` and
            ``meta["suggestion"]``; a display name is in ``meta["display_name"]``.

        Raises:
            InvalidFieldError: ``"option"`` for another option.

        Source: RFC 5321, RFC 5322, RFC 6531, RFC 5891, as email-validator reads them.

        >>> email("Info@EXAMPLE.com").value
        'info@example.com'
        >>> email("nobody@example").issues[0].code
        'email.domain_no_dot'
        >>> email("somebody@gmial.com").meta["suggestion"]
        'somebody@gmail.com'
        """
        result: Result[str] = (_engine or _load()).check(
            value, self.with_options(**options)._options if options else self._options
        )
        return result

    def _many(
        self,
        rows: list[object],
        start: int,
        out: list[str | None],
        issues: dict[int, tuple[Issue, ...]],
        extra: list[object] | None,
    ) -> None:
        (_engine or _load()).check_many(rows, start, out, issues, self._options)


def _load() -> ModuleType:
    global _engine
    from custinfo.validate import _email_engine

    _engine = _email_engine
    return _email_engine


email = EmailValidator()
