"""Types for pydantic models (extra ``pydantic``): a field gets the normal form, an error the code of the catalogue.

    class Customer(BaseModel):
        email: Email
        phone: Annotated[str, Checked(phone.with_options(region="CN"), format="phone")]

FastAPI shows them in OpenAPI as strings with format, description and examples. Pydantic's own errors contain the input;
``model_config = ConfigDict(hide_input_in_errors=True)`` keeps it out of their text.
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
    Validator,
    bic,
    cn_resident_id,
    cn_uscc,
    country,
    currency,
    date,
    email,
    hkid,
    iban,
    lei,
    person_name,
    phone,
    postal_code,
    text,
    url,
)

__all__ = [
    "Bic",
    "BirthDate",
    "Checked",
    "CnResidentId",
    "CnUscc",
    "Country",
    "Currency",
    "Email",
    "Hkid",
    "Iban",
    "Lei",
    "PersonName",
    "PhoneNumber",
    "PostalCode",
    "Text",
    "Url",
]


class Checked:
    """Makes a field checked by a validator, in ``Annotated[str, Checked(email)]``.

    Args:
        validator: any validator of custinfo or of your own.
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
        return core_schema.no_info_plain_validator_function(
            self._check, serialization=core_schema.to_string_ser_schema(when_used="json-unless-none")
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(self._schema)


Email = Annotated[str, Checked(email, format="email", description="E-mail address", example="somebody@example.com")]
PhoneNumber = Annotated[
    str, Checked(phone, format="phone", description="Phone number with + and calling code", example="+12015550123")
]
Iban = Annotated[str, Checked(iban, format="iban", description="IBAN", example="GB82WEST12345698765432")]
Bic = Annotated[str, Checked(bic, format="bic", description="BIC (SWIFT code)", example="DEUTDEFF")]
Lei = Annotated[str, Checked(lei, format="lei", description="Legal entity identifier")]
CnResidentId = Annotated[str, Checked(cn_resident_id, format="cn-resident-id", description="居民身份证号码")]
CnUscc = Annotated[str, Checked(cn_uscc, format="cn-uscc", description="统一社会信用代码")]
Hkid = Annotated[str, Checked(hkid, format="hkid", description="Hong Kong identity card number")]
PostalCode = Annotated[str, Checked(postal_code, format="postal-code", description="Postal code")]
PersonName = Annotated[str, Checked(person_name, description="Name of a person")]
Text = Annotated[str, Checked(text, description="One line of text")]
Currency = Annotated[str, Checked(currency, format="currency", description="ISO 4217 code", example="CNY")]
Country = Annotated[str, Checked(country, format="country", description="ISO 3166-1 alpha-2 code", example="CN")]
BirthDate = Annotated[datetime.date, Checked(date, format="date", description="Date", example="1990-03-04")]
Url = Annotated[str, Checked(url, format="uri", description="Web address", example="https://example.com/")]
