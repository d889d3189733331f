"""Columns of opaque tokens: equal or not, with frequencies, as by the values that they stand for."""

import hashlib
import hmac

import numpy as np
import pytest
from dedupe_people import people, scores

from custinfo.dedupe import Matcher, find_duplicates
from custinfo.dedupe._fields import build_fields
from custinfo.dedupe._opaque import opaque
from custinfo.errors import InvalidFieldError

COLUMNS, TRUTH = people(4, 200)


def token(field, value):
    """What a blind index makes of a value: nothing can be seen of it but whether it is equal."""
    return hmac.digest(b"a key", f"{field}:{value}".encode(), hashlib.sha256)[:16] if value else None


TOKENS = {name: [token(name, value) for value in values] for name, values in COLUMNS.items()}
KINDS = {name: f"token:{'street' if name == 'address' else name}" for name in COLUMNS}


def test_duplicates_are_found_by_tokens_alone():
    found = find_duplicates(TOKENS, fields=KINDS)
    precision, recall, _ = scores(found.labels, TRUTH)
    assert precision > 0.95
    assert recall > 0.8
    assert scores(found.auto, TRUTH)[0] > 0.99


def test_tokens_are_equal_or_different_and_nothing_between():
    found = find_duplicates(TOKENS, fields=KINDS)
    left, right = found.pairs.left[::9], found.pairs.right[::9]
    relations = {
        part.relation for a, b in zip(left, right, strict=True) for part in found.explain(int(a), int(b)).parts
    }
    assert relations == {"any two records", "equal", "different", "missing"}


def test_a_frequent_token_says_less_than_a_rare_one():
    columns = {"t": [b"often"] * 400 + [b"seldom"] * 2 + [b"%d" % k for k in range(200)], "u": list(range(602))}
    found = find_duplicates(columns, fields={"t": "token", "u": "token"})
    often, seldom = ({p.field: p.weight for p in found.explain(a, b).parts} for a, b in ((0, 1), (400, 401)))
    assert seldom["t"] > often["t"] + 3


def test_text_and_bytes_are_read_without_loss():
    one, other = b"\xff\xfe" * 8, b"\xfe\xff" * 8
    assert opaque(one) != opaque(other)
    assert opaque("A" * 200) != opaque("A" * 199 + "B")
    assert opaque(memoryview(one)) == opaque(bytearray(one)) == one.hex()
    fields = build_fields({"t": np.array(["Ab", "aB", None, "Ab "], object)}, {"t": "token"})
    assert fields[0].codes[:, 0].tolist() == [0, 1, -1, 0]
    raw = build_fields({"t": np.array([one, other, one], "S16")}, {"t": "token"})
    assert raw[0].codes[:, 0].tolist() == [0, 1, 0]


def test_a_matcher_takes_tokens():
    matcher = Matcher.fit(TOKENS, fields=KINDS)
    record = {name: values[0] for name, values in TOKENS.items()}
    assert 0 in [match.row for match in matcher.check(record)]
    assert matcher.add([record]).labels.tolist() == [int(matcher.labels[0])]


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "token:mail"},
        {"email": "token:ignore"},
        {"email": "token:email", "phone": "email"},
        {"family_name": "token:family_name", "given_name": "full_name"},
    ],
)
def test_tokens_of_no_kind_or_beside_values_of_it_are_refused(fields):
    with pytest.raises(InvalidFieldError) as caught:
        find_duplicates(COLUMNS, fields=fields)
    assert caught.value.code == "dedupe.kind"
