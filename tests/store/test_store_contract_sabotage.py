"""The contract is red on stores that are wrong, each in one way, and green on small ones that are right."""

from __future__ import annotations

import inspect
import itertools
import unicodedata
from contextlib import contextmanager, suppress
from functools import partial
from threading import local

import pytest
from plain_stores import FullStore, FullUnit, OptimisticStore, PlainStore, PlainUnit, State

from custinfo.errors import ConflictError, DuplicateKeyError, StoreError
from custinfo.store import Event, Record
from custinfo.store._typed_columns import typed_columns, typed_row
from custinfo.testing import RecordStoreContract


class TestPlainStore(RecordStoreContract):
    def make_store(self):
        return PlainStore()


class TestOptimisticStore(RecordStoreContract):
    def make_store(self):
        return OptimisticStore()


class TestFullStore(RecordStoreContract):
    def make_store(self):
        return FullStore()

    def reopen(self, store):
        store.closed = False
        return store


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


class JoinsKindAndId(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def expect(self, kind, id, version):
            if version == 0 and any(f"{held}|{other}" == f"{kind}|{id}" for held, other in self.state.rows):
                raise ConflictError("it is there")
            super().expect(kind, id, version)


class JoinsNameAndValue(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def lookup(self, kind, name, value):
            joined = f"{name}:{value}"
            return sorted(
                id for id in self.ids(kind) if joined in {":".join(key[:2]) for key in self.keys_of(kind, id)}
            )


class PagesByTheBeginningOfTheKind(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def page(self, kind, after, limit):
            behind = {f"{held}/{id}".removeprefix(f"{kind}/"): (held, id) for held, id in self.state.rows}
            return [self.record(*behind[id]) for id in sorted(behind) if id > after and self.is_of(behind[id], kind)]

        def is_of(self, place, kind):
            return "/".join(place).startswith(f"{kind}/")


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


class LosesEventsOfOverlappingUnits(OptimisticStore):
    """Keeps the events that the unit knew when it began, and its own."""

    def commit(self, unit):
        self.state.rows = unit.state.rows
        for row in unit.emitted:
            unit.state.last += 1
            unit.state.events.append((unit.state.last, *row))
        self.state = unit.state

    def merge(self, unit):
        emitted, unit.emitted = unit.emitted, []
        events, last = unit.state.events, unit.state.last
        super().merge(unit)
        self.state.events, self.state.last = events, last
        unit.state.rows, unit.emitted = self.state.rows, emitted
        self.commit(unit)


class GivesEventsTwiceAtPageEnds(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def feed(self, after, limit):
            page = super().feed(after, limit)
            return page + page[-1:] if len(page) > 1 else page


class StopsTheFeedAtAGap(PlainStore):
    """Counts undone units too and waits for what never comes."""

    @contextmanager
    def unit(self, *, write=True):
        try:
            with super().unit(write=write) as unit:
                yield unit
        except BaseException:
            self.state.last += 1
            raise

    class unit_class(PlainUnit):  # noqa: N801
        def feed(self, after, limit):
            page = super().feed(after, limit)
            numbers = [int(event.cursor.rpartition(".")[2]) for event in page]
            first = int(after.rpartition(".")[2]) + 1 if after else 1
            return [
                event
                for place, (number, event) in enumerate(zip(numbers, page, strict=True))
                if number == first + place
            ]


class IgnoresTheLimitOfTheFeed(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def feed(self, after, limit):
            return super().feed(after, 10**9)


class CapsPagesAtAThousand(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def page(self, kind, after, limit):
            return super().page(kind, after, min(limit, 1000))


class CapsTheFeedAtAThousand(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def feed(self, after, limit):
            return super().feed(after, min(limit, 1000))


class CapsLookupsAtAThousand(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def lookup(self, kind, name, value):
            return super().lookup(kind, name, value)[:1000]


class ChangesTexts(PlainStore):
    """Ids and key values are changed on the way in, and the same way when they are asked for."""

    change = str

    class unit_class(PlainUnit):  # noqa: N801
        def get(self, kind, ids):
            return super().get(kind, [self.store.change(id) for id in ids])

        def put(self, record, keys, expected_version):
            keys = [key._replace(value=self.store.change(key.value)) for key in keys]
            return super().put(record._replace(id=self.store.change(record.id)), keys, expected_version)

        def delete(self, kind, id, expected_version):
            super().delete(kind, self.store.change(id), expected_version)

        def lookup(self, kind, name, value):
            return super().lookup(kind, name, self.store.change(value))


class StripsBlanks(ChangesTexts):
    change = staticmethod(str.rstrip)


class NormalisesUnicode(ChangesTexts):
    change = staticmethod(partial(unicodedata.normalize, "NFC"))


class FoldsWidth(ChangesTexts):
    change = staticmethod(partial(unicodedata.normalize, "NFKC"))


class CutsAt255(ChangesTexts):
    change = staticmethod(lambda text: text[:255])


class CutsAt1000(ChangesTexts):
    change = staticmethod(lambda text: text[:1000])


class CutsIdsAtNul(ChangesTexts):
    change = staticmethod(lambda text: text.partition("\0")[0])


class KeepsNumbersAsNumbers(ChangesTexts):
    change = staticmethod(lambda text: f"{int(text)}" if text.isdecimal() else text)


class DropsInvisibleCharacters(ChangesTexts):
    change = staticmethod(lambda text: text.replace("\u200b", ""))


class GoesOnCountingAfterADelete(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def delete(self, kind, id, expected_version):
            super().delete(kind, id, expected_version)
            self.state.rows[f"counts {kind}", id] = (expected_version, b"", ())

        def write(self, record, keys, version):
            before = self.state.rows.get((f"counts {record.kind}", record.id), (0,))[0]
            super().write(record, keys, version + before)


class DeletesWithoutAVersion(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def delete(self, kind, id, expected_version):
            self.state.rows.pop((kind, id), None)


class HoldsUniqueKeysOfDeletedRecords(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def delete(self, kind, id, expected_version):
            keys = self.keys_of(kind, id)
            super().delete(kind, id, expected_version)
            self.state.rows[f"held {kind}", id] = (0, b"", keys)

        def check_unique(self, record, keys):
            super().check_unique(record, keys)
            super().check_unique(record._replace(kind=f"held {record.kind}"), keys)


class HoldsUniqueKeysOfUndoneUnits(PlainStore):
    """An index in memory beside the rows, which no roll-back reaches."""

    def __init__(self):
        super().__init__()
        self.holders = {}

    class unit_class(PlainUnit):  # noqa: N801
        def check_unique(self, record, keys):
            holders = self.store.holders
            for place in [place for place, id in holders.items() if (place[0], id) == record[:2]]:
                del holders[place]
            for key in keys:
                if key.unique and holders.setdefault((record.kind, *key[:2]), record.id) != record.id:
                    raise DuplicateKeyError("another record holds it")

        def delete(self, kind, id, expected_version):
            super().delete(kind, id, expected_version)
            self.check_unique(Record(kind, id, 0, b""), ())


class EnforcesUniqueKeysOverAllKinds(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def check_unique(self, record, keys):
            for kind in {kind for kind, _ in self.state.rows}:
                super().check_unique(record._replace(kind=kind), keys)


class KeepsKeysOfUndoneUnits(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def write(self, record, keys, version):
            super().write(record, keys, version)
            place = record[:2]
            if place in self.store.state.rows:
                version, data, _ = self.store.state.rows[place]
                self.store.state.rows[place] = (version, data, tuple(keys))


class MixesUpKeyNames(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def lookup(self, kind, name, value):
            pair = f"{name}{value}".casefold()
            held = {
                id: [f"{key.name}{key.value}".casefold() for key in self.keys_of(kind, id)] for id in self.ids(kind)
            }
            return sorted(id for id in held if pair in held[id])


class KeepsTheFirstKeysOnly(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def write(self, record, keys, version):
            super().write(record, keys[:255], version)


class PagesFromTheIdItself(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def page(self, kind, after, limit):
            return [self.record(kind, id) for id in sorted(self.ids(kind)) if id >= after][:limit]


class IgnoresTheLimitOfPages(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def page(self, kind, after, limit):
            return super().page(kind, after, 10**9)


class GivesAnIdAskedTwiceOnce(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def get(self, kind, ids):
            return super().get(kind, list(dict.fromkeys(ids)))


class GivesBuffers(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def record(self, kind, id):
            record = super().record(kind, id)
            return record._replace(data=memoryview(record.data))


class GivesBuffersInEvents(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def feed(self, after, limit):
            return [Event(*event[:3], bytearray(event.data)) for event in super().feed(after, limit)]


class MakesNothingOfEmptyData(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def record(self, kind, id):
            record = super().record(kind, id)
            return record._replace(data=record.data or None)


class PadsData(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def write(self, record, keys, version):
            super().write(record._replace(data=record.data.rstrip(b"\0 ")), keys, version)


class CutsLargeEvents(PlainStore):
    class unit_class(PlainUnit):  # noqa: N801
        def emit(self, type, subject, data):
            super().emit(type, subject, data[: 2**16 - 1])


class EndsTheUnitAroundAUnit(PlainStore):
    """A unit inside a unit is the same one; who ends it first ends both."""

    def __init__(self):
        super().__init__()
        self.local = local()

    @contextmanager
    def unit(self, *, write=True):
        outer = getattr(self.local, "unit", None)
        if outer is None:
            with super().unit(write=write) as unit:
                self.local.unit = unit
                try:
                    yield unit
                finally:
                    self.local.unit = None
        else:
            yield outer
            self.commit(outer)


class UndoesTheUnitAroundAUnit(EndsTheUnitAroundAUnit):
    """An error inside undoes both, and the outer one goes on as if it had not."""

    @contextmanager
    def unit(self, *, write=True):
        outer = getattr(self.local, "unit", None)
        try:
            with super().unit(write=write) as unit:
                yield unit
        except BaseException:
            if outer is not None:
                outer.state.rows = dict(self.state.rows)
            raise


class TellsReadersOfEventsTooEarly(PlainStore):
    """Events are seen before the records that they are about."""

    class unit_class(PlainUnit):  # noqa: N801
        def emit(self, type, subject, data):
            self.store.state.last += 1
            self.store.state.events.append((self.store.state.last, type, subject, data))
            self.state.events, self.state.last = list(self.store.state.events), self.store.state.last


class LocksTheStoreAfterAnError(PlainStore):
    @contextmanager
    def unit(self, *, write=True):
        if getattr(self, "broken", False):
            raise StoreError("the transaction was aborted")
        try:
            with super().unit(write=write) as unit:
                yield unit
        except Exception:
            self.broken = True
            raise


class Reopened(PlainStore):
    """What the `reopen` below gives: the same store, opened again with a fault of its own."""


class ForgetsUniqueKeysOnReopen(Reopened):
    def reopen(self):
        again = PlainStore()
        again.name, again.state = self.name, self.state
        rows = {
            place: (row[0], row[1], [key._replace(unique=False) for key in row[2]])
            for place, row in self.state.rows.items()
        }
        again.state = State(rows, self.state.events, self.state.last)
        return again


class ForgetsVersionsOnReopen(Reopened):
    def reopen(self):
        again = IgnoresExpectedVersion()
        again.name, again.state = self.name, self.state
        return again


class StartsTheFeedAnewOnReopen(Reopened):
    def reopen(self):
        again = PlainStore()
        again.state = self.state
        return again


class CountsEventsAnewOnReopen(Reopened):
    def reopen(self):
        again = PlainStore()
        again.name, again.state = self.name, self.state
        again.state.last = 0
        return again


class KeepsHalfABulk(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def put_many(self, items):
            versions = []
            for item in items:
                try:
                    versions.append(self.put(*item))
                except ConflictError:
                    self.store.commit(self)
                    raise
            return versions


class SkipsConflictsInABulk(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def put_many(self, items):
            versions = []
            for item in items:
                with suppress(ConflictError):
                    versions.append(self.put(*item))
            return versions


class WritesABulkOverWhatIsThere(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def put_many(self, items):
            versions = []
            for record, keys, expected in items:
                self.write(record, keys, expected + 1)
                versions.append(expected + 1)
            return versions


class DropsTheKeysOfABulk(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def put_many(self, items):
            return [self.put(record, (), expected) for record, _, expected in items]


class TrimsWhatIsUnread(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def trim(self, cursor):
            count = super().trim(cursor)
            self.state.events.clear()
            return count


class TrimsAtOnce(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def trim(self, cursor):
            count = super().trim(cursor)
            self.store.state.events = list(self.state.events)
            return count


class CountsEventsAnewAfterATrim(FullStore):
    def commit(self, unit):
        unit.state.last = max((event[0] for event in unit.state.events), default=0)
        super().commit(unit)


class QueriesAnyOfTheKeys(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def meets(self, kind, id, all_of, range):
            return (not all_of or any(super(type(self), self).meets(kind, id, [pair], range) for pair in all_of)) and (
                super().meets(kind, id, (), range)
            )


class QueriesWithTheHighEnd(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def within(self, key, value, name, low, high):
            return super().within(key, value, name, low, high) or (key, value) == (name, high)


class QueriesWithoutTheLowEnd(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def within(self, key, value, name, low, high):
            return super().within(key, value, name, low, high) and value != low


class QueriesWithoutCase(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def place(self, kind, id, order):
            place = super().place(kind, id, order)
            return place and place.casefold()


class QueriesLikeUtf16(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def place(self, kind, id, order):
            place = super().place(kind, id, order)
            return place if place is None else place.encode("utf-16-be").hex()


class QueriesByTheLargestValue(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def place(self, kind, id, order):
            if order is None:
                return ""
            return max((key.value for key in self.keys_of(kind, id) if key.name == order), default=None)


class QueriesThoseWithoutAPlaceToo(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def place(self, kind, id, order):
            return super().place(kind, id, order) or ""


class QueriesFromTheLastIdItself(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def query(self, kind, *, after="", limit, **conditions):
            page = super().query(kind, after=after, limit=limit, **conditions)
            return ([after, *page] if after and page else page)[:limit]


class QueriesBehindTheIdOnly(FullStore):
    """Goes on behind the last id in an order that is not that of ids."""

    class unit_class(FullUnit):  # noqa: N801
        def query(self, kind, *, after="", limit, **conditions):
            return [id for id in super().query(kind, limit=10**9, **conditions) if id > after][:limit]


class QueriesWithoutALimit(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def query(self, kind, *, limit, **conditions):
            return super().query(kind, limit=10**9, **conditions)


class QueriesWhatIsCommitted(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def query(self, kind, **conditions):
            return FullUnit(self.store, self.store.state).query(kind, **conditions)


class NamesKindsThatAreGone(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def delete(self, kind, id, expected_version):
            super().delete(kind, id, expected_version)
            self.store.gone = {*getattr(self.store, "gone", ()), kind}

        def kinds(self):
            return sorted({*super().kinds(), *getattr(self.store, "gone", ())})


class SortsKindsWithoutCase(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def kinds(self):
            return sorted(super().kinds(), key=str.casefold)


class ForgetsWhichKeysAreUnique(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def keys(self, kind, id):
            return [key._replace(unique=False) for key in super().keys(kind, id)]


class GivesTheKeysOfThePageBefore(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def keys_between(self, kind, after, last):
            before = max((id for id in self.ids(kind) if id <= after), default="")
            return {id: self.keys(kind, id) for id in sorted(self.ids(kind)) if before <= id <= last}


class LoadsEverythingAsNew(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def load(self, items):
            return super().load((record._replace(version=1), keys) for record, keys in items)


class LoadsOverWhatIsThere(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def expect(self, kind, id, version):
            if version:
                super().expect(kind, id, version)


class LoadsUniqueKeysTwice(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def load(self, items):
            self.check_unique = lambda record, keys: None
            return super().load(items)


class LoadsEventsBackwards(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def load_events(self, events):
            return super().load_events(reversed(list(events)))


class ColumnsFault(FullStore):
    """Keeps columns of its own, not always what the data say."""

    class unit_class(FullUnit):  # noqa: N801
        def columns(self, kind, names):
            found = super().columns(kind, names)
            return {name: self.store.fault(name, column) for name, column in found.items()}


class GivesColumnsInItsOwnOrder(ColumnsFault):
    fault = staticmethod(lambda name, column: column[::-1])


class GivesColumnsOfOtherTypes(ColumnsFault):
    fault = staticmethod(lambda name, column: column.astype(float) if name == "amount.minor" else column)


class GivesColumnsRounded(ColumnsFault):
    fault = staticmethod(
        lambda name, column: column.astype(float).astype("int64") if column.dtype == "int64" else column
    )


class GivesColumnsOfTheFirstState(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def write(self, record, keys, version):
            super().write(record, keys, version)
            if version == 1:
                self.state.rows[f"column {record.kind}", record.id] = (1, record.data, ())

        def columns(self, kind, names):
            rows = self.state.rows
            stale = {(kind, id): rows[f"column {kind}", id] for id in self.ids(kind) if (f"column {kind}", id) in rows}
            return FullUnit(self.store, State(stale)).columns(kind, names)


class GivesColumnsInSpiteOfGaps(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def columns(self, kind, names):
            rows = {id: self.state.rows[kind, id] for id in self.ids(kind)}
            whole = {(kind, id): row for id, row in rows.items() if typed_row(Record(kind, id, *row[:2])) is not None}
            return FullUnit(self.store, State(whole)).columns(kind, names)


class GivesColumnsThatNobodyAskedFor(FullStore):
    class unit_class(FullUnit):  # noqa: N801
        def columns(self, kind, names):
            return super().columns(kind, [column.path for column in typed_columns(kind)])


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
    (JoinsKindAndId, "test_names_that_are_one_text_when_joined_stay_apart"),
    (JoinsNameAndValue, "test_names_that_are_one_text_when_joined_stay_apart"),
    (PagesByTheBeginningOfTheKind, "test_names_that_are_one_text_when_joined_stay_apart"),
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
    (LosesEventsOfOverlappingUnits, "test_an_event_that_commits_late_is_not_skipped"),
    (GivesEventsTwiceAtPageEnds, "test_a_reader_goes_on_from_any_event"),
    (StopsTheFeedAtAGap, "test_undone_units_leave_no_event"),
    (IgnoresTheLimitOfTheFeed, "test_the_page_size_changes_nothing"),
    (CapsPagesAtAThousand, "test_nothing_is_cut_off_at_a_thousand"),
    (CapsTheFeedAtAThousand, "test_nothing_is_cut_off_at_a_thousand"),
    (CapsLookupsAtAThousand, "test_nothing_is_cut_off_at_a_thousand"),
    (StripsBlanks, "test_ids_are_exact_and_pages_follow_their_code_points"),
    (StripsBlanks, "test_a_lookup_compares_the_value_exactly"),
    (NormalisesUnicode, "test_ids_are_exact_and_pages_follow_their_code_points"),
    (NormalisesUnicode, "test_a_lookup_compares_the_value_exactly"),
    (FoldsWidth, "test_a_lookup_compares_the_value_exactly"),
    (CutsAt255, "test_an_id_of_1024_bytes_counts_to_its_last_character"),
    (CutsAt255, "test_a_long_value_counts_to_its_last_character"),
    (CutsAt1000, "test_an_id_of_1024_bytes_counts_to_its_last_character"),
    (CutsAt1000, "test_a_long_value_counts_to_its_last_character"),
    (CutsIdsAtNul, "test_an_id_beyond_the_limits_is_refused_or_kept_never_altered"),
    (CutsAt1000, "test_an_id_beyond_the_limits_is_refused_or_kept_never_altered"),
    (KeepsNumbersAsNumbers, "test_ids_are_exact_and_pages_follow_their_code_points"),
    (DropsInvisibleCharacters, "test_a_lookup_compares_the_value_exactly"),
    (GoesOnCountingAfterADelete, "test_a_unit_reads_its_own_writes"),
    (DeletesWithoutAVersion, "test_to_delete_another_version_or_nothing_is_a_conflict"),
    (HoldsUniqueKeysOfDeletedRecords, "test_the_keys_of_a_deleted_record_are_gone"),
    (HoldsUniqueKeysOfUndoneUnits, "test_a_unit_that_is_undone_gives_unique_keys_back_and_takes_none"),
    (EnforcesUniqueKeysOverAllKinds, "test_kinds_are_apart"),
    (KeepsKeysOfUndoneUnits, "test_an_exception_undoes_all_of_its_unit_and_passes_on_unchanged"),
    (MixesUpKeyNames, "test_a_lookup_is_within_its_kind_and_key_name"),
    (KeepsTheFirstKeysOnly, "test_a_record_holds_hundreds_of_keys"),
    (PagesFromTheIdItself, "test_ids_are_exact_and_pages_follow_their_code_points"),
    (IgnoresTheLimitOfPages, "test_ids_are_exact_and_pages_follow_their_code_points"),
    (GivesAnIdAskedTwiceOnce, "test_get_gives_what_exists_in_the_order_asked"),
    (GivesBuffers, "test_data_come_back_unchanged"),
    (GivesBuffersInEvents, "test_events_come_unchanged_and_in_the_order_of_a_unit"),
    (MakesNothingOfEmptyData, "test_data_come_back_unchanged"),
    (PadsData, "test_data_come_back_unchanged"),
    (CutsLargeEvents, "test_events_come_unchanged_and_in_the_order_of_a_unit"),
    (EndsTheUnitAroundAUnit, "test_a_unit_inside_a_unit_is_refused_or_does_not_end_it"),
    (UndoesTheUnitAroundAUnit, "test_a_unit_inside_a_unit_is_refused_or_does_not_end_it"),
    (TellsReadersOfEventsTooEarly, "test_a_reader_sees_nothing_of_a_unit_that_is_not_committed"),
    (LocksTheStoreAfterAnError, "test_a_unique_key_of_another_record_is_refused_and_nothing_changes"),
    (ForgetsUniqueKeysOnReopen, "test_versions_and_unique_keys_hold_when_the_store_is_opened_again"),
    (ForgetsVersionsOnReopen, "test_versions_and_unique_keys_hold_when_the_store_is_opened_again"),
    (StartsTheFeedAnewOnReopen, "test_what_was_committed_is_there_when_the_store_is_opened_again"),
    (CountsEventsAnewOnReopen, "test_what_was_committed_is_there_when_the_store_is_opened_again"),
    (ForgetsOnReopen, "test_versions_and_unique_keys_hold_when_the_store_is_opened_again"),
    (ForgetsOnReopen, "test_random_units_leave_what_a_plain_model_says"),
    (KeepsHalfABulk, "test_a_conflict_in_bulk_undoes_the_unit"),
    (SkipsConflictsInABulk, "test_a_conflict_in_bulk_undoes_the_unit"),
    (WritesABulkOverWhatIsThere, "test_a_conflict_in_bulk_undoes_the_unit"),
    (WritesABulkOverWhatIsThere, "test_a_unique_key_twice_in_bulk_is_refused"),
    (DropsTheKeysOfABulk, "test_bulk_stores_what_put_stores"),
    (TrimsWhatIsUnread, "test_trim_drops_events_up_to_its_cursor"),
    (TrimsAtOnce, "test_trim_is_undone_with_its_unit"),
    (CountsEventsAnewAfterATrim, "test_trim_drops_events_up_to_its_cursor"),
    (QueriesAnyOfTheKeys, "test_a_query_finds_what_its_conditions_say"),
    (QueriesWithTheHighEnd, "test_a_query_finds_what_its_conditions_say"),
    (QueriesWithoutTheLowEnd, "test_a_query_finds_what_its_conditions_say"),
    (QueriesWithoutCase, "test_a_query_finds_what_its_conditions_say"),
    (QueriesLikeUtf16, "test_a_query_finds_what_its_conditions_say"),
    (QueriesByTheLargestValue, "test_a_query_finds_what_its_conditions_say"),
    (QueriesThoseWithoutAPlaceToo, "test_a_query_finds_what_its_conditions_say"),
    (QueriesFromTheLastIdItself, "test_a_query_goes_on_page_by_page"),
    (QueriesBehindTheIdOnly, "test_a_query_goes_on_page_by_page"),
    (QueriesWithoutALimit, "test_a_query_goes_on_page_by_page"),
    (QueriesWhatIsCommitted, "test_a_query_sees_the_writes_of_its_unit"),
    (NamesKindsThatAreGone, "test_a_backup_finds_all_kinds_and_keys"),
    (SortsKindsWithoutCase, "test_a_backup_finds_all_kinds_and_keys"),
    (ForgetsWhichKeysAreUnique, "test_a_backup_finds_all_kinds_and_keys"),
    (GivesTheKeysOfThePageBefore, "test_a_backup_finds_the_keys_of_a_page"),
    (LoadsEverythingAsNew, "test_loaded_records_have_the_versions_and_keys_they_had"),
    (LoadsOverWhatIsThere, "test_to_load_a_record_that_is_there_is_a_conflict"),
    (LoadsUniqueKeysTwice, "test_to_load_a_unique_key_that_another_record_holds_is_refused"),
    (LoadsEventsBackwards, "test_loaded_events_come_in_their_order_behind_those_that_are_there"),
    (GivesColumnsInItsOwnOrder, "test_columns_hold_what_the_data_hold"),
    (GivesColumnsOfOtherTypes, "test_columns_hold_what_the_data_hold"),
    (GivesColumnsRounded, "test_columns_hold_what_the_data_hold"),
    (GivesColumnsOfTheFirstState, "test_columns_hold_what_the_data_hold"),
    (GivesColumnsOfTheFirstState, "test_columns_hold_what_came_in_bulk"),
    (GivesColumnsInSpiteOfGaps, "test_a_record_that_no_columns_can_hold_hides_them_until_it_is"),
    (GivesColumnsThatNobodyAskedFor, "test_only_the_names_asked_for_are_given"),
]


def runs_of(contract, name):
    """The test once for each of its parameters."""
    test = getattr(contract, name)
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        return [{}]
    runs = [{}]
    for mark in marks:
        names, values = mark.args
        rows = [(value,) for value in values] if isinstance(names, str) else values
        names = [names] if isinstance(names, str) else names
        runs = [run | dict(zip(names, row, strict=True)) for run in runs for row in rows]
    return runs


@pytest.mark.parametrize(("store", "name"), CAUGHT, ids=lambda part: part if isinstance(part, str) else part.__name__)
def test_the_contract_catches_a_store_that(store, name):
    class Contract(RecordStoreContract):
        def make_store(self):
            return store()

        def reopen(self, old):
            return old.reopen() if isinstance(old, Reopened) else store()

    contract = Contract()
    failures = []
    for parameters in runs_of(contract, name):
        try:
            getattr(contract, name)(**parameters)
        except pytest.skip.Exception:
            continue
        except (Exception, KeyboardInterrupt, pytest.fail.Exception) as exc:  # noqa: BLE001 - any red will do
            failures.append(exc)
    assert failures


def test_every_test_of_the_contract_is_known_by_its_sentence():
    names = {name for name, _ in inspect.getmembers(RecordStoreContract, inspect.isfunction) if name[:5] == "test_"}
    assert {name for _, name in CAUGHT} <= names
