"""Validators: a code, a normal form and a sentence for each value; nothing is loaded before it is used."""

from __future__ import annotations

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._batch import BatchResult
    from custinfo.validate._country import country
    from custinfo.validate._currency import currency
    from custinfo.validate._date import date
    from custinfo.validate._email import email
    from custinfo.validate._name import person_name
    from custinfo.validate._phone import phone
    from custinfo.validate._postal import postal_code
    from custinfo.validate._protocol import Validator
    from custinfo.validate._result import Issue, Result
    from custinfo.validate._text import text

__all__ = [
    "BatchResult",
    "Issue",
    "Result",
    "Validator",
    "country",
    "currency",
    "date",
    "email",
    "person_name",
    "phone",
    "postal_code",
    "text",
]

_EXPORTS = {
    "BatchResult": "custinfo.validate._batch",
    "Issue": "custinfo.validate._result",
    "Result": "custinfo.validate._result",
    "Validator": "custinfo.validate._protocol",
    "country": "custinfo.validate._country",
    "currency": "custinfo.validate._currency",
    "date": "custinfo.validate._date",
    "email": "custinfo.validate._email",
    "person_name": "custinfo.validate._name",
    "phone": "custinfo.validate._phone",
    "postal_code": "custinfo.validate._postal",
    "text": "custinfo.validate._text",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
