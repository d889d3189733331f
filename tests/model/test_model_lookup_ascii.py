"""The short way of look-up forms for ASCII text is the long one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from model_examples import quick

from custinfo.model import Customer, Email, email_key, name_key, phone_key
from custinfo.model import lookup_terms as terms_of

ASCII = st.text(st.characters(max_codepoint=127), max_size=12)


@quick
@given(ASCII)
def test_ascii_text_has_the_look_up_form_of_the_same_text_beside_another_letter(text: str) -> None:
    assert name_key(text + " \u5f20").split() == [*name_key(text).split(), "\u5f20"]
    assert email_key("\u5f20" + text + "\u5f20") == "\u5f20" + email_key("|" + text + "|")[1:-1] + "\u5f20"
    assert phone_key("\u5f20" + text) == phone_key(text)


def test_the_repr_of_a_term_shows_no_text() -> None:
    (term,) = terms_of(Customer(emails=[Email("rosa@example.com")]))
    assert term.text == "rosa@example.com"
    assert repr(term) == "Term(name='email', unique=False, blind=True)"
