"""Types for pydantic models (extra ``pydantic``): a field gets the normal form, an error the code of the catalogue.

    class Customer(BaseModel):
        email: Email
        phone: Annotated[str, Checked(phone.with_options(region="CN"), format="phone")] | None = None

FastAPI shows them in OpenAPI with format, description and example. There is no pattern, since more is accepted than the
normal form: an IBAN may have spaces. Our messages never contain the value, but pydantic adds the input to its own text
and to ``errors()``: ``ConfigDict(hide_input_in_errors=True)`` and ``errors(include_input=False)`` keep it out.

In strict mode a `datetime.date` must be given as one, and as text in JSON; for the other types nothing changes, since
they take nothing but text anyway.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from custinfo.errors import missing_extra

try:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import PydanticCustomError, core_schema
except ModuleNotFoundError as exc:
    raise missing_extra("pydantic", extra="pydantic", cause=exc) from None

from custinfo.validate import (
    CardInfo,
    Validator,
    bic,
    card,
    cn_resident_id,
    cn_uscc,
    country,
    currency,
    date,
    email,
    hkid,
    iban,
    lei,
    luhn,
    person_name,
    phone,
    postal_code,
    text,
    url,
    vat,
)

__all__ = [
    "Bic",
    "BirthDate",
    "Card",
    "Checked",
    "CnResidentId",
    "CnUscc",
    "Country",
    "Currency",
    "Date",
    "Email",
    "Hkid",
    "Iban",
    "Lei",
    "Luhn",
    "PersonName",
    "PhoneNumber",
    "PostalCode",
    "Text",
    "Url",
    "Vat",
]


class Checked:
    """Makes a field checked by a validator, in ``Annotated[str, Checked(email)]``.

    Args:
        validator: any validator of custinfo, with options or without, or of your own.
        format: ``format`` of the JSON schema, such as ``"email"``.
        description: of the JSON schema.
        example: of the JSON schema.

    >>> from pydantic import TypeAdapter
    >>> TypeAdapter(Annotated[str, Checked(iban)]).validate_python("gb82 west 1234 5698 7654 32")
    'GB82WEST12345698765432'
    """

    __slots__ = ("_schema", "_validator")

    def __init__(
        self,
        validator: Validator[Any],
        *,
        format: str = "",  # noqa: A002  the keyword of JSON Schema
        description: str = "",
        example: str = "",
    ) -> None:
        self._validator = validator
        schema: dict[str, Any] = {"type": "string"}
        if format:
            schema["format"] = format
        if description:
            schema["description"] = description
        if example:
            schema["examples"] = [example]
        self._schema = schema

    def _check(self, value: object) -> Any:
        result = self._validator(value)
        if not result.ok:
            issue = next(issue for issue in result.issues if issue.severity == "error")
            sentence = issue.message().replace("{", "{{").replace("}", "}}")
            raise PydanticCustomError(issue.code, sentence, dict(issue.params) or None)
        return result.value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        check = core_schema.no_info_plain_validator_function(self._check)
        written = core_schema.to_string_ser_schema(when_used="json-unless-none")
        if source is not datetime.date:
            return core_schema.no_info_plain_validator_function(self._check, serialization=written)
        strict = core_schema.json_or_python_schema(
            json_schema=check,
            python_schema=core_schema.chain_schema([core_schema.is_instance_schema(datetime.date), check]),
        )
        return core_schema.lax_or_strict_schema(check, strict, serialization=written)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(self._schema)


class _CheckedCard(Checked):
    """A card: a number goes in, what may be kept of it comes out."""

    __slots__ = ()

    def _check(self, value: object) -> Any:
        return value if isinstance(value, CardInfo) else super()._check(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._check,
            serialization=core_schema.plain_serializer_function_ser_schema(_kept_of_card, when_used="json-unless-none"),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        if handler.mode == "validation":
            return dict(self._schema)
        return {
            "type": "object",
            "description": "What may be kept of a payment card's number",
            "properties": {name: {"type": "string"} for name in _CARD_PARTS},
            "required": list(_CARD_PARTS),
            "examples": [_kept_of_card(card(self._schema["examples"][0]).unwrap())],
        }


_CARD_PARTS = ("brand", "bin", "last4", "masked")


def _kept_of_card(info: CardInfo) -> dict[str, str]:
    return {name: getattr(info, name) for name in _CARD_PARTS}


def _text(validator: Validator[Any], format: str, description: str, example: str) -> Checked:  # noqa: A002
    return Checked(validator, format=format, description=description, example=example)


Email = Annotated[str, _text(email, "email", "E-mail address", "somebody@example.com")]
PhoneNumber = Annotated[str, _text(phone, "phone", "Phone number with + and calling code", "+12015550123")]
Iban = Annotated[str, _text(iban, "iban", "IBAN", "GB82WEST12345698765432")]
Bic = Annotated[str, _text(bic, "bic", "BIC (SWIFT code)", "DEUTDEFF")]
Lei = Annotated[str, _text(lei, "lei", "Legal entity identifier", "5493001KJTIIGC8Y1R12")]
CnResidentId = Annotated[str, _text(cn_resident_id, "cn-resident-id", "居民身份证号码", "11010519491231002X")]
CnUscc = Annotated[str, _text(cn_uscc, "cn-uscc", "统一社会信用代码", "91350100M000100Y43")]
Hkid = Annotated[str, _text(hkid, "hkid", "Hong Kong identity card number", "A123456(3)")]
Luhn = Annotated[str, _text(luhn, "luhn", "Number with a Luhn check digit", "79927398713")]
Vat = Annotated[str, _text(vat, "vat", "VAT number with its country in front; needs the extra ids", "DE136695976")]
PostalCode = Annotated[str, _text(postal_code, "postal-code", "Postal code", "100000")]
PersonName = Annotated[str, _text(person_name, "person-name", "Name of a person", "李小明")]
Text = Annotated[str, _text(text, "", "One line of text", "text")]
Currency = Annotated[str, _text(currency, "currency", "ISO 4217 code", "CNY")]
Country = Annotated[str, _text(country, "country", "ISO 3166-1 alpha-2 code", "CN")]
Url = Annotated[str, _text(url, "uri", "Web address", "https://example.com/")]
Date = Annotated[datetime.date, _text(date, "date", "Date", "1990-03-04")]
BirthDate = Annotated[datetime.date, _text(date, "date", "Date of birth", "1990-03-04")]
Card = Annotated[
    CardInfo,
    _CheckedCard(card, format="card-number", description="Payment card number", example="4242424242424242"),
]
