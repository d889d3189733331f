"""E-mail: verdict and normal form are those of email-validator, for every text and option."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import email_validator
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.validate import email

SHARED = Path("/work/shared/data/validate/email_validator_syntax.jsonl")

SEEDS = [
    "somebody@example.com",
    "Some.Body+news@EXAMPLE.com",
    "info@example.com",
    "Info@Example.Com",
    "WWW@example.org",
    '"some body"@example.com',
    '"some\\"body"@example.com',
    '"somebody"@example.com',
    "some@[127.0.0.1]",
    "some@[IPv6:::1]",
    "some@[tag:x]",
    "Some Body <some@example.com>",
    '"Some" <some@example.com>',
    "@example.com",
    "some@test",
    "some@sub.test",
    "some@example.local",
    "some@localhost",
    "张伟@例え.jp",
    "some@xn--fiqs8s.cn",
    "some@a--b.com",
    "some@ab--c.com",
    "some@müller.de",
    "some@exa_mple.com",
    "some＠example.com",
    "some@example。com",
    "x" * 64 + "@example.com",
    "x" * 65 + "@example.com",
    "x" * 242 + "@example.com",
    "x" * 243 + "@example.com",
    "some@" + "d" * 63 + ".com",
    "some@" + "d" * 64 + ".com",
    "some@" + "d." * 124 + "com",
    "some@1.com",
    "some@com.1",
    "a@b.c",
    "somebody@gmial.com",
    "INFO@müller.de",
    "Postmaster@例え.jp",
    "e\u0301@example.com",
    "some@e\u0301xample.com",
    "some@ＥＸＡＭＰＬＥ.com",
    "some@א.com",
    "some@1.א.com",
    "some@xn--a.com",
    "some@xn--mller-kva.de",
    "some@example.test",
    "some@[IPv6:2001:DB8::1]",
    "some@[IPv6:::1%eth0]",
    "<some@example.com>",
    '"Some \\"Body\\"" <some@example.com>  ',
    '"" <some@example.com>',
    'Some <"some body"@[127.0.0.1]>',
    '"@"@example.com',
    '""@example.com',
    '"some\u037ebody"@example.com',
    "中" * 62 + "@例え" + "え" * 20 + ".jp",
    "u\u0308\u0304" * 60 + "@example.com",
    "some@" + "ü" * 60 + ".de",
    "some@@example.com",
    "some@example.com@",
]
LETTERS = "\ud800abXY01.-_+@ \t\n\"'<>[]()\\,;:éß中例\u0301\u0338\u200b\u202e＠．。１Ⅷ\u00ad\u1e9e\x00\x7f%&א١"


def theirs(value: str, **options: bool) -> str | None:
    try:
        return validate_email(value, check_deliverability=False, **options).normalized
    except EmailNotValidError:
        return None


def mutated(rng: random.Random) -> str:
    text = list(rng.choice(SEEDS))
    for _ in range(rng.randrange(4)):
        place = rng.randrange(len(text) + 1)
        action = rng.random()
        if action < 0.4:
            text.insert(place, rng.choice(LETTERS))
        elif action < 0.7:
            text[place : place + 1] = rng.choice(LETTERS)
        elif action < 0.85:
            text[place : place + 1] = []
        else:
            text[place:place] = text[rng.randrange(len(text) + 1) :]
    return "".join(text)


def agree(values: list[str], **options: bool) -> None:
    expected = [theirs(value, **options) for value in values]
    assert [email(value, **options).value for value in values] == expected
    batch = email.many(values, **options)
    assert batch.values == expected
    assert batch.ok.tolist() == [value is not None for value in expected]


@pytest.mark.parametrize("seed", range(4))
def test_mutated_addresses_get_the_verdict_and_form_of_email_validator(seed: int) -> None:
    rng = random.Random(seed)
    agree([mutated(rng) for _ in range(400)])


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_they_do_with_every_combination_of_options(first: bool, second: bool) -> None:
    rng = random.Random(f"{first}{second}")
    names = email.option_names
    for others in itertools.product((False, True), repeat=len(names) - 2):
        options = dict(zip(names, (first, second, *others), strict=True))
        agree([*rng.sample(SEEDS, 12), *(mutated(rng) for _ in range(16))], **options)


@pytest.mark.parametrize("name", email.option_names)
def test_they_do_with_each_option_alone(name: str) -> None:
    rng = random.Random(name)
    for chosen in (False, True):
        agree([*SEEDS, *(mutated(rng) for _ in range(60))], **{name: chosen})


@given(st.text(max_size=40), st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_gets_the_verdict_of_email_validator(local: str, domain: str) -> None:
    agree([f"{local}@{domain}", f"{local}@example.com", f"somebody@{domain}", local])


def test_published_cases_of_email_validator_agree() -> None:
    if not SHARED.exists():
        pytest.skip("the shared folder with the published cases is not here")
    rows = [json.loads(line) for line in SHARED.read_text("utf-8").split("\n") if line]
    agree([row[key] for row in rows for key in ("email_input", "email", "input") if key in row])


def test_defaults_that_a_host_changes_hold_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not email("some@sub.test")
    assert email("some@blocked.example")
    with monkeypatch.context() as host:
        host.setattr(email_validator, "SPECIAL_USE_DOMAIN_NAMES", ["blocked.example"])
        host.setattr(email_validator, "ALLOW_QUOTED_LOCAL", True)
        agree(["some@sub.test", "some@blocked.example", '"some body"@example.com'])
        assert email("some@sub.test")
    agree(["some@sub.test", "some@blocked.example", '"some body"@example.com'])
    email_validator.SPECIAL_USE_DOMAIN_NAMES.remove("test")
    try:
        assert email("some@sub.test")
    finally:
        email_validator.SPECIAL_USE_DOMAIN_NAMES.append("test")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("somebody", "email.no_at"),
        ("some＠example.com", "email.fullwidth_at"),
        ("@example.com", "email.local_empty"),
        ("some(body)@example.com", "email.local_chars"),
        ("some..body@example.com", "email.local_dots"),
        ("中..文@example.com", "email.local_dots"),
        ("中(文@example.com", "email.local_chars"),
        ("some@", "email.domain_empty"),
        ("中文@", "email.domain_empty"),
        ("some@exa_mple.com", "email.domain_chars"),
        ("some@exa_mple中.com", "email.domain_chars"),
        ("some@.example.com", "email.domain_dots"),
        ("some@-example.com", "email.domain_hyphen"),
        ("some@ab--c.com", "email.domain_hyphen"),
        ("some@example", "email.domain_no_dot"),
        ("some@a--b", "email.domain_no_dot"),
        ("some@example.c0", "email.domain_tld"),
        ("some@a--b.c0", "email.domain_tld"),
        ("some@host.local", "email.domain_special_use"),
        ("some@" + "d" * 64 + ".com", "email.domain_label_too_long"),
        ("some@" + "é" * 248, "email.idn"),
        ("a@" + "d-d." * 63, "email.domain_dots"),
        ("a@" + "d--d." * 51 + "c", "email.too_long"),
        ("some@[127.0.0.1]", "email.domain_literal"),
        ("some@xn--a.com", "email.idn"),
        ("x" * 250 + "@example.com", "email.too_long"),
        ("x" * 243 + "@例え.jp", "email.too_long"),
        ("中" * 90 + "@example.com", "email.too_long"),
        ("some\x00@example.com", "email.unsafe_chars"),
        ("some@exam\x7fple.com", "email.unsafe_chars"),
        ("some@exam\u200bple.com", "email.unsafe_chars"),
        ("中\u202e@example.com", "email.unsafe_chars"),
        ("中 文@example.com", "email.space"),
        ("some@exam ple.com", "email.space"),
        ("some@exam\u3000ple.com", "email.space"),
        ("some body@example.com", "email.space"),
        ("some@body@example.com", "email.two_at"),
        ("中@文@例.com", "email.two_at"),
        ('"some body"@example.com', "email.quoted"),
        ("Some <some@example.com>", "email.display_name"),
    ],
)
def test_a_refusal_names_what_is_wrong(value: str, code: str) -> None:
    assert theirs(value) is None
    assert [issue.code for issue in email(value).issues] == [code]


@pytest.mark.parametrize(
    ("value", "options", "code"),
    [
        ("x" * 65 + "@example.com", {"strict": True}, "email.local_too_long"),
        ("中" * 65 + "@example.com", {"strict": True}, "email.local_too_long"),
        ("中文@example.com", {"allow_smtputf8": False}, "email.smtputf8"),
        ("Some <some@example.com", {"allow_display_name": True}, "email.syntax"),
        ('"some\x00"@example.com', {"allow_quoted_local": True}, "email.syntax"),
        ("@" + "d" * 64 + ".com", {"allow_empty_local": True}, "email.domain_label_too_long"),
        ("a@" + "d" * 64, {"globally_deliverable": False}, "email.domain_label_too_long"),
        ("N <" + "a" * 2_000 + "@example.com>", {"allow_display_name": True}, "email.too_long"),
    ],
)
def test_a_refusal_under_options_names_what_is_wrong(value: str, options: dict[str, bool], code: str) -> None:
    assert theirs(value, **options) is None
    assert email.with_options(**options)(value).issues[0].code == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("é..x@bücher.example.com", "email.local_dots"),
        (".é@example.com", "email.local_dots"),
        ("é.@example.com", "email.local_dots"),
        ("é,x@example.com", "email.local_chars"),
        ("é x@example.com", "email.space"),
        ("é\u3000x@example.com", "email.space"),
        ("a\u202e@example.com", "email.unsafe_chars"),
        ("a\ue000@example.com", "email.unsafe_chars"),
        ("é@@example.com", "email.two_at"),
        ("é@example..com", "email.domain_dots"),
        ("é@" + "d" * 64 + ".com", "email.domain_label_too_long"),
        ("x@bü cher.de", "email.space"),
        ("x@bücher.de@", "email.two_at"),
        ("é@bü_cher.de", "email.domain_chars"),
        ("é@bücher..de", "email.idn"),
        ("x@.bücher.de", "email.idn"),
    ],
)
def test_what_is_surely_refused_costs_no_call_of_email_validator(
    value: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert theirs(value) is None
    monkeypatch.setattr("custinfo.validate._email_engine.validate_email", None)
    assert email(value).issues[0].code == code


def test_a_display_name_is_told_apart() -> None:
    result = email("Some Body <some@example.com>", allow_display_name=True)
    assert result.value == "some@example.com"
    assert result.meta["display_name"] == "Some Body"


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("qq.con", "qq.com"),
        ("163.cmo", "163.com"),
        ("outlook.con", "outlook.com"),
    ],
)
def test_a_mistyped_domain_is_kept_and_remarked(domain: str, meant: str) -> None:
    result = email(f"somebody@{domain}")
    assert result.ok
    assert result.value == f"somebody@{domain}"
    assert result.meta["suggestion"] == f"somebody@{meant}"
    assert [issue.severity for issue in result.issues] == ["info"]
    assert list(email.many([f"somebody@{domain}"] * 2).issues()) == [(0, *result.issues), (1, *result.issues)]


@pytest.mark.parametrize("domain", ["gmail.com", "mail.com", "ymail.com", "example.com", "unknown.con", "qq.com"])
def test_a_real_domain_is_not_remarked(domain: str) -> None:
    assert not email(f"somebody@{domain}").issues


def test_an_unknown_option_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidFieldError, match="allow_display_name"):
        email("somebody@example.com", check_deliverability=True)
    with pytest.raises(InvalidFieldError):
        email.with_options(strict="yes")


def test_caches_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from custinfo.validate import _email_engine

    monkeypatch.setattr(_email_engine, "_CACHE_DOMAINS", 10)
    monkeypatch.setattr(_email_engine, "_cache", {})
    batch = email.many([f"some@d{number}.example" for number in range(30)])
    assert batch.ok.all()
    assert all(len(found.domains) <= 10 for found in _email_engine._cache.values())
    monkeypatch.setattr(_email_engine, "_CACHE_SETTINGS", 2)
    for name in email.option_names:
        assert email("some@example.com", **{name: True})
    assert len(_email_engine._cache) <= 2
