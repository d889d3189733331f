"""The JSON form, version 1 (experimental until custinfo 1.0): what was written once is read forever, the same way.

A change of these files is a change of the stored form: it needs a new version and a reader of the old one.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_examples import FULL

from custinfo.model import dumps, loads
from custinfo.model._entities import ENTITIES, VERSION

GOLDEN = Path(__file__).parent / "golden"


def test_every_stored_class_has_a_golden_file():
    assert {path.name for path in GOLDEN.iterdir()} == {f"{kind}-{VERSION}.json" for kind in ENTITIES}


@pytest.mark.parametrize("kind", FULL)
def test_the_golden_file_reads_as_the_object_and_is_written_the_same(kind):
    text = (GOLDEN / f"{kind}-1.json").read_text("utf-8")
    assert loads(text) == FULL[kind]
    assert json.loads(dumps(FULL[kind])) == json.loads(text)
    assert list(json.loads(dumps(FULL[kind]))) == list(json.loads(text))
