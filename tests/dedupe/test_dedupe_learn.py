"""A few answers move the decision, and the matcher says when to stop asking."""

import numpy as np
import pytest
from dedupe_people import people, scores

from custinfo.dedupe import Matcher
from custinfo.dedupe._learn import Answer, shift_of
from custinfo.errors import InvalidFieldError

COLUMNS, TRUTH = people(1, 60)
ROWS = len(TRUTH)
MATCHER = Matcher.fit(COLUMNS)
BIT = np.log(2)


def off(bits):
    """A matcher whose weights are all off by so many bits."""
    import attrs

    model = MATCHER.model
    weights = attrs.evolve(model.weights, prior=model.weights.prior + bits * BIT)
    return Matcher.fit(COLUMNS, model=attrs.evolve(model, weights=weights))


@pytest.mark.parametrize("bits", [-14.0, 9.0])
def test_answers_mend_a_decision_that_is_off(bits):
    matcher = off(bits)
    before = scores(matcher.labels, TRUTH)[2]
    for _ in range(20):
        if matcher.learning.finished:
            break
        pairs = matcher.questions(4)
        matcher.learn(
            np.stack([pairs.left, pairs.right], 1),
            [TRUTH[a] == TRUTH[b] for a, b in zip(pairs.left, pairs.right, strict=True)],
        )
    assert matcher.learning.finished
    assert matcher.learning.answers <= 80
    assert scores(matcher.labels, TRUTH)[2] >= before
    assert np.sign(matcher.learning.shift) == -np.sign(bits)


def test_after_learning_the_clusters_are_those_of_a_run_with_the_model():
    matcher = off(-10.0)
    pairs = matcher.questions(6)
    before = matcher.labels
    changes = matcher.learn([(int(a), int(b), True) for a, b in zip(pairs.left, pairs.right, strict=True)])
    assert matcher.learning.answers == len(pairs)
    assert matcher.learning.shift > 0
    rerun = Matcher.fit(COLUMNS, model=matcher.model)
    assert rerun.labels.tolist() == matcher.labels.tolist()
    told = {(former, kept) for kept, former in changes.merged} | set(changes.moved)
    assert {(int(a), int(b)) for a, b in zip(before, matcher.labels, strict=True) if a != b} == told
    record = {name: values[3] for name, values in COLUMNS.items()}
    assert [m.weight for m in rerun.check(record)] == [m.weight for m in matcher.check(record)]


def test_questions_are_the_pairs_nearest_to_the_decision_each_record_once_and_never_again():
    matcher = off(-12.0)
    pairs = matcher.questions(8)
    rows = [*pairs.left.tolist(), *pairs.right.tolist()]
    assert len(rows) == len(set(rows))
    assert (pairs.left < pairs.right).all()
    away = np.abs(pairs.weight - matcher.model.threshold / BIT)
    assert (np.diff(away) >= 0).all()
    one = (int(pairs.left[0]), int(pairs.right[0]))
    matcher.learn([one], [True])
    again = matcher.questions(1000)
    assert one not in set(zip(again.left.tolist(), again.right.tolist(), strict=True))
    assert len(matcher.questions(0)) == 0


def test_an_answer_given_twice_counts_once_and_the_last_one_holds():
    matcher = off(-12.0)
    pair = (int(matcher.questions(1).left[0]), int(matcher.questions(1).right[0]))
    matcher.learn([pair], [True])
    up = matcher.learning.shift
    matcher.learn([pair[::-1]], [False])
    assert matcher.learning.answers == 1
    assert matcher.learning.shift < 0 < up
    matcher.learn([pair], [True])
    assert matcher.learning.shift == pytest.approx(up)


def test_answers_about_a_removed_record_stay_without_its_row():
    matcher = off(-12.0)
    pairs = matcher.questions(2)
    matcher.learn(zip(pairs.left, pairs.right, strict=True), [True, False])
    learnt = matcher.learning
    matcher.remove([int(pairs.left[0])])
    assert (matcher.learning.answers, matcher.learning.shift) == (learnt.answers, learnt.shift)
    left = matcher.questions(1000)
    assert int(pairs.left[0]) not in {*left.left.tolist(), *left.right.tolist()}


def test_nothing_to_ask_is_the_end():
    matcher = Matcher.empty(MATCHER.model)
    assert matcher.learning.finished
    assert len(matcher.questions()) == 0
    assert matcher.learn([], []).merged == ()


def test_the_shift_is_drawn_to_what_the_answers_say():
    none = shift_of([])
    assert (none.shift, none.answers, none.finished) == (0.0, 0, False)
    assert none.deviation == pytest.approx(3.0, abs=0.05)
    up = shift_of([Answer(0, 1, -4.0, True)] * 12)
    down = shift_of([Answer(0, 1, 4.0, False)] * 12)
    assert up.shift == pytest.approx(-down.shift)
    assert up.shift > 4
    assert up.deviation < none.deviation
    assert shift_of([Answer(0, 1, 0.0, bool(k % 2)) for k in range(40)]).finished


@pytest.mark.parametrize(
    ("pairs", "labels", "code"),
    [
        ([(0, 1)], [], "dedupe.labels"),
        ([(0, 1)], None, "dedupe.labels"),
        ([(0, 1)], ["maybe"], "dedupe.labels"),
        ([(0, 1, 2)], None, "dedupe.labels"),
        ([("a", 1)], [True], "dedupe.labels"),
        ([(0, 0)], [True], "dedupe.row"),
        ([(0, 10**7)], [True], "dedupe.row"),
        ([(0, ROWS)], [True], "dedupe.row"),
    ],
)
def test_labels_that_are_none_are_refused_and_nothing_changes(pairs, labels, code):
    matcher = Matcher.fit(COLUMNS, model=MATCHER.model)
    matcher.add([{}])
    with pytest.raises(InvalidFieldError) as caught:
        matcher.learn(pairs, labels)
    assert caught.value.code == code
    assert matcher.learning.answers == 0
    assert matcher.model is MATCHER.model
