"""A matcher on disk: the same after loading, whole or not there, and no harm from a file that was made to do some."""

import hashlib
import io
import json
import os
import random
import stat
import zipfile

import attrs
import numpy as np
import pytest
from dedupe_people import people, taken

from custinfo.dedupe import Matcher
from custinfo.dedupe import _frozen as frozen_module
from custinfo.dedupe import _matcher_file as file_module
from custinfo.errors import CustInfoError, MissingExtraError, SchemaVersionError

COLUMNS, TRUTH = people(1, 40)
COLUMNS = {**COLUMNS, "company": [f"firm {'abcd'[row % 4]} trading" for row in range(len(TRUTH))]}
ROWS = len(TRUTH)
MATCHER = Matcher.fit(COLUMNS)


def record(row):
    return {name: values[row] for name, values in COLUMNS.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file of a matcher with removed rows, copies and answers."""
    matcher = Matcher.fit(COLUMNS, model=MATCHER.model)
    matcher.add([record(0), record(0), {}])
    matcher.learn([(1, 2)], [False])
    matcher.remove([0, 4, ROWS])
    path = tmp_path_factory.mktemp("whole") / "people.matcher"
    matcher.save(path)
    return matcher, path.read_bytes()


def loaded(data, folder):
    path = folder / "altered"
    path.write_bytes(data)
    return Matcher.load(path)


def test_a_loaded_matcher_is_the_saved_one(whole, tmp_path):
    matcher, data = whole
    again = loaded(data, tmp_path)
    assert again.labels.tolist() == matcher.labels.tolist()
    assert again.learning == matcher.learning
    assert repr(again) == repr(matcher)
    assert [again.check(record(row)) for row in range(0, ROWS, 5)] == [
        matcher.check(record(row)) for row in range(0, ROWS, 5)
    ]
    pairs, others = matcher.questions(4), again.questions(4)
    assert pairs.weight.tolist() == others.weight.tolist()
    again.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == data


def test_a_loaded_matcher_goes_on_as_the_saved_one_would(whole, tmp_path):
    _, data = whole
    one, other = loaded(data, tmp_path), loaded(data, tmp_path)
    for matcher in (one, other):
        matcher.add(taken(COLUMNS, [0, 4, 9]))
        matcher.remove([9])
        if matcher is one:
            matcher.save(tmp_path / "mid")
            one = Matcher.load(tmp_path / "mid")
    assert one.labels.tolist() == other.labels.tolist()
    assert one.add([record(3)]).labels.tolist() == other.add([record(3)]).labels.tolist()
    fresh = Matcher.fit(COLUMNS, model=one.model)
    assert fresh.model is one.model


def test_only_the_owner_reads_the_file_and_no_other_is_left(tmp_path):
    MATCHER.save(tmp_path / "people.matcher")
    assert [path.name for path in tmp_path.iterdir()] == ["people.matcher"]
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "people.matcher").stat().st_mode) == 0o600


def test_a_failed_save_leaves_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / "people.matcher"
    MATCHER.save(path)
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(file_module.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        MATCHER.save(path)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["people.matcher"]


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Matcher.load(tmp_path / "none")
    with pytest.raises(OSError, match="directory"):
        MATCHER.save(tmp_path / "no" / "such" / "folder")


@pytest.mark.parametrize("how", ["cut off", "bytes changed", "bytes lost", "other content"])
def test_a_damaged_file_is_refused(how, whole, tmp_path):
    _, data = whole
    rng = random.Random(how)
    for _ in range(40):
        bad = bytearray(data)
        if how == "cut off":
            del bad[rng.randrange(len(bad)) :]
        elif how == "bytes changed":
            for _ in range(3):
                bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        elif how == "bytes lost":
            at = rng.randrange(len(bad) - 60)
            del bad[at : at + rng.randrange(1, 60)]
        else:
            bad = bytearray(rng.randbytes(rng.randrange(300)))
        try:
            again = loaded(bytes(bad), tmp_path)
        except CustInfoError as error:
            refused = error
        else:  # a bit of the archive that nothing depends on, such as a time
            assert again.labels.tolist() == whole[0].labels.tolist()
            continue
        assert refused.code == "dedupe.file"
        assert refused.__cause__ is None


def rewritten(data, change, compress=zipfile.ZIP_STORED):
    """The file after a change of its members, with checksums that fit: what somebody who means harm can write."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(members.pop("matcher.json"))
    del members["sha256.json"]
    arrays = {name.removesuffix(".npy"): np.load(io.BytesIO(part)) for name, part in members.items()}
    change(told, arrays)
    members = {"matcher.json": json.dumps(told).encode()}
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=array.dtype == object)
        members[f"{name}.npy"] = buffer.getvalue()
    members["sha256.json"] = json.dumps({n: hashlib.sha256(part).hexdigest() for n, part in members.items()}).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress) as archive:
        for name, part in members.items():
            archive.writestr(name, part)
    return out.getvalue()


def test_a_rewritten_file_with_no_change_is_read(whole, tmp_path):
    again = loaded(rewritten(whole[1], lambda told, arrays: None), tmp_path)
    assert again.labels.tolist() == whole[0].labels.tolist()


def put(*path):
    """A change that puts the last of *path* where the others lead to in the JSON."""

    def change(told, arrays):
        *steps, last, value = path
        for step in steps:
            told = told[step]
        told[last] = value

    return change


def array(name, alter):
    def change(told, arrays):
        arrays[name] = alter(arrays[name].copy())

    return change


def at(place, value):
    def alter(values):
        values[place] = value
        return values

    return alter


HARM = {
    "another format": put("format", "custinfo.other"),
    "a version of text": put("version", "1"),
    "no model": put("model", None),
    "an unknown kind": put("model", "kinds", "email", "exec"),
    "a field of no kind": put("model", "fields", 0, "kind", "eval"),
    "a width of millions": put("model", "fields", 0, "width", 10**9),
    "a field of unknown columns": put("model", "fields", 0, "columns", ["x"]),
    "no columns": put("model", "columns", []),
    "too few counts": put("model", "counts", []),
    "a count that is no number": put("model", "counts", 0, "total", "many"),
    "a threshold that is no number": put("model", "threshold", float("nan")),
    "a stratum beyond the fields": put("model", "stratum", 99),
    "a slot that is none": put("model", "plan", "pairs", [["a", "b"]]),
    "a cap of zero": put("model", "plan", "cap", 0),
    "a rule of no scheme": put("model", "rules", [{"fields": ["email"], "scheme": "os.system"}]),
    "a rule that is a number": put("model", "rules", [5]),
    "texts twice": put("texts", 0, ["a", "a"]),
    "texts that are numbers": put("texts", 0, [1, 2, 3]),
    "texts of one field": put("texts", [[]]),
    "answers about no row": put("answers", [[0, 10**6, 1.0, True]]),
    "answers of text": put("answers", ["yes"]),
    "deep nesting": put("model", "either", json.loads("[" * 900 + "]" * 900)),
    "codes of no text": array("codes", at((0, 0), 10**6)),
    "negative codes": array("codes", at((0, 0), -7)),
    "codes of another width": array("codes", lambda values: values[:, :-1]),
    "codes of another type": array("codes", lambda values: values.astype(np.int64)),
    "entries that are none": array("entry", at(1, 10**9)),
    "entries below": array("entry", at(1, -9)),
    "entries without rows": array("entry", lambda values: values * 0),
    "labels ahead": array("label", at(1, 7)),
    "labels of removed rows": array("label", at(0, 0)),
    "too few labels": array("label", lambda values: values[:-1]),
    "components ahead": array("component", at(0, 5)),
    "components below": array("component", at(0, -1)),
    "m that is no number": array("m", at((0, 1), np.nan)),
    "m of another shape": array("m", lambda values: values.T),
    "order twice": array("order", lambda values: values * 0),
    "parents beyond": array("parent", at(0, 99)),
    "pickled objects": array("entry", lambda values: np.array([print], object)),
    "columns first": array("m_given", lambda values: np.asfortranarray(values)),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_file_made_to_do_harm_is_refused(harm, whole, tmp_path):
    with pytest.raises(CustInfoError) as caught:
        loaded(rewritten(whole[1], HARM[harm]), tmp_path)
    assert caught.value.code == "dedupe.file"


def test_a_packed_file_is_refused_so_that_none_grows_in_memory(whole, tmp_path):
    with pytest.raises(CustInfoError) as caught:
        loaded(rewritten(whole[1], lambda told, arrays: None, zipfile.ZIP_DEFLATED), tmp_path)
    assert caught.value.code == "dedupe.file"


def test_a_header_that_tells_more_than_there_is_takes_no_memory(whole, tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<i8", "fortran_order": False, "shape": (10**12,)})
    for data in (header.getvalue(), b"\x93NUMPY\x03\x00" + b"x" * 90, b""):
        with pytest.raises(ValueError, match=r"."):
            file_module._array(data, np.int64)


def test_a_newer_version_says_so(whole, tmp_path):
    with pytest.raises(SchemaVersionError) as caught:
        loaded(rewritten(whole[1], put("version", 2)), tmp_path)
    assert caught.value.details["version"] == 2


def test_a_model_with_pinyin_needs_the_extra(whole, tmp_path, monkeypatch):
    other = "pinyin" if MATCHER.model.pinyin != "pinyin" else "pinyin+simplified"
    for have in ("", "pinyin"):
        monkeypatch.setattr(frozen_module, "han_support", lambda have=have: have)
        with pytest.raises(MissingExtraError) as caught:
            loaded(rewritten(whole[1], put("model", "pinyin", "pinyin+simplified")), tmp_path)
        assert "pip install 'custinfo[zh]'" in str(caught.value)
    monkeypatch.setattr(frozen_module, "han_support", lambda: "pinyin+simplified")
    plain = Matcher.empty(attrs.evolve(MATCHER.model, pinyin=""))
    plain.add({"given_name": ["建国"], "family_name": ["王"], "email": ["jg.wang@example.com"]})
    assert plain.check({"given_name": "建国", "family_name": "王", "email": "jg.wang@example.com"})
    with pytest.raises(MissingExtraError):
        Matcher.empty(attrs.evolve(MATCHER.model, pinyin=other if other == "pinyin" else "pinyin"))
