"""Types for pydantic and FastAPI."""

from __future__ import annotations

import asyncio
import datetime
import json
import pickle
import subprocess
import sys
from typing import Annotated, Any, Optional, get_args

import pytest

pydantic = pytest.importorskip("pydantic", reason="pydantic (extra pydantic) is not installed")

import custinfo.validate  # noqa: E402
from custinfo.validate import CardInfo, Issue, Result, card, date, iban, phone  # noqa: E402
from custinfo.validate import pydantic as types  # noqa: E402
from custinfo.validate._base import BaseValidator  # noqa: E402


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


NAMES = [name for name in types.__all__ if name != "Checked"]


def example(name: str) -> str:
    return pydantic.TypeAdapter(getattr(types, name)).json_schema()["examples"][0]  # type: ignore[no-any-return]


def test_every_validator_has_a_type() -> None:
    have = {get_args(getattr(types, name))[1]._validator for name in NAMES}
    every = [getattr(custinfo.validate, name) for name in custinfo.validate.__all__]
    wanted = {value for value in every if isinstance(value, BaseValidator) and value.name != "other_id"}
    assert have == wanted  # other_id needs a format: Checked(other_id.with_options(format="us.ssn"))


@pytest.mark.parametrize("name", NAMES)
def test_each_type_documents_itself_and_accepts_its_example(name: str) -> None:
    if name == "Vat":
        pytest.importorskip("stdnum", reason="python-stdnum (extra ids) is not installed")
    adapter = pydantic.TypeAdapter(getattr(types, name))
    for mode in ("validation", "serialization"):
        schema = adapter.json_schema(mode=mode)
        assert schema["description"]
        assert schema["examples"]
        assert "format" in schema or name == "Text" or mode == "serialization"
    value = adapter.validate_python(example(name))
    assert adapter.validate_python(value) == value
    written = json.loads(adapter.dump_json(value))
    assert written in adapter.json_schema(mode="serialization")["examples"]
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python(object())


@pytest.mark.parametrize("name", NAMES)
def test_none_is_for_optional_fields_only(name: str) -> None:
    kind = getattr(types, name)
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(kind).validate_python(None)
    assert caught.value.errors()[0]["type"] == "value.missing"
    for optional in (kind | None, Optional[kind]):  # noqa: UP045  both ways of writing it
        adapter = pydantic.TypeAdapter(optional)
        assert adapter.validate_python(None) is None
        assert adapter.dump_json(None) == b"null"
        assert adapter.json_schema()["anyOf"][1] == {"type": "null"}


@pytest.mark.parametrize("name", NAMES)
def test_no_message_of_ours_contains_the_value(name: str) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(getattr(types, name)).validate_python("sEcReT\u202e@@4242{0}")
    for error in caught.value.errors(include_input=False, include_url=False):
        assert "ecret" not in repr(error).lower()
    hidden = pydantic.create_model(
        "Hidden", __config__={"hide_input_in_errors": True}, value=(getattr(types, name), ...)
    )
    with pytest.raises(pydantic.ValidationError) as caught:
        hidden(value="sEcReT\u202e@@4242{0}")
    assert "ecret" not in str(caught.value).lower()


def test_strict_mode_takes_dates_as_dates_and_as_text_in_json() -> None:
    class Strict(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(strict=True)
        born: types.BirthDate
        email: types.Email = "a@example.com"

    day = datetime.date(1990, 3, 4)
    assert Strict(born=day).born == day
    assert Strict.model_validate_json('{"born": "1990-03-04"}').born == day
    with pytest.raises(pydantic.ValidationError) as caught:
        Strict(born="1990-03-04")
    assert caught.value.errors()[0]["type"] == "is_instance_of"
    with pytest.raises(pydantic.ValidationError):
        Strict.model_validate_json('{"born": "1945-02-31"}')
    with pytest.raises(pydantic.ValidationError):
        Strict(born=day, email=b"a@example.com")
    assert Strict.model_json_schema()["properties"]["born"]["format"] == "date"


def test_models_and_types_are_pickled_copied_and_read_again() -> None:
    person = Person(email="Info@EXAMPLE.com", born="19900304")
    assert pickle.loads(pickle.dumps(person)) == person == person.model_copy(deep=True)
    assert Person.model_validate(person.model_dump()) == person
    assert Person.model_validate_json(person.model_dump_json()) == person
    checked = pickle.loads(pickle.dumps(types.Checked(phone.with_options(region="US"), format="phone")))
    assert pydantic.TypeAdapter(Annotated[str, checked]).validate_python("201 555 0123") == "+12015550123"
    assert pickle.loads(pickle.dumps(types.Email)).__metadata__[0]._schema["format"] == "email"


class Payment(pydantic.BaseModel):
    card: types.Card


def test_a_card_number_goes_in_and_never_comes_out() -> None:
    payment = Payment(card="4242 4242 4242 4242")
    assert payment.card == card("4242424242424242").value
    written = payment.model_dump_json() + repr(payment) + repr(payment.model_dump()) + repr(pickle.dumps(payment))
    assert "4242424242" not in written
    assert json.loads(payment.model_dump_json()) == {
        "card": {"brand": "visa", "bin": "424242", "last4": "4242", "masked": "424242******4242"}
    }
    assert Payment.model_validate(payment.model_dump()) == payment
    assert isinstance(payment.model_dump()["card"], CardInfo)
    goes_in = Payment.model_json_schema()["properties"]["card"]
    comes_out = Payment.model_json_schema(mode="serialization")["properties"]["card"]
    assert goes_in["type"] == "string"
    assert comes_out["type"] == "object"
    assert comes_out["required"] == ["brand", "bin", "last4", "masked"]


def test_types_may_be_inside_lists_and_keys() -> None:
    adapter = pydantic.TypeAdapter(dict[types.Country, list[types.Email]])
    assert adapter.validate_python({"usa": ["A@EXAMPLE.com"]}) == {"US": ["A@example.com"]}
    assert adapter.json_schema()["additionalProperties"]["items"]["format"] == "email"


def application() -> Any:
    fastapi = pytest.importorskip("fastapi", reason="FastAPI is not installed")
    app = fastapi.FastAPI()

    @app.post("/people")
    def add(person: Person) -> Person:
        return person

    @app.post("/payments")
    def pay(payment: Payment) -> Payment:
        return payment

    @app.get("/people/{country}")
    def find(country: types.Country, email: types.Email, born: types.Date | None = None) -> dict[str, str]:
        return {"country": country, "email": email, "born": str(born)}

    return app


def test_fastapi_documents_the_types() -> None:
    document = application().openapi()
    schemas = document["components"]["schemas"]
    assert schemas["Person"]["properties"]["email"] == {
        "type": "string",
        "format": "email",
        "title": "Email",
        "description": "E-mail address",
        "examples": ["somebody@example.com"],
    }
    assert schemas["Person"]["properties"]["country"]["examples"] == ["CN"]
    assert schemas["Person"]["properties"]["mobile"]["anyOf"] == [
        {"type": "string", "format": "phone"},
        {"type": "null"},
    ]
    assert schemas["Payment-Input"]["properties"]["card"]["type"] == "string"
    assert schemas["Payment-Output"]["properties"]["card"]["type"] == "object"
    parameters = {one["name"]: one for one in document["paths"]["/people/{country}"]["get"]["parameters"]}
    assert parameters["country"]["schema"]["format"] == "country"
    assert parameters["email"]["schema"]["format"] == "email"
    assert parameters["born"]["schema"]["anyOf"][0]["format"] == "date"
    json.dumps(document)


def call(app: Any, method: str, path: str, query: str = "", body: bytes = b"") -> tuple[int, Any]:
    """What the application answers, asked as a server does (ASGI), without a client library."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"content-type", b"application/json")],
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("localhost", 1),
        "root_path": "",
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent))


def test_fastapi_answers_with_normal_forms_and_codes() -> None:
    app = application()
    person = json.dumps({"email": "Info@EXAMPLE.com", "mobile": "201 555 0123"}).encode()
    assert call(app, "POST", "/people", body=person)[1]["mobile"] == "+12015550123"
    status, answer = call(app, "POST", "/people", body=b'{"email": "nobody", "country": "Utopia"}')
    assert status == 422
    assert [(error["loc"], error["type"], error["msg"]) for error in answer["detail"]] == [
        (["body", "email"], "email.no_at", "There is no @ in the e-mail address."),
        (["body", "country"], "country.unknown", Issue("country.unknown").message()),
    ]
    status, answer = call(app, "POST", "/payments", body=b'{"card": "4242 4242 4242 4242"}')
    assert (status, answer["card"]["masked"]) == (200, "424242******4242")
    status, answer = call(app, "GET", "/people/chn", query="email=A%40example.com&born=19900304")
    assert (status, answer) == (200, {"country": "CN", "email": "A@example.com", "born": "1990-03-04"})
    status, answer = call(app, "GET", "/people/CN", query="email=x")
    assert (status, answer["detail"][0]["type"]) == (422, "email.no_at")


def test_without_pydantic_the_extra_is_named() -> None:
    program = "import sys; sys.modules['pydantic'] = None; import custinfo.validate.pydantic"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install 'custinfo[pydantic]'" in answer.stderr


def test_the_room_does_not_load_pydantic() -> None:
    program = (
        "import sys, custinfo.validate\nfor name in custinfo.validate.__all__: getattr(custinfo.validate, name)\n"
        "print('pydantic' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
