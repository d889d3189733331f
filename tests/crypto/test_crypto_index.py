"""Blind indexes: equal values, few values, rotation."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.crypto import BlindIndex, Keyring, LocalKeyProvider, MemoryKeyStore, plan_index_bits
from custinfo.errors import AccessDeniedError, InvalidFieldError


@pytest.fixture
def provider():
    return LocalKeyProvider.generate()


@pytest.fixture
def store():
    return MemoryKeyStore()


@pytest.fixture
def keyring(provider, store):
    return Keyring(provider, store)


def email_index(keyring, **options):
    return BlindIndex(keyring, "email", **({"normalize": str.casefold, "bits": 256} | options))


def test_equal_values_have_equal_tokens_in_every_process(provider, store, keyring):
    token = email_index(keyring).token("Anna@example.com")
    assert email_index(Keyring(provider, store)).token("ANNA@EXAMPLE.COM") == token
    assert email_index(keyring).token("bert@example.com") != token
    assert len(token) == 52


def test_each_tenant_and_each_index_has_a_key_of_its_own(provider, store, keyring):
    tokens = {
        email_index(keyring).token("x"),
        email_index(Keyring(provider, store, tenant="other")).token("x"),
        BlindIndex(keyring, "phone", normalize=str, bits=256).token("x"),
    }
    assert len(tokens) == 3


@given(bits=st.integers(1, 256), other=st.integers(1, 256), value=st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_shorter_token_is_the_start_of_a_longer_one(bits, other, value):
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())

    def whole(bits):
        import base64

        token = BlindIndex(keyring, "a", normalize=str, bits=bits).token(value)
        data = base64.b32decode(token + "=" * (-len(token) % 8))
        assert len(data) == -(-bits // 8)
        number = int.from_bytes(data, "big")
        spare = 8 * len(data) - bits
        assert number % 2**spare == 0
        return number >> spare

    short, long = min(bits, other), max(bits, other)
    assert whole(long) >> (long - short) == whole(short)


def test_few_bits_mix_values():
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    index = BlindIndex(keyring, "a", normalize=str, bits=4)
    assert len({index.token(str(number)) for number in range(500)}) == 16


@pytest.mark.parametrize("distinct", [1, 2, 120, 1023])
def test_a_field_of_few_values_is_refused_unless_said(keyring, distinct):
    with pytest.raises(InvalidFieldError, match="show") as caught:
        email_index(keyring, distinct=distinct)
    assert caught.value.code == "index.low_entropy"
    assert email_index(keyring, distinct=distinct, allow_low_entropy=True).token("x")


def test_a_field_of_many_values_is_indexed(keyring):
    assert email_index(keyring, distinct=1024).token("x") == email_index(keyring).token("x")


@given(rows=st.integers(1, 10**12), distinct=st.integers(1024, 10**15))
def test_a_planned_token_stands_for_two_to_four_values(rows, distinct):
    bits = plan_index_bits(rows, distinct=distinct)
    values = min(rows, distinct)
    assert bits == 1 or 2 <= values / 2**bits < 4


def test_a_plan_for_few_values_is_refused_unless_said():
    with pytest.raises(InvalidFieldError) as caught:
        plan_index_bits(1000, distinct=2)
    assert caught.value.code == "index.low_entropy"
    assert plan_index_bits(1000, distinct=2, allow_low_entropy=True) == 1
    for rows in (0, 1000.5, "1000", True):
        with pytest.raises(InvalidFieldError) as caught:
            plan_index_bits(rows, distinct=5000)
        assert caught.value.code == "index.rows"
    for distinct in (0, -5000, 5000.5):
        with pytest.raises(InvalidFieldError) as caught:
            plan_index_bits(1000, distinct=distinct, allow_low_entropy=True)
        assert caught.value.code == "index.distinct"


@pytest.mark.parametrize(
    ("options", "code"),
    [({"bits": 0}, "index.bits"), ({"bits": 257}, "index.bits"), ({"bits": 32.0}, "index.bits")],
)
def test_impossible_lengths_are_refused(keyring, options, code):
    with pytest.raises(InvalidFieldError) as caught:
        email_index(keyring, **options)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["", 5])
def test_an_index_needs_a_name(keyring, name):
    with pytest.raises(InvalidFieldError) as caught:
        BlindIndex(keyring, name, normalize=str, bits=256)
    assert caught.value.code == "index.name"


def test_a_normal_form_may_be_bytes(keyring):
    index = email_index(keyring, normalize=lambda value: value.encode())
    assert index.token("x") == email_index(keyring).token("x")


def test_a_missing_value_has_no_token(keyring):
    with pytest.raises(InvalidFieldError) as caught:
        email_index(keyring, normalize=str.strip).token("  ")
    assert caught.value.code == "index.empty"


@pytest.mark.parametrize("normalize", [int, lambda _: None, lambda _: 5, lambda value: value + "\ud800"])
def test_a_value_that_normalize_fails_on_is_refused_and_not_shown(keyring, normalize):
    index = email_index(keyring, normalize=normalize)
    for use in (index.token, index.tokens):
        with pytest.raises(InvalidFieldError) as caught:
            use("secret")
        assert caught.value.code == "index.normalize"
        assert "invalid literal" not in "".join(traceback.format_exception(caught.value))


def test_during_a_rotation_two_tokens_are_looked_up(provider, store, keyring):
    index, other = email_index(keyring), email_index(Keyring(provider, store))
    before = index.token("x")
    assert other.token("x") == before
    index.rotate()
    for one in (index, other):
        assert one.token("x") != before
        assert one.tokens("x") == (one.token("x"), before)
    index.rotate()  # as after a kill: the open rotation goes on
    assert index.tokens("x")[1] == before
    after = index.token("x")
    other.finish_rotation()
    index.finish_rotation()
    assert index.tokens("x") == other.tokens("x") == (after,)


def test_an_index_that_was_never_used_can_be_rotated(keyring):
    index = email_index(keyring)
    index.finish_rotation()
    index.rotate()
    assert len(index.tokens("x")) == 1


def test_rotations_that_meet_become_one(provider, store, keyring, monkeypatch):
    index = email_index(keyring)
    before, real = index.token("x"), MemoryKeyStore.put

    def meet(action):
        def put(self, items):
            monkeypatch.setattr(MemoryKeyStore, "put", real)
            getattr(email_index(Keyring(provider, store)), action)()
            real(self, items)

        monkeypatch.setattr(MemoryKeyStore, "put", put)
        getattr(index, action)()

    meet("rotate")
    assert len(index.tokens("x")) == 2
    assert index.tokens("x")[1] == before
    meet("finish_rotation")
    assert index.tokens("x") == (index.token("x"),)
    assert index.token("x") != before


def test_rotating_the_root_changes_no_token(keyring):
    index = email_index(keyring)
    index.token("x")
    index.rotate()
    before = index.tokens("x")
    keyring.rotate_root()
    assert index.tokens("x") == before


def test_a_write_only_keyring_has_no_index(provider, store):
    class WriteOnly:
        def wrap(self, key, context):
            return provider.wrap(key, context)

    with pytest.raises(AccessDeniedError) as caught:
        email_index(Keyring(WriteOnly(), store))
    assert caught.value.code == "keyring.write_only"


def test_repr_shows_name_and_bits(keyring):
    assert repr(email_index(keyring)) == "BlindIndex('email', bits=256)"
