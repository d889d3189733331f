"""What makes two records those of one household, and of one family in it."""

from __future__ import annotations

import numpy as np
import pytest

from custinfo.dedupe._levels import DIFFERENT, EQUAL, MISSING
from custinfo.dedupe._model import near_fields

NAMES = ("family_name", "street", "house_number", "unit", "locality")


@pytest.mark.parametrize(
    ("levels", "home", "here", "family"),
    [
        ((EQUAL, EQUAL, EQUAL, EQUAL, EQUAL), True, True, True),
        ((EQUAL, EQUAL, EQUAL, MISSING, EQUAL), True, True, True),
        ((DIFFERENT, EQUAL, EQUAL, EQUAL, EQUAL), True, True, False),
        ((MISSING, EQUAL, EQUAL, EQUAL, EQUAL), True, True, False),
        ((EQUAL, EQUAL, EQUAL, EQUAL, DIFFERENT), True, False, False),
        ((EQUAL, EQUAL, DIFFERENT, EQUAL, EQUAL), False, False, False),
    ],
)
def test_a_family_has_one_name_at_one_place(levels, home, here, family):
    near = near_fields(NAMES, np.array(levels, np.int8)[:, None])
    assert near[len(NAMES) :, 0].tolist() == [home, here, family]


def test_without_family_names_a_home_is_that_of_a_family():
    near = near_fields(NAMES[1:], np.array([EQUAL] * 4, np.int8)[:, None])
    assert near[4:, 0].tolist() == [True, True, True]
