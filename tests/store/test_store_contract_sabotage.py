"""The contract is red on stores that are wrong, each in one way, and green on small ones that are right."""

from __future__ import annotations

import inspect
import itertools
from contextlib import contextmanager

import pytest
from plain_stores import OptimisticStore, PlainStore, PlainUnit

from custinfo.store import Event
from custinfo.testing import RecordStoreContract


class TestPlainStore(RecordStoreContract):
    def make_store(self):
        return PlainStore()


class TestOptimisticStore(RecordStoreContract):
    def make_store(self):
        return OptimisticStore()


class IgnoresExpectedVersion(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801 - overrides an attribute
        def expect(self, kind, id, version):
            self.base.setdefault((kind, id), version)


class InsertsOverWhatIsThere(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def expect(self, kind, id, version):
            if version:
                super().expect(kind, id, version)


class LosesRaces(OptimisticStore):
    def merge(self, unit):
        unit.base = {place: self.state.rows.get(place, (0,))[0] for place in unit.base}
        super().merge(unit)


class ChecksUniqueKeysBeforeTheEndOnly(OptimisticStore):
    def check_again(self, unit, record, keys):
        pass


class KeepsHalfUnits(PlainStore):
    @contextmanager
    def unit(self, *, write=True):
        self.check_open()
        with self.lock:
            unit = self.unit_class(self, self.state.copy())
            try:
                yield unit
            finally:
                self.commit(unit)


class KeepsEventsOfUndoneUnits(PlainStore):
    @contextmanager
    def unit(self, *, write=True):
        self.check_open()
        with self.lock:
            unit = self.unit_class(self, self.state.copy())
            try:
                yield unit
            except BaseException:
                unit.state.rows = self.state.rows
                self.commit(unit)
                raise
            self.commit(unit)


class SwallowsErrors(PlainStore):
    @contextmanager
    def unit(self, *, write=True):
        self.check_open()
        with self.lock:
            unit = self.unit_class(self, self.state.copy())
            try:
                yield unit
            except ZeroDivisionError:
                raise
            except Exception:  # noqa: BLE001 - the fault under test
                return
            self.commit(unit)


class CommitsOnCtrlC(PlainStore):
    @contextmanager
    def unit(self, *, write=True):
        self.check_open()
        with self.lock:
            unit = self.unit_class(self, self.state.copy())
            try:
                yield unit
            except Exception:
                raise
            except BaseException:
                self.commit(unit)
                raise
            self.commit(unit)


class SkipsLateCommits(OptimisticStore):
    """Numbers events when they are emitted, as a database sequence does."""

    def __init__(self):
        super().__init__()
        self.sequence = itertools.count(1)

    class unit_class(PlainUnit):  # noqa: N801
        def emit(self, type, subject, data):
            self.emitted.append((next(self.store.sequence), type, subject, data))

    def commit(self, unit):
        unit.state.events = sorted(unit.state.events + unit.emitted)
        self.state = unit.state


class RepeatsTheLastEvent(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def feed(self, after, limit):
            name, _, seq = after.rpartition(".") if after else (self.store.name, ".", "1")
            return super().feed(f"{name}.{int(seq) - 1}", limit)


class MixesUpEvents(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def emit(self, type, subject, data):
            self.emitted.insert(0, (type, subject, data))


class TakesForeignCursors(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def feed(self, after, limit):
            return super().feed(f"{self.store.name}.{after.rpartition('.')[2]}" if after else after, limit)


class CutsEventData(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def feed(self, after, limit):
            return [Event(*event[:3], event.data.rstrip(b"\xff")) for event in super().feed(after, limit)]


class SortsWithoutCase(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def page(self, kind, after, limit):
            ids = sorted(self.ids(kind), key=lambda id: (id.casefold(), id))
            behind = [id for id in ids if (id.casefold(), id) > (after.casefold(), after)]
            return [self.record(kind, id) for id in behind][:limit]


class SortsLikeUtf16(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def page(self, kind, after, limit):
            ids = sorted(self.ids(kind), key=lambda id: id.encode("utf-16-be"))
            behind = [id for id in ids if id.encode("utf-16-be") > after.encode("utf-16-be")]
            return [self.record(kind, id) for id in behind][:limit]


class LooksUpWithoutCase(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def lookup(self, kind, name, value):
            pair = (name, value.casefold())
            held = {id: [(key.name, key.value.casefold()) for key in self.keys_of(kind, id)] for id in self.ids(kind)}
            return sorted(id for id in held if pair in held[id])


class LooksUpWithoutBlanksAtTheEnd(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def get(self, kind, ids):
            held = {id.rstrip(): id for id in self.ids(kind)}
            return super().get(kind, [held.get(id.rstrip(), id) for id in ids])


class LooksUpUnsorted(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def lookup(self, kind, name, value):
            return super().lookup(kind, name, value)[::-1]


class LooksUpInAllKinds(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def lookup(self, kind, name, value):
            kinds = {held for held, _ in self.state.rows}
            return sorted(id for held in kinds for id in super(type(self), self).lookup(held, name, value))


class CutsKeyValues(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def put(self, record, keys, expected_version):
            return super().put(record, [key._replace(value=key.value[:255]) for key in keys], expected_version)


class DoesNotEnforceUniqueKeys(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def check_unique(self, record, keys):
            pass


class EnforcesUniqueKeysAgainstCommittedOnly(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def check_unique(self, record, keys):
            now, self.state = self.state, self.store.state
            try:
                super().check_unique(record, keys)
            finally:
                self.state = now


class KeepsKeysAfterUpdate(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def write(self, record, keys, version):
            old = self.state.rows.get((record.kind, record.id), (0, b"", ()))[2]
            super().write(record, dict.fromkeys([*old, *keys]), version)


class KeepsKeysAfterDelete(PlainStore):
    """Keys of deleted records lie in wait and come back with the id."""

    class unit_class(PlainUnit):  # noqa: N801
        def delete(self, kind, id, expected_version):
            keys = self.keys_of(kind, id)
            super().delete(kind, id, expected_version)
            self.state.rows[f"gone {kind}", id] = (0, b"", keys)

        def lookup(self, kind, name, value):
            look_up = super().lookup
            return sorted({*look_up(kind, name, value), *look_up(f"gone {kind}", name, value)})


class ReadersSeeHalfUnits(PlainStore):
    """Writes go into the live state; a copy is put back after an error."""

    @contextmanager
    def unit(self, *, write=True):
        self.check_open()
        if not write:
            yield self.unit_class(self, self.state)
            return
        with self.lock:
            before = self.state.copy()
            unit = self.unit_class(self, self.state)
            try:
                yield unit
            except BaseException:
                self.state = before
                raise
            self.commit(unit)


class ReadersSeeEachCommit(PlainStore):
    """Each call of a unit that reads sees what is committed by then."""

    class unit_class(PlainUnit):  # noqa: N801
        def get(self, kind, ids):
            if self.state is not self.store.state and not self.base:
                self.state = self.store.state
            return super().get(kind, ids)


class CutsDataAtNul(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def write(self, record, keys, version):
            super().write(record._replace(data=record.data.split(b"\0")[0]), keys, version)


class CutsLargeData(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def write(self, record, keys, version):
            super().write(record._replace(data=record.data[: 2**20]), keys, version)


class KeepsDataAsText(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def write(self, record, keys, version):
            super().write(record._replace(data=record.data.decode(errors="replace").encode()), keys, version)


class WorksAfterClose(PlainStore):
    def close(self):
        pass


class FailsToCloseTwice(PlainStore):
    def close(self):
        self.check_open()
        self.closed = True


class ThreadsShareATransaction(PlainStore):
    """One transaction for all threads, as with one connection for all: whoever ends first ends it."""

    def __init__(self):
        super().__init__()
        self.shared = None

    @contextmanager
    def unit(self, *, write=True):
        self.check_open()
        self.shared = self.shared or self.unit_class(self, self.state.copy())
        try:
            yield self.shared
        except BaseException:
            self.shared = None
            raise
        if self.shared is not None:
            self.commit(self.shared)
            self.shared = None


class GivesRecordsInItsOwnOrder(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def get(self, kind, ids):
            return sorted(super().get(kind, ids))


class HidesItsOwnWrites(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def page(self, kind, after, limit):
            return PlainUnit(self.store, self.store.state).page(kind, after, limit)


class KeepsTheVersionOfTheRecord(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def write(self, record, keys, version):
            super().write(record, keys, record.version or version)


class DeletesAnyVersion(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def delete(self, kind, id, expected_version):
            super().delete(kind, id, self.version(kind, id))


class ForgetsOnReopen(PlainStore):
    """Given by the `reopen` below."""


CAUGHT = [
    (IgnoresExpectedVersion, "test_another_expected_version_is_a_conflict_and_changes_nothing"),
    (IgnoresExpectedVersion, "test_random_units_leave_what_a_plain_model_says"),
    (InsertsOverWhatIsThere, "test_another_expected_version_is_a_conflict_and_changes_nothing"),
    (LosesRaces, "test_one_of_two_overlapping_units_changes_a_record"),
    (ChecksUniqueKeysBeforeTheEndOnly, "test_one_of_two_overlapping_units_gets_a_unique_key"),
    (KeepsHalfUnits, "test_an_exception_undoes_all_of_its_unit_and_passes_on_unchanged"),
    (KeepsHalfUnits, "test_a_conflict_undoes_the_rest_of_its_unit"),
    (KeepsHalfUnits, "test_random_units_leave_what_a_plain_model_says"),
    (KeepsEventsOfUndoneUnits, "test_undone_units_leave_no_event"),
    (SwallowsErrors, "test_an_exception_undoes_all_of_its_unit_and_passes_on_unchanged"),
    (CommitsOnCtrlC, "test_an_exception_undoes_all_of_its_unit_and_passes_on_unchanged"),
    (SkipsLateCommits, "test_an_event_that_commits_late_is_not_skipped"),
    (RepeatsTheLastEvent, "test_a_reader_goes_on_from_any_event"),
    (MixesUpEvents, "test_events_come_unchanged_and_in_the_order_of_a_unit"),
    (TakesForeignCursors, "test_the_cursor_of_another_store_is_refused"),
    (CutsEventData, "test_events_come_unchanged_and_in_the_order_of_a_unit"),
    (SortsWithoutCase, "test_ids_are_exact_and_pages_follow_their_code_points"),
    (SortsWithoutCase, "test_random_units_leave_what_a_plain_model_says"),
    (SortsLikeUtf16, "test_ids_are_exact_and_pages_follow_their_code_points"),
    (LooksUpWithoutCase, "test_a_lookup_compares_the_value_exactly"),
    (LooksUpWithoutBlanksAtTheEnd, "test_ids_are_exact_and_pages_follow_their_code_points"),
    (LooksUpUnsorted, "test_a_lookup_gives_all_holders_in_code_point_order"),
    (LooksUpInAllKinds, "test_a_lookup_is_within_its_kind_and_key_name"),
    (CutsKeyValues, "test_a_long_value_counts_to_its_last_character"),
    (DoesNotEnforceUniqueKeys, "test_a_unique_key_of_another_record_is_refused_and_nothing_changes"),
    (DoesNotEnforceUniqueKeys, "test_random_units_leave_what_a_plain_model_says"),
    (EnforcesUniqueKeysAgainstCommittedOnly, "test_a_unique_key_is_refused_within_the_unit_that_first_used_it"),
    (KeepsKeysAfterUpdate, "test_the_keys_of_an_update_replace_all_former_ones"),
    (KeepsKeysAfterUpdate, "test_random_units_leave_what_a_plain_model_says"),
    (KeepsKeysAfterDelete, "test_the_keys_of_a_deleted_record_are_gone"),
    (ReadersSeeHalfUnits, "test_a_reader_sees_nothing_of_a_unit_that_is_not_committed"),
    (ReadersSeeEachCommit, "test_a_unit_reads_one_state_while_others_commit"),
    (CutsDataAtNul, "test_data_come_back_unchanged"),
    (CutsLargeData, "test_data_come_back_unchanged"),
    (KeepsDataAsText, "test_data_come_back_unchanged"),
    (WorksAfterClose, "test_a_closed_store_opens_no_unit_and_may_be_closed_again"),
    (FailsToCloseTwice, "test_a_closed_store_opens_no_unit_and_may_be_closed_again"),
    (ThreadsShareATransaction, "test_a_second_thread_has_a_unit_of_its_own"),
    (GivesRecordsInItsOwnOrder, "test_get_gives_what_exists_in_the_order_asked"),
    (HidesItsOwnWrites, "test_a_unit_reads_its_own_writes"),
    (KeepsTheVersionOfTheRecord, "test_the_version_inside_the_record_is_ignored"),
    (DeletesAnyVersion, "test_to_delete_another_version_or_nothing_is_a_conflict"),
    (ForgetsOnReopen, "test_what_was_committed_is_there_when_the_store_is_opened_again"),
]


def runs_of(contract, name):
    """The test once for each of its parameters."""
    test = getattr(contract, name)
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        return [{}]
    [mark] = marks
    names, values = mark.args
    if isinstance(names, str):
        return [{names: value} for value in values]
    return [dict(zip(names, row, strict=True)) for row in values]


@pytest.mark.parametrize(("store", "name"), CAUGHT, ids=lambda part: part if isinstance(part, str) else part.__name__)
def test_the_contract_catches_a_store_that(store, name):
    class Contract(RecordStoreContract):
        def make_store(self):
            return store()

        def reopen(self, old):
            return store()

    contract = Contract()
    failures = []
    for parameters in runs_of(contract, name):
        try:
            getattr(contract, name)(**parameters)
        except (Exception, KeyboardInterrupt, pytest.fail.Exception) as exc:  # noqa: BLE001 - any red will do
            failures.append(exc)
    assert failures


def test_every_test_of_the_contract_is_known_by_its_sentence():
    names = {name for name, _ in inspect.getmembers(RecordStoreContract, inspect.isfunction) if name[:5] == "test_"}
    assert {name for _, name in CAUGHT} <= names
