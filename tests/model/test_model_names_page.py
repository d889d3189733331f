"""The page of names elsewhere has every field of the classes that it is about, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

import custinfo.model
from custinfo.model import Account, Address, Customer, Email, PaymentMethod, PersonName, Phone, Transaction

PAGE = Path(custinfo.model.__file__).parents[3] / "docs" / "reference" / "names.md"
CLASSES = [Customer, PersonName, Address, Email, Phone, Account, PaymentMethod, Transaction]


@pytest.fixture(scope="module")
def sections():
    if not PAGE.exists():
        pytest.skip("the documentation is not beside the package")
    parts = re.split(r"^## (\w+)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_is_about_these_classes(sections):
    assert list(sections) == [cls.__name__ for cls in CLASSES]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_field_has_a_row_in_the_order_of_the_class(sections, cls):
    rows = [row for row in sections[cls.__name__].splitlines() if row.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [field.name for field in attrs.fields(cls)]
    head = next(row for row in sections[cls.__name__].splitlines() if row.startswith("| field |"))
    assert {row.count("|") for row in rows} == {head.count("|")}
