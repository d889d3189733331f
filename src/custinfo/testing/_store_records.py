"""The store contract: records, versions, units, order."""

from __future__ import annotations

from custinfo.errors import ConflictError, CustInfoError, DuplicateKeyError
from custinfo.store import START, Key, Record
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import StoreMaker, look_up, put, read, read_feed

# Each pair or triple is one text to some collation, padding, affinity, pattern or normal form, which code points tell
# apart.
TEXTS = sorted(
    [
        *("%", "_", "'", "\\", "007", "7", "10", "9", "A", "B", " a", "a", "a ", "a\n", "a\u200b", "aB", "ab", "b"),
        *("e\u0301", "\u00e9", "ss", "\u00df", "\u0130", "i\u0307", "\uff21", "\u5f20\u4f1f", "\ue000", "\U0001f600"),
    ]
)


class RecordsContract(StoreMaker):
    """Records are kept as they are, under versions, in units, in order."""

    def test_a_new_record_has_version_1_and_its_data(self) -> None:
        with self.fresh() as store:
            assert put(store, "a", b"data") == 1
            assert read(store, "a") == [("a", 1, b"data")]

    def test_names_that_are_one_text_when_joined_stay_apart(self) -> None:
        """A backend that joins kind and id, or name and value, to one key of its own may not mix them up."""
        with self.fresh() as store:
            for number, between in enumerate("|:/.,;-_ \n\t\x1f"):
                own = chr(ord("a") + number)
                pairs = [(f"{own}{between}b", "c"), (own, f"b{between}c")]
                for kind, id in pairs:
                    assert put(store, id, kind.encode(), keys=[Key(kind, id, unique=True)], kind=kind) == 1
                    put(store, kind, keys=[Key(kind, id, unique=True)])
                for kind, id in pairs:
                    assert read(store, id, kind=kind) == [(id, 1, kind.encode())]
                    assert look_up(store, kind, id, kind=kind) == [id]
                    assert look_up(store, kind, id) == [kind]
                    with store.unit(write=False) as unit:
                        assert [record.id for record in unit.page(kind, "", 10)] == [id]

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
            assert [row[0] for row in read(store, "b", "a", "b")] == ["b", "a", "b"]
            assert read(store) == []

    def test_nothing_is_cut_off_at_a_thousand(self) -> None:
        with self.fresh() as store:
            ids = [f"{number:04}" for number in range(1200)]
            with store.unit() as unit:
                for id in ids:
                    unit.put(Record("thing", id, 0, id.encode()), [Key("tag", "t")], 0)
                    unit.emit("thing.created", id, b"")
            asked = [*reversed(ids), *(f"absent-{id}" for id in ids)]
            assert [row[0] for row in read(store, *asked)] == ids[::-1]
            assert look_up(store, "tag", "t") == ids
            with store.unit(write=False) as unit:
                assert [record.id for record in unit.page("thing", "", 5000)] == ids
                assert [event.subject for event in unit.feed(START, 5000)] == ids

    def test_kinds_are_apart(self) -> None:
        with self.fresh() as store:
            put(store, "a", b"1", keys=[Key("tag", "t", unique=True)])
            assert put(store, "a", b"2", keys=[Key("tag", "t", unique=True)], kind="other") == 1
            assert read(store, "a") == [("a", 1, b"1")]
            assert read(store, "a", kind="other") == [("a", 1, b"2")]
            assert put(store, "b", keys=[Key("tag", "t", unique=True)], kind="third") == 1
            with store.unit() as unit:
                unit.delete("other", "a", 1)
                assert unit.page("other", "", 10) == []
            assert read(store, "a") == [("a", 1, b"1")]
            assert look_up(store, "tag", "t") == ["a"]

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\0",
            b"a\0b",
            bytes(range(256)),
            "\u5f20".encode(),
            b"\xff\xfe",
            b"text ",
            b"\xffa\0",
            bytes(range(256)) * 4700,
        ],
        ids=["empty", "nul", "nul inside", "all bytes", "utf-8", "not utf-8", "blank at end", "nul at end", "1.2 MB"],
    )
    def test_data_come_back_unchanged(self, data: bytes) -> None:
        with self.fresh() as store:
            put(store, "a", b"before")
            put(store, "a", data, version=1)
            put(store, "b", data)
            [(_, _, found), (_, _, other)] = read(store, "a", "b")
            with store.unit(write=False) as unit:
                [paged, _] = unit.page("thing", "", 10)
            assert type(found) is type(other) is type(paged.data) is bytes
            # Not the data themselves: pytest would take minutes over the difference of two megabytes.
            intact = found == data == other == paged.data
            assert intact, f"{len(data)} bytes were stored, {len(found)} and {len(paged.data)} came back, or altered"

    def test_ids_are_exact_and_pages_follow_their_code_points(self) -> None:
        with self.fresh() as store:
            with store.unit() as unit:
                for id in reversed(TEXTS):
                    unit.put(Record("thing", id, 0, id.encode()), (), 0)
            with store.unit(write=False) as unit:
                for id in TEXTS:
                    assert unit.get("thing", [id]) == [Record("thing", id, 1, id.encode())]
                assert [record.id for record in unit.get("thing", TEXTS)] == TEXTS
                assert [record.id for record in unit.page("thing", "", 100)] == TEXTS
                for number, id in enumerate(TEXTS):
                    assert [record.id for record in unit.page("thing", id, 3)] == TEXTS[number + 1 : number + 4]

    @pytest.mark.parametrize("id", ["x" * 1023, "\u00e9" * 511 + "x"], ids=["ascii", "two bytes each"])
    def test_an_id_of_1024_bytes_counts_to_its_last_character(self, id: str) -> None:
        with self.fresh() as store:
            for end in "ab":
                put(store, id + end, end.encode(), keys=[Key("of", id + end)])
            assert read(store, id + "a", id, id + "b") == [(id + "a", 1, b"a"), (id + "b", 1, b"b")]
            assert look_up(store, "of", id + "b") == [id + "b"]
            with store.unit(write=False) as unit:
                assert [record.id for record in unit.page("thing", id + "a", 10)] == [id + "b"]

    @pytest.mark.parametrize("id", ["b\0b", "b" * 10_240, ""], ids=["nul", "10 kB", "empty"])
    def test_an_id_beyond_the_limits_is_refused_or_kept_never_altered(self, id: str) -> None:
        with self.fresh() as store:
            put(store, "a", b"a")
            try:
                put(store, id, b"b", keys=[Key("tag", "t")])
            except (CustInfoError, ValueError):
                kept = []
            else:
                kept = [id]
                assert read(store, id) == [(id, 1, b"b")]
            assert read(store, "a", "b", "bb", "b" * 1024, "b" * 255) == [("a", 1, b"a")]
            assert look_up(store, "tag", "t") == kept

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
            assert unit.get("thing", ["a"]) == unit.page("thing", "", 10) == []
            assert unit.lookup("thing", "tag", "t") == []
            assert unit.put(Record("thing", "a", 0, b"3"), (), 0) == 1
            assert unit.get("thing", ["a"]) == [Record("thing", "a", 1, b"3")]
            assert unit.lookup("thing", "tag", "t") == []

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
        put(store, "gone", b"1", keys=[Key("tag", "t"), Key("ext", "y", unique=True)])
        with store.unit() as unit:
            unit.emit("thing.changed", "a", b"\0")
            unit.delete("thing", "gone", 1)
        with pytest.raises(ZeroDivisionError), store.unit() as unit:
            unit.put(Record("thing", "undone", 0, b""), [Key("tag", "t")], 0)
            unit.emit("thing.changed", "undone", b"")
            raise ZeroDivisionError
        before = read_feed(store)
        with self.reopened(store) as again:
            assert read(again, "a", "gone", "undone") == [("a", 1, b"1")]
            assert look_up(again, "tag", "t") == look_up(again, "ext", "x") == ["a"]
            assert read_feed(again) == before
            with again.unit() as unit:
                unit.emit("thing.changed", "b", b"")
            assert [event.subject for event in read_feed(again, before[-1].cursor)] == ["b"]

    def test_versions_and_unique_keys_hold_when_the_store_is_opened_again(self) -> None:
        store = self.make_store()
        put(store, "a", b"1", keys=[Key("ext", "x", unique=True)])
        put(store, "a", b"2", keys=[Key("ext", "x", unique=True)], version=1)
        with self.reopened(store) as again:
            for version in (0, 1):
                with pytest.raises(ConflictError):
                    put(again, "a", b"bad", version=version)
            with pytest.raises(DuplicateKeyError):
                put(again, "b", keys=[Key("ext", "x", unique=True)])
            assert put(again, "a", b"3", version=2) == 3
            assert put(again, "b", keys=[Key("ext", "x", unique=True)]) == 1
