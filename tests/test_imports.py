"""What an import costs: a fresh interpreter is asked which modules it has loaded, not how long it took."""

import subprocess
import sys

import pytest

HEAVY = {
    "attr",
    "attrs",
    "boto3",
    "botocore",
    "cattrs",
    "cryptography",
    "dns",
    "email_validator",
    "hvac",
    "numpy",
    "pandas",
    "phonenumbers",
    "rapidfuzz",
    "sqlite3",
}
ROOMS = ["book", "crypto", "dedupe", "exchange", "govern", "model", "segment", "store", "testing", "validate"]


def loaded_by(statement):
    """The top-level modules that a statement adds to those that Python starts with."""
    program = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in run.stdout.split()}


def test_importing_custinfo_loads_nothing_heavy_and_neither_typing_nor_re():
    assert not loaded_by("import custinfo") & (HEAVY | {"typing", "re", "enum", "dataclasses", "logging", "inspect"})


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_loads_nothing_heavy(room):
    assert not loaded_by(f"import custinfo.{room}") & (HEAVY | {"hypothesis", "pytest", "typing"})


def test_the_errors_alone_load_nothing_heavy():
    assert not loaded_by("from custinfo.errors import CustInfoError") & (HEAVY | {"typing"})


def test_naming_one_validator_loads_neither_the_other_validators_nor_their_libraries():
    assert not loaded_by("from custinfo.validate import email") & HEAVY


def test_checking_one_e_mail_address_loads_no_more_than_its_own_library():
    loaded = loaded_by("from custinfo.validate import email; assert email('ann@example.com').ok")
    assert "email_validator" in loaded
    assert not loaded & {"cryptography", "numpy", "phonenumbers", "rapidfuzz", "sqlite3"}


def test_reading_csv_loads_no_numpy():
    assert not loaded_by("from custinfo.exchange import read_csv; list(read_csv(b'id\\n1\\n'))") & (
        HEAVY - {"attr", "attrs"}
    )


@pytest.mark.parametrize(
    ("name", "key"),
    [("AwsKmsKeyProvider", "arn:aws:kms:eu-central-1:111122223333:key/example"), ("VaultKeyProvider", "customers")],
)
def test_a_key_provider_over_a_client_that_was_given_loads_no_library_of_its_service(name, key):
    loaded = loaded_by(f"from custinfo.crypto import {name}; {name}({key!r}, client=object())")
    assert not loaded & {"boto3", "botocore", "hvac", "requests", "urllib3"}
