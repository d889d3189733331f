"""Keys are chosen from the data: they find what belongs together, within a budget, in every order of the rows."""

import numpy as np
import pytest
from dedupe_people import people, taken

from custinfo._columns import read_columns
from custinfo.dedupe import _block
from custinfo.dedupe._atoms import atoms_of
from custinfo.dedupe._block import candidates
from custinfo.dedupe._canonical import canonical
from custinfo.dedupe._fields import build_fields
from custinfo.dedupe._grouping import group
from custinfo.dedupe._kinds import infer_kinds


def fields_of(columns):
    read = read_columns(columns)
    return canonical(build_fields(read, infer_kinds(read)))


def found_share(blocks, first, truth):
    """Share of the pairs of one person that are candidates."""
    persons = np.array(truth)[first]
    counts = np.bincount(persons)
    return (persons[blocks.left] == persons[blocks.right]).sum() / (counts * (counts - 1) // 2).sum()


@pytest.mark.parametrize("seed", [1, 2])
def test_few_pairs_find_nearly_all_duplicates(seed):
    columns, truth = people(seed, 1500)
    fields, first, _ = fields_of(columns)
    blocks = candidates(fields, floor=0)
    assert len(blocks.left) < 5 * len(first)
    assert found_share(blocks, first, truth) > 0.97
    assert (blocks.left < blocks.right).all()
    assert len(np.unique(blocks.left * len(first) + blocks.right)) == len(blocks.left)


def test_a_smaller_budget_makes_fewer_pairs():
    fields, first, _ = fields_of(people(3, 1500)[0])
    few, many = (candidates(fields, floor=0, per_row=per_row) for per_row in (1, 4))
    assert sum(few.counts.values()) <= len(first) < sum(many.counts.values()) <= 4 * len(first)


def test_the_order_of_rows_changes_no_candidate():
    columns, truth = people(4, 900)
    order = np.random.default_rng(1).permutation(len(truth)).tolist()
    one, other = fields_of(columns)[0], fields_of(taken(columns, order))[0]
    a, b = candidates(one), candidates(other)
    assert a.counts == b.counts
    assert a.left.tolist() == b.left.tolist()
    assert a.right.tolist() == b.right.tolist()


def test_what_is_too_large_in_every_key_is_told():
    rows = 1200
    columns = {"given_name": ["Ann"] * rows, "family_name": ["Lee"] * rows, "sex": [f"s{n}" for n in range(rows)]}
    columns["phone"] = [""] * (rows - 2) + ["0161 496 0172"] * 2
    columns["unit"] = [str(n) for n in range(rows)]
    fields, _, _ = fields_of(columns)
    blocks = candidates(fields, floor=0)
    assert len(blocks.left) < 10 * rows
    assert sum(blocks.dropped.values()) == rows - 2


def test_where_nobody_looks_alike_the_rarest_things_in_common_count(monkeypatch):
    monkeypatch.setattr(_block, "alike", lambda fields, levels: np.zeros(levels.shape[1], bool))
    columns, truth = people(5, 900)
    fields, first, _ = fields_of(columns)
    assert found_share(candidates(fields, floor=0), first, truth) > 0.9


def test_a_family_name_in_the_place_of_a_given_name_is_met():
    fields, _, _ = fields_of({"given_name": ["Ann", "Lee", "Bob"], "family_name": ["Lee", "Ann", "Ray"]})
    both = next(atom for atom in atoms_of(fields) if atom.name == "both names")
    (numbers,) = both.columns()
    assert len(np.unique(numbers)) == 2


def test_blocks_hold_each_row_once_and_none_alone():
    numbers = np.array([5 << 40, 7 << 40, 5 << 40, 0, 0, 5 << 40, 9 << 40], np.uint64)
    blocks = group(numbers, np.array([3, 1, 2, 4, 5, 3, 0]), 6)
    assert blocks.sizes.tolist() == [2]
    assert blocks.pairs(2, 6).tolist() == [2 * 6 + 3]
    assert blocks.pairs(1, 6).tolist() == []
    assert blocks.over(1).tolist() == [2, 3]
    assert blocks.over(2).tolist() == []
