"""The store contract: look-up keys."""

from __future__ import annotations

from custinfo.errors import DuplicateKeyError
from custinfo.store import Key, Record
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import StoreMaker, look_up, put, read
from custinfo.testing._store_records import TEXTS


class KeysContract(StoreMaker):
    """Look-ups find exactly the records that hold a key now; unique keys have one holder."""

    def test_a_lookup_gives_all_holders_in_code_point_order(self) -> None:
        with self.fresh() as store:
            with store.unit() as unit:
                for id in reversed(TEXTS):
                    unit.put(Record("thing", id, 0, b""), [Key("tag", "t"), Key("tag", f"of {id}")], 0)
            assert look_up(store, "tag", "t") == TEXTS
            assert look_up(store, "tag", "of a") == ["a"]

    def test_a_lookup_compares_the_value_exactly(self) -> None:
        with self.fresh() as store:
            with store.unit() as unit:
                for number, value in enumerate(TEXTS):
                    unit.put(Record("thing", f"{number:02}", 0, b""), [Key("name", value)], 0)
            with store.unit(write=False) as unit:
                for number, value in enumerate(TEXTS):
                    assert unit.lookup("thing", "name", value) == [f"{number:02}"]

    def test_a_lookup_is_within_its_kind_and_key_name(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("email", "x")])
            put(store, "b", keys=[Key("phone", "x")])
            put(store, "c", keys=[Key("email", "x")], kind="other")
            put(store, "d", keys=[Key("Email", "x"), Key("email ", "x"), Key("emai", "lx")])
            assert look_up(store, "email", "x") == ["a"]
            assert look_up(store, "Email", "x") == look_up(store, "email ", "x") == ["d"]

    @pytest.mark.parametrize("size", [255, 1023])
    def test_a_long_value_counts_to_its_last_character(self, size: int) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("ext", "x" * size + "1", unique=True)])
            put(store, "b", keys=[Key("ext", "x" * size + "2", unique=True)])
            assert look_up(store, "ext", "x" * size + "2") == ["b"]
            assert look_up(store, "ext", "x" * size) == []

    def test_a_record_holds_hundreds_of_keys(self) -> None:
        with self.fresh() as store:
            values = [f"{number:03}" for number in range(300)]
            put(store, "a", keys=[Key("tag", value) for value in values])
            with store.unit(write=False) as unit:
                assert [value for value in values if unit.lookup("thing", "tag", value) != ["a"]] == []

    def test_the_keys_of_an_update_replace_all_former_ones(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("tag", "kept"), Key("tag", "dropped"), Key("name", "n")])
            put(store, "a", keys=[Key("tag", "kept"), Key("tag", "added")], version=1)
            assert look_up(store, "tag", "kept") == look_up(store, "tag", "added") == ["a"]
            assert look_up(store, "tag", "dropped") == look_up(store, "name", "n") == []

    def test_the_keys_of_a_deleted_record_are_gone(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("tag", "t"), Key("ext", "x", unique=True)])
            put(store, "b", keys=[Key("tag", "t")])
            with store.unit() as unit:
                unit.delete("thing", "a", 1)
            assert look_up(store, "tag", "t") == ["b"]
            assert put(store, "c", keys=[Key("ext", "x", unique=True)]) == 1
            assert put(store, "a") == 1
            assert look_up(store, "tag", "t") == ["b"]

    def test_a_key_given_twice_is_held_once(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("tag", "t"), Key("tag", "t")])
            assert look_up(store, "tag", "t") == ["a"]

    def test_a_unique_key_of_another_record_is_refused_and_nothing_changes(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("ext", "x", unique=True)])
            put(store, "b", b"1", keys=[Key("ext", "y", unique=True)])
            with pytest.raises(DuplicateKeyError):
                put(store, "b", b"2", keys=[Key("ext", "x", unique=True)], version=1)
            with pytest.raises(DuplicateKeyError):
                put(store, "c", keys=[Key("ext", "x", unique=True)])
            assert read(store, "b", "c") == [("b", 1, b"1")]
            assert look_up(store, "ext", "x") == ["a"]
            assert look_up(store, "ext", "y") == ["b"]

    def test_a_unique_key_is_refused_within_the_unit_that_first_used_it(self) -> None:
        with self.fresh() as store:
            with pytest.raises(DuplicateKeyError), store.unit() as unit:
                unit.put(Record("thing", "a", 0, b""), [Key("ext", "x", unique=True)], 0)
                unit.put(Record("thing", "b", 0, b""), [Key("ext", "x", unique=True)], 0)
            assert read(store, "a", "b") == []

    def test_a_record_keeps_its_unique_key_through_updates(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("ext", "x", unique=True)])
            assert put(store, "a", keys=[Key("ext", "x", unique=True)], version=1) == 2
            with pytest.raises(DuplicateKeyError):
                put(store, "b", keys=[Key("ext", "x", unique=True)])

    def test_a_unique_key_that_was_given_up_is_free(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("ext", "x", unique=True)])
            with store.unit() as unit:
                unit.put(Record("thing", "a", 1, b""), [Key("ext", "z", unique=True)], 1)
                unit.put(Record("thing", "b", 0, b""), [Key("ext", "x", unique=True)], 0)
            assert look_up(store, "ext", "x") == ["b"]

    def test_a_unit_that_is_undone_gives_unique_keys_back_and_takes_none(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("ext", "x", unique=True)])
            put(store, "b", keys=[Key("ext", "y", unique=True)])
            with pytest.raises(ZeroDivisionError), store.unit() as unit:
                unit.put(Record("thing", "a", 0, b""), [Key("ext", "z", unique=True)], 1)
                unit.delete("thing", "b", 1)
                raise ZeroDivisionError
            for value in "xy":
                with pytest.raises(DuplicateKeyError):
                    put(store, "c", keys=[Key("ext", value, unique=True)])
            assert put(store, "c", keys=[Key("ext", "z", unique=True)]) == 1

    def test_unique_keys_of_other_names_or_cases_do_not_meet(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("ext", "x", unique=True)])
            put(store, "b", keys=[Key("tax", "x", unique=True)])
            put(store, "c", keys=[Key("ext", "X", unique=True)])
            assert look_up(store, "ext", "X") == ["c"]
