"""The store contract: records, versions, units, order."""

from __future__ import annotations

from custinfo.errors import ConflictError, CustInfoError
from custinfo.store import Key, Record
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import StoreMaker, look_up, put, read, read_feed

# Each pair or triple is one text to some collation, padding or normal form; the order is that of code points.
TEXTS = [
    "%",
    "10",
    "9",
    "A",
    "B",
    "_",
    "a",
    "a ",
    "aB",
    "ab",
    "b",
    "e\u0301",
    "ss",
    "\u00df",
    "\u00e9",
    "\u0130",
    "\u5f20\u4f1f",
    "\ue000",
    "\U0001f600",
]


class RecordsContract(StoreMaker):
    """Records are kept as they are, under versions, in units, in order."""

    def test_a_new_record_has_version_1_and_its_data(self) -> None:
        with self.fresh() as store:
            assert put(store, "a", b"data") == 1
            assert read(store, "a") == [("a", 1, b"data")]

    def test_the_version_inside_the_record_is_ignored(self) -> None:
        with self.fresh() as store, store.unit() as unit:
            assert unit.put(Record("thing", "a", 77, b""), (), 0) == 1
            assert unit.get("thing", ["a"]) == [Record("thing", "a", 1, b"")]

    def test_each_put_adds_one_to_the_version(self) -> None:
        with self.fresh() as store:
            for version in range(3):
                assert put(store, "a", b"%d" % version, version=version) == version + 1
            assert read(store, "a") == [("a", 3, b"2")]

    @pytest.mark.parametrize("version", [0, 1, 3])
    def test_another_expected_version_is_a_conflict_and_changes_nothing(self, version: int) -> None:
        with self.fresh() as store:
            put(store, "a", b"1", keys=[Key("tag", "old")])
            put(store, "a", b"2", keys=[Key("tag", "old")], version=1)
            with pytest.raises(ConflictError):
                put(store, "a", b"bad", keys=[Key("tag", "new")], version=version)
            assert read(store, "a") == [("a", 2, b"2")]
            assert look_up(store, "tag", "old") == ["a"]
            assert look_up(store, "tag", "new") == []

    def test_to_expect_a_version_of_an_absent_record_is_a_conflict(self) -> None:
        with self.fresh() as store:
            with pytest.raises(ConflictError):
                put(store, "a", version=1)
            assert read(store, "a") == []

    def test_a_conflict_undoes_the_rest_of_its_unit(self) -> None:
        with self.fresh() as store:
            put(store, "a", b"1")
            with pytest.raises(ConflictError), store.unit() as unit:
                unit.put(Record("thing", "b", 0, b"2"), [Key("tag", "t")], 0)
                unit.emit("thing.changed", "b", b"")
                unit.put(Record("thing", "a", 0, b"2"), (), 0)
            assert read(store, "a", "b") == [("a", 1, b"1")]
            assert look_up(store, "tag", "t") == []
            assert read_feed(store) == []

    def test_a_deleted_record_is_gone_and_may_come_back_as_new(self) -> None:
        with self.fresh() as store:
            put(store, "a", b"1")
            with store.unit() as unit:
                unit.delete("thing", "a", 1)
            assert read(store, "a") == []
            with pytest.raises(ConflictError):
                put(store, "a", version=1)
            assert put(store, "a", b"2") == 1

    @pytest.mark.parametrize(("id", "version"), [("a", 2), ("a", 7), ("absent", 1)])
    def test_to_delete_another_version_or_nothing_is_a_conflict(self, id: str, version: int) -> None:
        with self.fresh() as store:
            put(store, "a", b"1")
            with pytest.raises(ConflictError), store.unit() as unit:
                unit.delete("thing", id, version)
            assert read(store, "a") == [("a", 1, b"1")]

    def test_get_gives_what_exists_in_the_order_asked(self) -> None:
        with self.fresh() as store:
            for id in "abc":
                put(store, id)
            assert [row[0] for row in read(store, "c", "absent", "a", "b")] == ["c", "a", "b"]
            assert read(store) == []

    def test_get_takes_thousands_of_ids(self) -> None:
        with self.fresh() as store:
            ids = [f"{number:04}" for number in range(1200)]
            with store.unit() as unit:
                for id in ids:
                    unit.put(Record("thing", id, 0, id.encode()), (), 0)
            asked = [*reversed(ids), *(f"absent-{id}" for id in ids)]
            assert [row[0] for row in read(store, *asked)] == ids[::-1]

    def test_kinds_are_apart(self) -> None:
        with self.fresh() as store:
            put(store, "a", b"1", keys=[Key("tag", "t", unique=True)])
            assert put(store, "a", b"2", keys=[Key("tag", "t", unique=True)], kind="other") == 1
            assert read(store, "a") == [("a", 1, b"1")]
            assert read(store, "a", kind="other") == [("a", 1, b"2")]
            with store.unit() as unit:
                unit.delete("other", "a", 1)
                assert unit.page("other", "", 10) == []
            assert read(store, "a") == [("a", 1, b"1")]
            assert look_up(store, "tag", "t") == ["a"]

    @pytest.mark.parametrize(
        "data",
        [b"", b"\0", b"a\0b", bytes(range(256)), "\u5f20".encode(), b"\xff\xfe", b"text ", bytes(range(256)) * 4700],
        ids=["empty", "nul", "nul inside", "all bytes", "utf-8", "not utf-8", "blank at the end", "1.2 MB"],
    )
    def test_data_come_back_unchanged(self, data: bytes) -> None:
        with self.fresh() as store:
            put(store, "a", data)
            [(_, _, found)] = read(store, "a")
            with store.unit(write=False) as unit:
                [paged] = unit.page("thing", "", 10)
            assert type(found) is bytes
            # Not the data themselves: pytest would take minutes over the difference of two megabytes.
            intact = found == data == paged.data
            assert intact, f"{len(data)} bytes were stored, {len(found)} and {len(paged.data)} came back, or altered"

    def test_ids_are_exact_and_pages_follow_their_code_points(self) -> None:
        with self.fresh() as store:
            for id in reversed(TEXTS):
                put(store, id, id.encode())
            for id in TEXTS:
                assert read(store, id) == [(id, 1, id.encode())]
            with store.unit(write=False) as unit:
                assert [record.id for record in unit.page("thing", "", 100)] == TEXTS
                for number, id in enumerate(TEXTS):
                    assert [record.id for record in unit.page("thing", id, 3)] == TEXTS[number + 1 : number + 4]

    def test_pages_begin_behind_an_id_that_need_not_exist(self) -> None:
        with self.fresh() as store:
            for id in ("b", "d", "f"):
                put(store, id)
            put(store, "e", kind="other")
            with store.unit(write=False) as unit:
                assert [record.id for record in unit.page("thing", "c", 10)] == ["d", "f"]
                assert unit.page("thing", "f", 10) == []

    def test_a_unit_reads_its_own_writes(self) -> None:
        with self.fresh() as store, store.unit() as unit:
            unit.put(Record("thing", "a", 0, b"1"), [Key("tag", "t")], 0)
            assert unit.put(Record("thing", "a", 1, b"2"), [Key("tag", "t")], 1) == 2
            assert unit.get("thing", ["a"]) == [Record("thing", "a", 2, b"2")]
            assert unit.lookup("thing", "tag", "t") == ["a"]
            assert unit.page("thing", "", 10) == [Record("thing", "a", 2, b"2")]
            unit.delete("thing", "a", 2)
            assert unit.get("thing", ["a"]) == []

    @pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
    def test_an_exception_undoes_all_of_its_unit_and_passes_on_unchanged(self, error: BaseException) -> None:
        with self.fresh() as store:
            put(store, "changed", b"1", keys=[Key("tag", "old"), Key("ext", "x", unique=True)])
            put(store, "deleted", b"1", keys=[Key("tag", "old")])
            with pytest.raises(type(error)) as caught, store.unit() as unit:
                unit.put(Record("thing", "new", 0, b"2"), [Key("tag", "new")], 0)
                unit.put(Record("thing", "changed", 1, b"2"), [Key("tag", "new")], 1)
                unit.delete("thing", "deleted", 1)
                unit.emit("thing.changed", "new", b"")
                raise error
            assert caught.value is error
            assert read(store, "new", "changed", "deleted") == [("changed", 1, b"1"), ("deleted", 1, b"1")]
            assert look_up(store, "tag", "old") == ["changed", "deleted"]
            assert look_up(store, "tag", "new") == []
            assert look_up(store, "ext", "x") == ["changed"]
            assert read_feed(store) == []

    def test_a_closed_store_opens_no_unit_and_may_be_closed_again(self) -> None:
        for write in (True, False):
            store = self.make_store()
            put(store, "a")
            store.close()
            with pytest.raises(CustInfoError), store.unit(write=write) as unit:
                unit.get("thing", ["a"])
            store.close()

    def test_what_was_committed_is_there_when_the_store_is_opened_again(self) -> None:
        store = self.make_store()
        put(store, "a", b"1", keys=[Key("tag", "t"), Key("ext", "x", unique=True)])
        with store.unit() as unit:
            unit.emit("thing.changed", "a", b"\0")
        before = read_feed(store)
        store.close()
        again = self.reopen(store)
        if again is None:
            pytest.skip("the store cannot be opened again: reopen() gives None")
        try:
            assert read(again, "a") == [("a", 1, b"1")]
            assert look_up(again, "tag", "t") == look_up(again, "ext", "x") == ["a"]
            assert read_feed(again) == before
            with again.unit() as unit:
                unit.emit("thing.changed", "b", b"")
            assert [event.subject for event in read_feed(again, before[-1].cursor)] == ["b"]
        finally:
            again.close()
