"""Types for pydantic and FastAPI."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import Annotated

import pytest

pydantic = pytest.importorskip("pydantic", reason="pydantic (extra pydantic) is not installed")

from custinfo.validate import Issue, Result, date, iban, phone  # noqa: E402
from custinfo.validate import pydantic as types  # noqa: E402


class Person(pydantic.BaseModel):
    email: types.Email
    mobile: Annotated[str, types.Checked(phone.with_options(region="US"), format="phone")] | None = None
    born: types.BirthDate | None = None
    country: types.Country = "CN"


def test_fields_get_the_normal_form() -> None:
    person = Person(email="Info@EXAMPLE.com", mobile="201 555 0123", born="19900304", country="usa")
    assert person.email == "info@example.com"
    assert person.mobile == "+12015550123"
    assert person.born == datetime.date(1990, 3, 4)
    assert person.model_dump_json() == (
        '{"email":"info@example.com","mobile":"+12015550123","born":"1990-03-04","country":"US"}'
    )


def test_errors_have_the_code_and_sentence_of_the_catalogue() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Person(email="nobody", mobile="12", born="19450231")
    errors = {error["loc"][0]: error for error in caught.value.errors()}
    assert errors["email"]["type"] == "email.no_at"
    assert errors["email"]["msg"] == "There is no @ in the e-mail address."
    assert errors["born"]["type"] == "date.impossible"
    bounded = pydantic.TypeAdapter(
        Annotated[datetime.date, types.Checked(date.with_options(not_before=datetime.date(1900, 1, 1)))]
    )
    with pytest.raises(pydantic.ValidationError, match="before 1900-01-01"):
        bounded.validate_python("1800-01-01")


def test_the_json_schema_says_format_and_example() -> None:
    schema = Person.model_json_schema()
    assert schema["required"] == ["email"]
    assert schema["properties"]["email"] == {
        "title": "Email",
        "type": "string",
        "format": "email",
        "description": "E-mail address",
        "examples": ["somebody@example.com"],
    }
    plain = pydantic.TypeAdapter(Annotated[str, types.Checked(iban)])
    assert plain.json_schema() == {"type": "string"}


def test_a_validator_of_ones_own_may_have_braces_in_its_sentence() -> None:
    class Odd:
        codes = frozenset({"odd"})

        def __call__(self, value: object) -> Result[str]:
            return Result(None, (Issue("odd{x}"),))

        def many(self, values, *, progress=False):  # type: ignore[no-untyped-def]
            raise NotImplementedError

    with pytest.raises(pydantic.ValidationError, match=r"rule odd"):
        pydantic.TypeAdapter(Annotated[str, types.Checked(Odd())]).validate_python("x")


def test_fastapi_documents_the_types() -> None:
    fastapi = pytest.importorskip("fastapi", reason="FastAPI is not installed")
    app = fastapi.FastAPI()

    @app.post("/people")
    def add(person: Person) -> Person:
        return person

    properties = app.openapi()["components"]["schemas"]["Person"]["properties"]
    assert properties["email"]["format"] == "email"
    assert properties["country"]["examples"] == ["CN"]


def test_all_types_take_text() -> None:
    for name in types.__all__:
        if name != "Checked":
            with pytest.raises(pydantic.ValidationError):
                pydantic.TypeAdapter(getattr(types, name)).validate_python(object())


def test_without_pydantic_the_extra_is_named() -> None:
    program = "import sys; sys.modules['pydantic'] = None; import custinfo.validate.pydantic"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'custinfo[pydantic]'" in answer.stderr
