"""Explanations, review and the columns of the result."""

import numpy as np
import pytest
from dedupe_people import people

from custinfo.dedupe import find_duplicates
from custinfo.errors import InvalidFieldError

COLUMNS, TRUTH = people(1)
FOUND = find_duplicates(COLUMNS)


def test_explanations_sum_to_the_weight_of_the_pair():
    for left, right, weight in zip(
        FOUND.pairs.left[::25], FOUND.pairs.right[::25], FOUND.pairs.weight[::25], strict=True
    ):
        told = FOUND.explain(int(left), int(right))
        assert told.weight == pytest.approx(sum(weight for _, _, weight in told.parts))
        assert told.weight == pytest.approx(weight, abs=1e-4)
        assert told.parts[0].field == "prior"
        assert told.probability == pytest.approx(1 / (1 + 2.0**-weight), abs=1e-4)


def test_sentences_in_both_languages_hold_no_value_of_the_records():
    sure = FOUND.explain(*(int(row) for row in FOUND.clusters[0][:2]))
    apart = next(row for row in range(len(TRUTH)) if FOUND.labels[row] != FOUND.labels[0])
    no = FOUND.explain(0, apart)
    assert "probably one person" in sure.text()
    assert "probably two persons" in no.text()
    assert "很可能是同一人" in sure.text("zh")
    assert "很可能不是同一人" in no.text("zh")
    for text in (sure.text(), sure.text("zh")):
        for name in ("email", "phone", "birth_date"):
            value = COLUMNS[name][int(FOUND.clusters[0][0])]
            assert not value or value not in text


@pytest.mark.parametrize(("left", "right"), [(0, 0), (-1, 2), (0, 10**6)])
def test_rows_that_are_no_pair_are_refused(left, right):
    with pytest.raises(InvalidFieldError) as caught:
        FOUND.explain(left, right)
    assert caught.value.code == "dedupe.row"


def test_review_holds_the_pairs_between_the_decisions_most_doubtful_first():
    pairs = FOUND.review()
    assert (pairs.weight < FOUND.diagnostics.auto_threshold).all()
    assert (np.diff(np.abs(pairs.weight)) >= 0).all()
    assert len(FOUND.review(-5, 5)) == ((FOUND.pairs.weight >= -5) & (FOUND.pairs.weight < 5)).sum()


def test_results_are_columns():
    assert list(FOUND.to_dict()) == ["label", "auto"]
    assert list(FOUND.pairs.to_dict()) == ["left", "right", "weight", "probability"]
    assert len(FOUND) == len(TRUTH)
    assert f"{len(TRUTH):,} records" in FOUND._repr_html_()
    assert (FOUND.pairs.left < FOUND.pairs.right).all()
    assert FOUND.diagnostics.trustworthy


def test_organisations_are_found_by_their_rare_words():
    rare = [
        f"{a}{b}" for a in ("alpo", "brin", "cero", "dula", "fein") for b in ("mar", "net", "pol", "qui", "ras", "sut")
    ]
    names = [f"{word} trading" for word in rare] + [f"The {word.title()} Trading Co., Ltd." for word in rare]
    towns = [f"town {k % 9}" for k in range(len(rare))] * 2
    filler = [f"{a}{b} works" for a in ("gom", "hul", "jat") for b in map(str, range(400))]
    columns = {"organization": names + filler, "locality": towns + [f"town {k % 9}" for k in range(len(filler))]}
    found = find_duplicates(columns)
    assert sum(found.labels[k] == found.labels[k + len(rare)] for k in range(len(rare))) > 0.9 * len(rare)
