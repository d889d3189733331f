"""A service that embeds one validator pays for one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import custinfo.validate

HEAVY = {"numpy", "email_validator", "phonenumbers", "dns", "cryptography", "idna", "attr", "attrs", "typing", "stdnum"}
PROBE = """
import json, sys
before = set(sys.modules)
from custinfo.validate import {names}
loaded = set(sys.modules) - before
{call}
print(json.dumps([sorted(loaded), sorted(set(sys.modules) - before)]))
"""


def loaded(names: str, call: str = "") -> tuple[set[str], set[str]]:
    program = PROBE.format(names=names, call=call)
    answer = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    first, last = json.loads(answer.stdout)
    return set(first), set(last)


@pytest.mark.parametrize("name", ["email", "phone", "iban", "card", "cn_resident_id", "Issue", "Result"])
def test_importing_a_validator_loads_nothing_heavy(name: str) -> None:
    at_import, _ = loaded(name)
    assert not HEAVY & at_import


def test_a_call_loads_what_it_needs_and_no_more() -> None:
    _, later = loaded("email", "email('somebody@example.com')")
    assert "email_validator" in later
    assert not {"numpy", "phonenumbers", "dns", "cryptography"} & later
    _, later = loaded("phone", "phone('+1 201 555 0123')")
    assert "phonenumbers" in later
    assert not {"numpy", "email_validator"} & later
    _, later = loaded(
        "cn_resident_id, date, text, person_name", "cn_resident_id('1'); date('2'); text('3'); person_name('4')"
    )
    assert not {"numpy", "email_validator", "phonenumbers", "attrs"} & later


def test_all_is_what_is_exported_and_sorted() -> None:
    assert custinfo.validate.__all__ == sorted(custinfo.validate.__all__)
    for name in custinfo.validate.__all__:
        assert getattr(custinfo.validate, name) is not None
        assert name in dir(custinfo.validate)
    with pytest.raises(AttributeError, match="no attribute"):
        custinfo.validate.nothing  # noqa: B018
