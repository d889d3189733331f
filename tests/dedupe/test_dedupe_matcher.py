"""The matcher: whatever is added and removed in whatever order, it knows what one run over its records would give."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import attrs
import numpy as np
import pytest
from dedupe_people import people, scores, taken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custinfo.dedupe import Matcher, find_duplicates
from custinfo.dedupe import _keys as keys_module
from custinfo.errors import InvalidFieldError

COLUMNS, TRUTH = people(1, 50)
ROWS = len(TRUTH)
FOUND = find_duplicates(COLUMNS)
FIRST = Matcher.fit(COLUMNS)
MODEL = FIRST.model
PROPERTY = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


def groups(labels, order):
    """The partition as sets of the original rows."""
    found = {}
    for position, label in enumerate(labels):
        found.setdefault(int(label), set()).add(order[position])
    return {frozenset(group) for group in found.values()}


def record(row, columns=COLUMNS):
    return {name: values[row] for name, values in columns.items()}


def small_blocks(model, cap):
    """The same model with keys that few records may share, so that blocks grow too large at once."""
    return attrs.evolve(model, plan=attrs.evolve(model.plan, cap=cap, pair_cap=cap))


def test_a_matcher_finds_what_the_search_finds():
    assert FIRST.labels.tolist() == FOUND.labels.tolist()
    assert FOUND.matcher.labels.tolist() == FOUND.labels.tolist()
    assert scores(FIRST.labels, TRUTH)[2] > 0.9


def test_with_a_model_nothing_is_estimated(monkeypatch):
    import custinfo.dedupe._matcher as module

    monkeypatch.setattr(module, "find_duplicates", lambda *args, **options: pytest.fail("estimated"))
    again = Matcher.fit(COLUMNS, model=MODEL)
    assert again.model is MODEL
    assert again.labels.tolist() == FIRST.labels.tolist()


@st.composite
def batches(draw):
    order = draw(st.permutations(range(ROWS)))
    cuts = sorted(draw(st.lists(st.integers(0, ROWS), max_size=5)))
    return [order[a:b] for a, b in zip([0, *cuts], [*cuts, ROWS], strict=True)]


@PROPERTY
@given(parts=batches(), cap=st.sampled_from([None, 2, 4]))
def test_any_split_in_any_order_ends_in_the_clusters_of_one_run(parts, cap):
    model = MODEL if cap is None else small_blocks(MODEL, cap)
    whole = Matcher.fit(COLUMNS, model=model)
    matcher = Matcher.empty(model)
    order = []
    for part in parts:
        before = matcher.labels
        changes = matcher.add(taken(COLUMNS, part))
        order += part
        after = matcher.labels
        assert changes.labels.tolist() == after[len(before) :].tolist()
        told = {(former, kept) for kept, former in changes.merged} | set(changes.moved)
        assert {(int(a), int(b)) for a, b in zip(before, after, strict=False) if a != b} == told
        assert all(kept < gone and after[gone] == kept for kept, gone in changes.merged)
        assert set(changes.created) | set(changes.grown) >= set(changes.labels.tolist())
        assert not set(changes.created) & set(before.tolist())
        assert set(changes.grown) <= set(before.tolist())
    assert groups(matcher.labels, order) == groups(whole.labels, range(ROWS))


@PROPERTY
@given(gone=st.sets(st.integers(0, ROWS - 1), min_size=1), cap=st.sampled_from([None, 2, 4]), back=st.booleans())
def test_what_is_removed_leaves_the_clusters_of_a_run_without_it(gone, cap, back):
    model = MODEL if cap is None else small_blocks(MODEL, cap)
    matcher = Matcher.fit(COLUMNS, model=model)
    before = matcher.labels
    changes = matcher.remove(sorted(gone))
    kept = [row for row in range(ROWS) if row not in gone]
    after = matcher.labels
    assert (after[sorted(gone)] == -1).all()
    assert changes.labels.tolist() == [-1] * len(gone)
    assert not changes.grown
    told = {(former, now) for now, former in changes.merged} | set(changes.moved)
    assert {(int(before[row]), int(after[row])) for row in kept if before[row] != after[row]} == told
    rerun = Matcher.fit(taken(COLUMNS, kept), model=matcher.model)
    assert groups(rerun.labels, kept) == groups(after[kept], kept)
    assert groups(Matcher.fit(taken(COLUMNS, kept), model=model).labels, kept) == groups(after[kept], kept)
    if back:
        matcher.add(taken(COLUMNS, sorted(gone)))
        order = [*range(ROWS), *sorted(gone)]
        present = [position for position in range(len(order)) if position not in gone]
        again = Matcher.fit(taken(COLUMNS, [order[p] for p in present]), model=matcher.model)
        assert groups(again.labels, present) == groups(matcher.labels[present], present)


def test_ids_are_the_oldest_rows_and_the_smaller_survives_a_merge():
    one = {"given_name": "Mirela", "family_name": "Quandtner", "email": "mirela.quandtner@example.com"}
    other = {"birth_date": "1971-03-09", "phone": "0161 496 0172", "address": "17 Wenstiyor Street"}
    matcher = Matcher.empty(MODEL)
    assert matcher.add([one, other]).created == (0, 1)
    changes = matcher.add([{**one, **other}])
    assert changes.merged == ((0, 1),)
    assert changes.grown == (0,)
    assert matcher.labels.tolist() == [0, 0, 0]
    changes = matcher.remove([0])
    assert changes.moved == ((0, 1),)
    assert matcher.labels.tolist() == [-1, 1, 1]
    assert len(matcher) == 3


def test_copies_of_what_says_hardly_anything_stay_apart():
    matcher = Matcher.empty(MODEL)
    full = record(next(row for row in range(ROWS) if all(record(row).values())))
    thin = {"locality": "Nowhereville"}
    matcher.add([thin, {}, thin, full, full, {}])
    assert matcher.labels.tolist() == [0, 1, 2, 3, 3, 5]
    assert matcher.remove([0, 3]).moved == ((3, 4),)
    assert matcher.labels.tolist() == [-1, 1, 2, -1, 4, 5]
    assert matcher.add([thin, full]).labels.tolist() == [6, 4]


def test_fifty_thousand_copies_and_a_block_of_thousands_are_added_soon():
    matcher = Matcher.fit(COLUMNS, model=MODEL)
    columns = {name: [values[0]] * 50_000 for name, values in COLUMNS.items()}
    assert set(matcher.add(columns).labels.tolist()) == {int(matcher.labels[0])}
    many = 2_000
    crowd = {"family_name": ["Smith"] * many, "email": [f"{'abcdefgh'[k % 8]}{k}@example.com" for k in range(many)]}
    matcher.add(crowd)
    assert len(matcher.labels) == ROWS + 50_000 + many
    assert len(matcher.check(record(0), limit=3)) == 3


def test_check_gives_the_weights_of_the_batch_to_the_last_bit():
    bits = MODEL.threshold / np.log(2)
    expected = {}
    for left, right, weight in zip(FOUND.pairs.left, FOUND.pairs.right, FOUND.pairs.weight, strict=True):
        if weight >= bits:
            expected.setdefault(int(left), {})[int(right)] = float(weight)
            expected.setdefault(int(right), {})[int(left)] = float(weight)
    for row in range(ROWS):
        matches = FIRST.check(record(row))
        weights = {match.row: match.weight for match in matches if match.row != row}
        assert expected.get(row, {}).items() <= weights.items()
        assert all(match.weight >= bits for match in matches)
        assert [match.weight for match in matches] == sorted((match.weight for match in matches), reverse=True)
        assert all(match.cluster == FIRST.labels[match.row] for match in matches)
        assert all(match.probability == pytest.approx(1 / (1 + 2**-match.weight)) for match in matches)


def test_check_is_add_without_adding():
    matcher = Matcher.fit(COLUMNS, model=MODEL)
    columns, _ = people(2, 10)
    state = matcher.labels.tolist()
    for row in range(len(columns["email"])):
        asked = record(row, columns)
        best = matcher.check(asked, limit=1)
        assert matcher.labels.tolist() == state
        added = matcher.add([asked])
        assert bool(best) == bool(added.grown or added.merged)
        matcher.remove([len(matcher) - 1])
        state.append(-1)


def test_a_record_with_nothing_in_it_matches_nobody():
    assert FIRST.check({}) == []
    assert FIRST.check(dict.fromkeys(COLUMNS, "N/A")) == []
    assert FIRST.check({"email": None, "phone": float("nan")}) == []
    assert Matcher.empty(MODEL).check(record(0)) == []
    assert Matcher.empty(MODEL).labels.tolist() == []


def texts_in(thing):
    """Every text that can be reached from an object, modules and classes left aside."""
    seen, todo, found = set(), [thing], set()
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, (type, type(gc))):
            continue
        seen.add(id(one))
        if isinstance(one, str):
            found.add(one)
        elif type(one).__name__ == "function":
            todo.extend(cell.cell_contents for cell in one.__closure__ or ())
        else:
            todo.extend(gc.get_referents(one))
    return found


def test_an_erased_person_leaves_no_value_behind(tmp_path):
    people_here = {
        "given_name": ["Zebulonia"] * 4 + ["Mirela", "Quentin"],
        "family_name": ["Vandersnoot"] * 4 + ["Quandt", "Harrow"],
        "email": ["zeb.vandersnoot@example.com"] * 4 + ["mq@example.com", "qh@example.com"],
        "address": [f"{k} Unheardof Parade" for k in (3, 3, 5, 7)] + ["1 High Street", "2 Low Road"],
        "company": ["Snootworks Holding"] * 4 + ["Acme Tools", "Zebra Food"],
    }
    columns = {name: values + COLUMNS.get(name, [""] * ROWS) for name, values in people_here.items()}
    matcher = Matcher.fit(columns)
    matcher.check(record(0, columns))
    rare = ("zebulonia", "vandersnoot", "unheardof", "snootworks")
    assert any(word in text for text in texts_in(matcher) for word in rare)
    matcher.remove([0, 1, 2, 3])
    matcher.check(record(5, columns))
    left = texts_in(matcher)
    assert not [text for text in left if any(word in text for word in rare)]
    assert any("quandt" in text for text in left)
    matcher.save(tmp_path / "matcher")
    data = (tmp_path / "matcher").read_bytes()
    assert not any(word.encode() in data for word in rare)
    assert b"quandt" in data


def test_rows_that_are_not_there_are_refused_and_nothing_changes():
    matcher = Matcher.fit(COLUMNS, model=MODEL)
    matcher.remove([4])
    labels = matcher.labels.tolist()
    for rows in ([0, 4], [-1], [ROWS], ["x"], [0.5], [None]):
        with pytest.raises(InvalidFieldError) as caught:
            matcher.remove(rows)
        assert caught.value.code == "dedupe.row"
        assert matcher.labels.tolist() == labels
    assert matcher.remove([]).merged == ()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda m: m.check({"e_mail": "a@example.com"}), "dedupe.column"),
        (lambda m: m.check("ann@example.com"), "dedupe.record"),
        (lambda m: m.check({5: "x"}), "dedupe.column"),
        (lambda m: m.add([{"email": "a@example.com", "e_mail": "x"}]), "dedupe.column"),
        (lambda m: m.add({"email": ["a"], "phone": ["1", "2"]}), "columns.length"),
        (lambda m: m.add("text"), "columns.input"),
        (lambda m: Matcher.fit(COLUMNS, model=m.model, fields={"email": "email"}), "dedupe.model"),
        (lambda m: Matcher.fit(COLUMNS, model=m.model, rules=["email"]), "dedupe.model"),
        (lambda m: Matcher.fit({"email": ["a@example.com"]}), "dedupe.thin"),
        (lambda m: Matcher.fit({"email": []}), "dedupe.thin"),
        (lambda m: Matcher.fit([]), "dedupe.thin"),
        (lambda m: Matcher.fit({"nonsense": ["x"]}, model=m.model), "dedupe.column"),
        (lambda m: find_duplicates({"email": ["a@example.com"]}).matcher, "dedupe.thin"),
    ],
)
def test_bad_input_names_its_code_and_no_value(call, code):
    with pytest.raises(InvalidFieldError) as caught:
        call(FIRST)
    assert caught.value.code == code
    assert "a@example.com" not in str(caught.value)
    assert FIRST.labels.tolist() == FOUND.labels.tolist()


def test_odd_cells_are_read_as_by_the_search():
    matcher = Matcher.fit(COLUMNS, model=MODEL)
    odd = [None, float("nan"), b"ann@example.com", 5, np.datetime64("NaT"), ["a"], "x" * 1_000_000, True]
    assert len(matcher.add({"given_name": odd, "email": odd[::-1], "birth_date": odd}).labels) == len(odd)
    for cell in odd:
        matcher.check({"given_name": cell, "email": cell, "phone": cell, "birth_date": cell, "address": cell})


def test_a_threshold_may_be_set_and_lacking_columns_are_missing():
    strict = Matcher.fit(COLUMNS, model=MODEL, threshold=60.0)
    assert len(set(strict.labels.tolist())) > len(set(FIRST.labels.tolist()))
    assert strict.check(record(0)) == [match for match in FIRST.check(record(0)) if match.weight >= 60]
    assert len(Matcher.fit({"email": COLUMNS["email"]}, model=MODEL).labels) == ROWS


def test_different_values_of_a_rule_never_meet():
    ids = [f"P{k:06d}" if k % 2 else "" for k in range(ROWS)]
    matcher = Matcher.fit({**COLUMNS, "national_id": ids}, rules=["national_id"])
    asked = {**record(1), "national_id": "P999998"}
    assert 1 in [match.row for match in matcher.check({**asked, "national_id": ids[1]})]
    assert 1 not in [match.row for match in matcher.check(asked)]
    matcher.add([asked])
    assert matcher.labels[ROWS] != matcher.labels[1]


def test_threads_share_a_matcher():
    matcher = Matcher.fit(COLUMNS, model=MODEL)
    columns, _ = people(3, 15)
    failed = []

    def work(start):
        try:
            for row in range(start, len(columns["email"]), 3):
                matcher.check(record(row, columns))
                matcher.add([record(row, columns)])
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=work, args=(start,)) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    both = {name: COLUMNS[name] + columns[name] for name in COLUMNS}
    whole = Matcher.fit(both, model=MODEL)
    sizes = [sorted(map(len, groups(m.labels, range(len(m))))) for m in (whole, matcher)]
    assert sizes[0] == sizes[1]


def test_threads_and_hash_seed_change_no_bit():
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from dedupe_people import people\nfrom custinfo.dedupe import Matcher\n"
        "columns = people(4, 15)[0]\nmatcher = Matcher.fit(columns)\n"
        "asked = [{n: v[k] for n, v in columns.items()} for k in range(9)]\n"
        "print(matcher.labels.tolist(), [matcher.check(one) for one in asked])\n"
        "print(matcher.add(asked[:3]), matcher.model.plan)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed, "CUSTINFO_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, threads in (("0", "1"), ("7", "3"))
    }
    assert len(outputs) == 1


def test_two_contents_of_one_number_stay_two(monkeypatch):
    import custinfo.dedupe._entries as module

    monkeypatch.setattr(module.Entries, "content_of", lambda self, codes: np.full(len(codes), 12, np.uint64))
    matcher = Matcher.fit(taken(COLUMNS, range(12)), model=MODEL)
    assert matcher.labels.tolist() == Matcher.fit(taken(COLUMNS, range(12)), model=MODEL).labels.tolist()
    assert len(matcher._state.entries) == len({tuple(record(row).values()) for row in range(12)})
    matcher.add(taken(COLUMNS, range(12)))
    assert len(matcher._state.entries) == len({tuple(record(row).values()) for row in range(12)})


def test_sounds_keep_what_typing_errors_leave_alone():
    assert keys_module.skeleton("王小明") == "王"
    assert keys_module.skeleton("jo hanna") == "jnn"
