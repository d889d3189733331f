"""RFM cut into pieces and given to threads, and the hash table of customers: always the same as the plain way."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.segment import _grouping, _state, rfm
from custinfo.segment._grouping import CodedGrouping, DenseGrouping, HashGrouping, grouping_of
from custinfo.segment._hash import KeyTable, TableFullError, estimated_distinct
from custinfo.segment._kernel import exact_sums, group, in_time_order, raise_to
from custinfo.segment._threads import in_order, worker_count

ROWS = 30_000
IDS = {
    "dense": lambda code: code + 5,
    "sparse": lambda code: code * 2_654_435_761 - 2**40,
    "extreme": lambda code: np.where(code == 0, -(2**63), np.where(code == 1, 2**63 - 1, code * 7_777_777_777)),
    "text": lambda code: code.astype("U").astype(object),
}


def payments(ids: str, *, order: str = "time", largest: int = 10_000) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    code = (3000 * rng.random(ROWS) ** 2).astype(np.int64)
    when = rng.integers(0, 10**14, ROWS)
    minor = rng.integers(-largest // 20, largest, ROWS)
    return {
        "customer_id": IDS[ids](code),
        "occurred_at": (np.sort(when) if order == "time" else when).view("M8[us]"),
        "cents": minor,
    }


@pytest.mark.parametrize("refunds", ["net", "gross", "exclude"])
@pytest.mark.parametrize("order", ["time", "random"])
@pytest.mark.parametrize("ids", IDS)
def test_pieces_and_threads_give_the_table_of_one_piece(
    monkeypatch: pytest.MonkeyPatch, ids: str, order: str, refunds: Any
) -> None:
    data = payments(ids, order=order)
    whole = rfm(data, amount_minor="cents", refunds=refunds, as_of="1970-03-31")
    monkeypatch.setattr(_state, "_PIECE_ROWS", 700)
    for threads in ("1", "3"):
        monkeypatch.setenv("CUSTINFO_THREADS", threads)
        assert rfm(data, amount_minor="cents", refunds=refunds, as_of="1970-03-31") == whole
    money = {}
    late = data["occurred_at"] > np.datetime64("1970-04-01")
    for customer, minor, skip in zip(data["customer_id"].tolist(), data["cents"].tolist(), late.tolist(), strict=True):
        if not skip and (refunds == "net" or minor >= 0):
            money[customer] = money.get(customer, 0) + minor
        elif not skip and refunds == "gross":
            money.setdefault(customer, 0)
    assert whole.customer_ids.tolist() == sorted(money)
    assert whole.monetary_minor.tolist() == [money[customer] for customer in sorted(money)]


@pytest.mark.parametrize("threads", ["1", "3"])
def test_sums_that_pass_64_bits_on_the_way_are_exact(monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    monkeypatch.setattr(_state, "_PIECE_ROWS", 3000)
    monkeypatch.setenv("CUSTINFO_THREADS", threads)
    data = payments("dense", largest=2**59)
    money: dict[int, int] = {}
    for customer, minor in zip(data["customer_id"].tolist(), data["cents"].tolist(), strict=True):
        money[customer] = money.get(customer, 0) + minor
    fits = {customer for customer, total in money.items() if abs(total) < 2**63}
    keep = np.isin(data["customer_id"], list(fits))
    table = rfm({name: column[keep] for name, column in data.items()}, amount_minor="cents")
    assert table.monetary_minor.tolist() == [money[customer] for customer in sorted(fits)]
    assert len(fits) < len(money)
    with pytest.raises(OverflowError):
        rfm(data, amount_minor="cents")


def test_packed_counters_are_emptied_before_money_reaches_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_state, "_PIECE_ROWS", 1)
    cents = np.array([2**53 - i for i in range(40)])  # with 56 bits for money, eight of them fill a counter
    data = {"customer_id": np.zeros(40, np.int64), "occurred_at": np.arange(40).astype("M8[s]"), "cents": cents}
    table = rfm(data, amount_minor="cents")
    assert (table.frequency.tolist(), table.monetary_minor.tolist()) == ([40], [sum(cents.tolist())])
    with pytest.raises(OverflowError):
        rfm({name: np.tile(column, 40) for name, column in data.items()}, amount_minor="cents")


def test_currencies_of_all_pieces_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_state, "_PIECE_ROWS", 3000)
    data = payments("dense")
    data["currency"] = np.array(["CNY"] * (ROWS - 1) + ["JPY"], dtype=object)
    with pytest.raises(InvalidFieldError, match=r"2 currencies \(CNY, JPY\)"):
        rfm(data, amount_minor="cents", currency="currency")


def test_the_error_of_the_first_piece_is_raised_whichever_thread_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_state, "_PIECE_ROWS", 3000)
    monkeypatch.setenv("CUSTINFO_THREADS", "4")
    data = payments("dense")
    data["occurred_at"] = data["occurred_at"].copy()
    data["occurred_at"][[5, 29_000]] = np.datetime64("NaT")
    for _ in range(5):
        with pytest.raises(InvalidFieldError, match="2 missing values, the first in row 5"):
            rfm(data, amount_minor="cents")


def test_a_table_that_proves_too_small_is_made_again_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    data = payments("sparse")
    whole = rfm(data, amount_minor="cents")
    monkeypatch.setattr(_grouping, "estimated_distinct", lambda ids, rows=None: 10)
    assert rfm(data, amount_minor="cents") == whole


# ---- the parts ----


def test_ids_choose_their_grouping() -> None:
    many = np.arange(10_000)
    assert isinstance(grouping_of(many), DenseGrouping)
    assert isinstance(grouping_of(many * 2**40), HashGrouping)
    assert isinstance(grouping_of(np.array([-(2**63), 2**63 - 1])), CodedGrouping)
    assert isinstance(grouping_of(np.array(["a"], dtype=object)), CodedGrouping)
    assert grouping_of(np.array([2**63 - 1, 5])).size >= 1024


@given(st.lists(st.integers(-(2**62), 2**62), max_size=300), st.integers(1, 60))
def test_equal_keys_share_a_slot_and_others_do_not(keys: list[int], cut: int) -> None:
    table = KeyTable(300, empty=2**63 - 1)
    array = np.array(keys, np.int64)
    slots = np.concatenate([table.slots(array[:cut]), table.slots(array[cut:])])
    assert table.keys[slots].tolist() == keys
    assert len(set(slots.tolist())) == len(set(keys))


def test_keys_that_collide_all_find_a_slot_also_from_many_threads() -> None:
    table = KeyTable(700, empty=-1)
    keys = np.random.default_rng(1).integers(0, 1000, 60_000) * 2**44  # 1,000 keys in 2,048 slots, many of them shared
    found: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.__setitem__(i, table.slots(keys[i * 6000 : (i + 1) * 6000])))
        for i in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    slots = np.concatenate([found[i] for i in range(10)])
    assert (table.keys[slots] == keys).all()
    assert len(np.unique(slots)) == len(np.unique(keys))


def test_ids_made_to_share_one_slot_cost_time_but_not_the_table() -> None:
    # the hash can be undone: these ids differ in bits that choose no slot of the first part, and of the second one slot
    wanted = (np.uint64(7) << np.uint64(32)) + np.arange(3000, dtype=np.uint64)
    folded = wanted * np.uint64(pow(0xC2B2AE3D27D4EB4F, -1, 2**64))
    ids = ((folded ^ (folded >> np.uint64(32))) * np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))).view(np.int64)
    with pytest.raises(TableFullError):
        KeyTable(3000, empty=0).slots(ids)
    data = {"customer_id": ids, "occurred_at": np.arange(3000).astype("M8[s]"), "cents": np.ones(3000, np.int64)}
    assert rfm(data, amount_minor="cents").customer_ids.tolist() == sorted(ids.tolist())


def test_a_full_table_says_so() -> None:
    with pytest.raises(TableFullError):
        KeyTable(10, empty=-1).slots(np.arange(2000))


def test_the_number_of_distinct_keys_is_guessed_within_a_third() -> None:
    rng = np.random.default_rng(2)
    for distinct in (100, 50_000, 1_000_000):
        keys = rng.integers(0, distinct, 1_500_000)
        true = len(np.unique(keys))
        assert 0.66 * true < estimated_distinct(keys) < 1.5 * true


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-(2**60), 2**60)), max_size=30))
def test_sums_are_those_of_python(rows: list[tuple[int, int]]) -> None:
    codes = np.array([code for code, _ in rows], np.int64)
    values = np.array([value for _, value in rows], np.int64)
    want = [sum(value for code, value in rows if code == wanted) for wanted in range(4)]
    if all(-(2**63) <= total < 2**63 for total in want):
        assert exact_sums(codes, values, 4).tolist() == want


@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50)), max_size=8), max_size=5))
def test_the_latest_moment_is_kept_in_any_order(pieces: list[list[tuple[int, int]]]) -> None:
    result, latest = np.full(4, -100), -100
    for piece in pieces:
        codes = np.array([code for code, _ in piece], np.int64)
        moments = np.array([moment for _, moment in piece], np.int64)
        ascending = in_time_order(moments) and bool((moments >= latest).all())
        raise_to(result, codes, moments, ascending=ascending)
        latest = max(latest, int(moments.max(initial=-100)))
    flat = [row for piece in pieces for row in piece]
    assert result.tolist() == [max((m for c, m in flat if c == code), default=-100) for code in range(4)]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-(2**40), 2**55), st.integers(0, 99)), min_size=1, max_size=30),
    st.sampled_from(["net", "gross", "exclude"]),
    st.integers(1, 9),
)
def test_small_and_large_amounts_add_up_in_one_table(rows: list[tuple[int, int, int]], refunds: Any, cut: int) -> None:
    data = {"customer_id": [c for c, _, _ in rows], "occurred_at": np.array([t for _, _, t in rows], "M8[s]"),
            "cents": np.array([minor for _, minor, _ in rows])}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_state, "_PIECE_ROWS", cut)
        table = rfm(data, amount_minor="cents", refunds=refunds)
    kept = [row for row in rows if refunds != "exclude" or row[1] >= 0]
    assert table.customer_ids.tolist() == sorted({c for c, _, _ in kept})
    for i, customer in enumerate(table.customer_ids.tolist()):
        bought = [minor for c, minor, _ in kept if c == customer and minor >= 0]
        every = [minor for c, minor, _ in kept if c == customer]
        assert table.frequency[i] == len(bought)
        assert table.monetary_minor[i] == sum(every if refunds == "net" else bought)


def test_text_is_grouped_by_code_points() -> None:
    codes, unique = group(np.array(["b", "é", "B", "b"], dtype=object))
    assert (codes.tolist(), unique.tolist()) == ([1, 2, 0, 1], ["B", "b", "é"])


def test_the_number_of_threads_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTINFO_THREADS", "7")
    assert worker_count() == 7
    for ignored in ("", "0", "x"):
        monkeypatch.setenv("CUSTINFO_THREADS", ignored)
        assert worker_count() >= 1


def test_the_lowest_failing_task_is_the_one_that_is_raised() -> None:
    waiting = threading.Barrier(2, timeout=10)

    def work(worker: int, task: int) -> None:
        waiting.wait()
        raise ValueError(task)

    with pytest.raises(ValueError, match="0"):
        in_order(work, tasks=2, workers=2)
