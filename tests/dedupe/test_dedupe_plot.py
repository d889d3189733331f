"""Waterfalls, reliability plots and tables for notebooks; each picture is drawn and looked into."""

import struct

import numpy as np
import pytest
from dedupe_people import people
from hypothesis import given
from hypothesis import strategies as st

from custinfo.dedupe import Explanation, Part, calibration, find_duplicates
from custinfo.errors import InvalidFieldError

FOUND = find_duplicates(people(1, 80)[0])
PAIR = FOUND.explain(*(int(row) for row in FOUND.clusters[0][:2]))
RULED = Explanation(
    left=3,
    right=4,
    weight=float("-inf"),
    parts=(
        Part("prior", "any two records", -12.0),
        Part("email", "equal", 15.5),
        Part("phone", "missing", 0.0),
        Part("rule", "different national_id verified as hkid", float("-inf")),
    ),
)


def png(figure, tmp_path):
    """Size in pixels of the picture, which must be more than one colour."""
    pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    file = tmp_path / "picture.png"
    figure.savefig(file, dpi=80)
    data = file.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(np.unique(imread(file).reshape(-1, 4), axis=0)) > 20
    return struct.unpack(">II", data[16:24])


def bars(figure):
    return [patch for patch in figure.axes[0].patches if patch.get_width() or patch.get_height()]


def test_a_waterfall_goes_from_the_prior_to_the_sum(tmp_path):
    pytest.importorskip("matplotlib")
    figure = PAIR.plot()
    width, height = png(figure, tmp_path)
    assert width > 500
    assert height > 150
    shown = [part for part in PAIR.parts if part.relation != "missing"]
    *parts, last = bars(figure)
    assert [bar.get_width() for bar in parts] == pytest.approx([part.weight for part in shown])
    assert last.get_width() == pytest.approx(PAIR.weight)
    ends = np.cumsum([part.weight for part in shown])
    assert [bar.get_x() for bar in parts] == pytest.approx([0, *ends[:-1]])
    axes = figure.axes[0]
    assert "bits" in axes.get_xlabel()
    assert "one person" in axes.get_title()
    assert [label.get_text() for label in axes.get_yticklabels()][-1] == "sum"


def test_bars_for_and_against_are_told_apart_without_red_and_green(tmp_path):
    pytest.importorskip("matplotlib")
    colors = {bar.get_facecolor() for bar in bars(PAIR.plot())}
    assert len(colors) == 3
    luminance = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b, _ in colors)
    assert luminance[-1] - luminance[0] > 0.08


def test_a_rule_stands_in_the_title_and_its_bar_is_finite(tmp_path):
    pytest.importorskip("matplotlib")
    figure = RULED.plot()
    png(figure, tmp_path)
    assert "must not meet" in figure.axes[0].get_title()
    assert bars(figure)[-1].get_width() == pytest.approx(3.5)


def test_labels_are_chinese_where_asked():
    pytest.importorskip("matplotlib")
    figure = PAIR.plot(locale="zh")
    assert "比特" in figure.axes[0].get_xlabel()
    assert any("姓" in label.get_text() for label in figure.axes[0].get_yticklabels())


def test_a_notebook_shows_the_parts_and_no_value():
    html = PAIR._repr_html_()
    for part in PAIR.parts:
        assert part.relation in html
    assert f"{PAIR.weight:+.1f}" in html
    assert "must not meet" in RULED._repr_html_()


def test_reliability_is_drawn_with_the_diagonal_and_the_numbers(tmp_path):
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(3)
    said = rng.random(2000)
    found = calibration(said, rng.random(2000) < said)
    assert found.error < 0.04
    figure = found.plot()
    png(figure, tmp_path)
    above, below = figure.axes
    diagonal, line = above.lines
    assert diagonal.get_xdata()[-1] == diagonal.get_ydata()[-1] == 1
    assert line.get_ydata() == pytest.approx(found.observed)
    assert "probability" in below.get_xlabel()
    assert f"{found.error:.3f}" in above.get_legend().get_texts()[1].get_text()
    assert "2,000 pairs" in found._repr_html_()
    assert list(found.to_dict()) == ["low", "pairs", "expected", "observed"]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60),
    st.integers(1, 12),
)
def test_the_calibration_error_is_that_of_a_plain_loop(pairs, bins):
    found = calibration([p for p, _ in pairs], [m for _, m in pairs], bins=bins)
    total = 0.0
    for b in range(bins):
        inside = [(p, m) for p, m in pairs if min(int(p * bins), bins - 1) == b]
        assert found.pairs[b] == len(inside)
        total += abs(sum(p for p, _ in inside) - sum(m for _, m in inside))
    assert found.error == pytest.approx(total / max(len(pairs), 1), abs=1e-9)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: calibration([0.5], [True, False]), "calibration.shape"),
        (lambda: calibration([[0.5]], [[True]]), "calibration.shape"),
        (lambda: calibration([1.5], [True]), "calibration.range"),
        (lambda: calibration([float("nan")], [True]), "calibration.range"),
        (lambda: calibration([0.5], [True], bins=0), "calibration.bins"),
    ],
)
def test_wrong_calibrations_name_their_code(call, code):
    with pytest.raises(InvalidFieldError) as caught:
        call()
    assert caught.value.code == code


PARTS = st.lists(st.builds(Part, st.sampled_from(["email", "phone"]), st.just("equal"), st.floats(-30, 30)), max_size=6)


@given(PARTS, st.floats(-40, 0))
def test_sentences_name_the_weight_and_its_parts_in_both_languages(parts, prior):
    parts = (Part("prior", "any two records", prior), *parts)
    told = Explanation(left=0, right=1, weight=sum(part.weight for part in parts), parts=parts)
    for locale in ("en", "zh"):
        text = told.text(locale)
        assert f"{told.weight:.1f}" in text
        assert all(f"{part.weight:+.1f}" in text for part in parts)
    assert told.evidence == parts
