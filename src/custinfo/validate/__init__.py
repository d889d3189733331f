"""Validators: a code, a normal form and a sentence for each value; nothing is loaded before it is used."""

from __future__ import annotations

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._batch import BatchResult
    from custinfo.validate._bic import bic, lei
    from custinfo.validate._card import CardInfo, card
    from custinfo.validate._cn_id import cn_resident_id
    from custinfo.validate._country import country
    from custinfo.validate._currency import currency
    from custinfo.validate._date import date
    from custinfo.validate._deliverability import Deliverability, check_deliverability
    from custinfo.validate._email import email
    from custinfo.validate._hkid import hkid
    from custinfo.validate._iban import iban
    from custinfo.validate._luhn import luhn
    from custinfo.validate._name import person_name
    from custinfo.validate._phone import phone
    from custinfo.validate._postal import postal_code
    from custinfo.validate._protocol import Validator
    from custinfo.validate._quality import quality
    from custinfo.validate._quality_report import QualityReport, Score
    from custinfo.validate._result import Issue, Result
    from custinfo.validate._rule import Rule
    from custinfo.validate._schema import Report, Schema
    from custinfo.validate._text import text
    from custinfo.validate._url import url
    from custinfo.validate._uscc import cn_uscc
    from custinfo.validate._vat import other_id, vat

__all__ = [
    "BatchResult",
    "CardInfo",
    "Deliverability",
    "Issue",
    "QualityReport",
    "Report",
    "Result",
    "Rule",
    "Schema",
    "Score",
    "Validator",
    "bic",
    "card",
    "check_deliverability",
    "cn_resident_id",
    "cn_uscc",
    "country",
    "currency",
    "date",
    "email",
    "hkid",
    "iban",
    "lei",
    "luhn",
    "other_id",
    "person_name",
    "phone",
    "postal_code",
    "quality",
    "text",
    "url",
    "vat",
]

_EXPORTS = {
    "BatchResult": "custinfo.validate._batch",
    "CardInfo": "custinfo.validate._card",
    "Deliverability": "custinfo.validate._deliverability",
    "Issue": "custinfo.validate._result",
    "QualityReport": "custinfo.validate._quality_report",
    "Report": "custinfo.validate._schema",
    "Result": "custinfo.validate._result",
    "Rule": "custinfo.validate._rule",
    "Schema": "custinfo.validate._schema",
    "Score": "custinfo.validate._quality_report",
    "Validator": "custinfo.validate._protocol",
    "bic": "custinfo.validate._bic",
    "card": "custinfo.validate._card",
    "check_deliverability": "custinfo.validate._deliverability",
    "cn_resident_id": "custinfo.validate._cn_id",
    "cn_uscc": "custinfo.validate._uscc",
    "country": "custinfo.validate._country",
    "currency": "custinfo.validate._currency",
    "date": "custinfo.validate._date",
    "email": "custinfo.validate._email",
    "hkid": "custinfo.validate._hkid",
    "iban": "custinfo.validate._iban",
    "lei": "custinfo.validate._bic",
    "luhn": "custinfo.validate._luhn",
    "other_id": "custinfo.validate._vat",
    "person_name": "custinfo.validate._name",
    "phone": "custinfo.validate._phone",
    "postal_code": "custinfo.validate._postal",
    "quality": "custinfo.validate._quality",
    "text": "custinfo.validate._text",
    "url": "custinfo.validate._url",
    "vat": "custinfo.validate._vat",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
