"""Means of payment, by token: never the number of a card."""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import attrs

from custinfo.errors import InvalidFieldError
from custinfo.model._check import Field, check_text, choice, flag, optional_key, optional_text
from custinfo.model._field import Index, personal, plain
from custinfo.model._record import created, owner_id, record_id, record_version, unknown_keys, updated
from custinfo.model._rules import Whole, fault

_FINGERPRINT = Index(name="fingerprint", text=lambda method: method.fingerprint)
# Source: ISO/IEC 7812-1:2017: a primary account number has at most 19 digits; networks issue 12 and more. No network of
# payment cards begins with 0, 10 to 21 or 7; the numbers of agreements and databases often do: with a year or a time.
_PAN = re.compile("(?![017]|2[01])[0-9]{12,19}").fullmatch
_GROUP = re.compile(r"(?<![^\W_])\d+(?![^\W_])")  # digits of any script that no letter touches
_GAP = re.compile(r"[\s.,/_\-\u00ad\u2010-\u2015\u2212]{1,3}").fullmatch  # what people write between them
_LONGEST = 19
_LAST4 = re.compile("[0-9]{4}").fullmatch


class PaymentMethodKind(StrEnum):
    """What a payment is made with."""

    CARD = "card"
    BANK_DEBIT = "bank_debit"
    BANK_TRANSFER = "bank_transfer"
    ALIPAY = "alipay"
    WECHAT_PAY = "wechat_pay"
    DIGITAL_CNY = "digital_cny"
    APPLE_PAY = "apple_pay"
    GOOGLE_PAY = "google_pay"
    PAYPAL = "paypal"
    WALLET = "wallet"
    INVOICE = "invoice"
    CASH = "cash"
    OTHER = "other"


class PaymentMethodStatus(StrEnum):
    """Whether it can be used."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


def holds_pan(text: str) -> bool:
    """Whether a text holds what looks like a card number, set apart from other letters and digits.

    12 to 19 digits of any script whose check digit is right and which do not begin with 0, 1, 20, 21 or 7, in one group
    or in several with blanks, hyphens or points between them; other digits may stand beside them.

    Source: ISO/IEC 7812-1:2017, annex B (the Luhn formula).

    >>> holds_pan("card 4242 4242 4242 4242"), holds_pan("4242424242424241"), holds_pan("a4242424242424242")
    (True, False, False)
    """
    text = unicodedata.normalize("NFKC", text)
    groups: list[str] = []
    end = 0
    for match in _GROUP.finditer(text):
        if not _GAP(text, end, match.start()):
            groups.clear()
        groups.append(_digits(match[0]))
        end = match.end()
        behind = ""
        for group in reversed(groups):
            behind = group + behind
            if len(behind) > _LONGEST:
                break
            if _is_pan(behind):
                return True
    return False


def _digits(text: str) -> str:
    return "".join(str(int(c)) for c in text if c.isdecimal())


def _is_pan(digits: str) -> bool:
    return _PAN(digits) is not None and _luhn([int(c) for c in digits])


def _luhn(digits: list[int]) -> bool:
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _reference(instance: object, field: "Field[Any]", value: object) -> None:
    """Validator: None or a key that is no card number; it may have as many digits inside."""
    optional_key(instance, field, value)
    if isinstance(value, str):
        _no_whole_pan(value, field.name)


def _words(instance: object, field: "Field[Any]", value: object) -> None:
    """Validator: None or text without a card number."""
    optional_text(instance, field, value)
    if isinstance(value, str):
        _no_pan(value, field.name)


def _no_pan(value: str, path: str) -> None:
    if holds_pan(value):
        raise _pan_fault(path)


def _no_whole_pan(value: str, path: str) -> None:
    """Of a reference all digits together count: parts of one are right by chance too often."""
    if not any(map(str.isalpha, value)) and _is_pan(_digits(unicodedata.normalize("NFKC", value))):
        raise _pan_fault(path)


def _pan_fault(path: str) -> InvalidFieldError:
    return fault(
        "payment_method.pan",
        path,
        f"{path} looks like a card number; keep the token of your payment provider, never the number",
    )


def _texts(value: Any) -> Iterator[str]:
    """The texts and numbers in a JSON value."""
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)
    else:
        yield str(value)


def _last4(_: object, field: "Field[Any]", value: object) -> None:
    if value is not None and not _LAST4(check_text(value, field.name)):
        raise fault("payment_method.last4", field.name, "last4 must be the last 4 digits")


@attrs.frozen(kw_only=True)
class PaymentMethod:
    """What a customer pays with, as a token of the payment provider.

    The number of a card is refused in each field, unknown keys included: who never has it cannot lose it.

    Source: PCI DSS 4.0.1 (June 2024), requirement 3.

    Args:
        token: of the payment provider, or another reference to the method.
        brand: such as "visa", "mastercard", "unionpay".
        last4: the last 4 digits, to tell methods apart.
        exp_month: 1 to 12; see `good_through`.
        exp_year: of four digits.
        fingerprint: the provider's hash of the number: the same for the same card at several customers.
        issuer: bank or company that issued it.
        mandate: reference of a debit mandate.
        is_default: whether it is used where none is named.

    Raises:
        InvalidFieldError: "payment_method.pan", "payment_method.last4"; those of the fields: "enum.unknown", "int.*",
            "bool.type", "text.*", "time.*", "json.*", "extra.reserved".

    >>> card = PaymentMethod(id="w1", customer_id="c1", kind="card", token="tok_1", brand="unionpay", last4="0123")
    >>> card.kind
    <PaymentMethodKind.CARD: 'card'>
    """

    id: str = record_id()
    version: int = record_version()
    customer_id: str = owner_id()
    kind: PaymentMethodKind = plain("kind", "支付方式", level="C2", converter=choice(PaymentMethodKind))
    status: PaymentMethodStatus = plain(
        "whether it can be used", "状态", default=PaymentMethodStatus.ACTIVE, converter=choice(PaymentMethodStatus)
    )
    token: str | None = personal(
        "financial", "token of the payment provider", "支付令牌", default=None, validator=_reference
    )
    brand: str | None = personal("financial", "brand", "卡品牌", default=None, validator=_words)
    last4: str | None = personal("financial", "last 4 digits", "卡号后四位", default=None, validator=_last4)
    exp_month: int | None = personal(
        "financial", "month to whose end it is good", "有效期月", level="C3", default=None, validator=Whole(1, 12)
    )
    exp_year: int | None = personal(
        "financial", "year of that month", "有效期年", level="C3", default=None, validator=Whole(1000, 9999)
    )
    fingerprint: str | None = personal(
        "financial",
        "hash of the number, by the provider",
        "卡指纹",
        index=_FINGERPRINT,
        default=None,
        validator=_reference,
    )
    issuer: str | None = personal("financial", "bank or company", "发卡机构", default=None, validator=_words)
    mandate: str | None = personal(
        "financial", "reference of a debit mandate", "代扣协议号", default=None, validator=_reference
    )
    label: str | None = personal("content", "name for it", "名称", default=None, validator=_words)
    is_default: bool = plain("used where none is named", "是否默认", default=False, repr=False, validator=flag)
    created_at: datetime | None = created()
    updated_at: datetime | None = updated()
    extra: Mapping[str, Any] = unknown_keys()

    def __attrs_post_init__(self) -> None:
        if self.kind is PaymentMethodKind.CARD:  # other ids may be numbers
            _no_whole_pan(self.id, "id")
        if self.extra:
            for text in _texts(self.extra):
                _no_pan(text, "extra")

    @property
    def good_through(self) -> date | None:
        """The last day on which a card is good: that of its month; None where that is not known."""
        if self.exp_month is None or self.exp_year is None:
            return None
        return date(self.exp_year, self.exp_month, monthrange(self.exp_year, self.exp_month)[1])
