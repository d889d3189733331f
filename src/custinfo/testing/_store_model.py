"""The store contract: random units against a plain model."""

from __future__ import annotations

import itertools
from copy import deepcopy
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from custinfo.errors import ConflictError, DuplicateKeyError
from custinfo.store import START, Key, Record
from custinfo.testing._store_base import StoreMaker, read_feed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.store import RecordStore, Unit

IDS = ("a", "B", "b ", "\u00e9", "\U0001f600")
KEYS = (Key("ext", "x", unique=True), Key("ext", "X", unique=True), Key("tag", "t"), Key("tag", "T"))
# Without shrinking, which may take minutes on a store that is wrong; the first failure ends the run.
SETTINGS = settings(
    phases=[Phase.generate],
    report_multiple_bugs=False,
    max_examples=20,
    stateful_step_count=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Step(NamedTuple):
    """One call of a unit."""

    verb: str
    kind: str
    id: str
    keys: frozenset[Key]
    data: bytes
    stale: bool


STEPS = st.builds(
    Step,
    verb=st.sampled_from(["put", "put", "put", "delete", "emit"]),
    kind=st.sampled_from(["k", "K"]),
    id=st.sampled_from(IDS),
    keys=st.frozensets(st.sampled_from(KEYS), max_size=2),
    data=st.binary(max_size=3),
    stale=st.sampled_from([False] * 7 + [True]),
)


class Model:
    """What a store must hold, as plainly as can be."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[int, bytes, frozenset[Key]]] = {}
        self.events: list[tuple[str, bytes]] = []

    def version(self, step: Step) -> int:
        return self.rows.get((step.kind, step.id), (0, b"", frozenset()))[0]

    def refusals(self, step: Step) -> set[type[Exception]]:
        """The errors that the step may end in; it must end in one of them."""
        errors: set[type[Exception]] = set()
        if step.verb == "emit":
            return errors
        if step.stale or (step.verb == "delete" and not self.version(step)):
            errors.add(ConflictError)
        if step.verb == "put":
            for (kind, id), (_, _, keys) in self.rows.items():
                if kind == step.kind and id != step.id and any(key.unique for key in keys & step.keys):
                    errors.add(DuplicateKeyError)
        return errors

    def apply(self, step: Step) -> None:
        place = (step.kind, step.id)
        if step.verb == "emit":
            self.events.append((step.id, step.data))
        elif step.verb == "delete":
            del self.rows[place]
        else:
            self.rows[place] = (self.version(step) + 1, step.data, step.keys)


class Undo(Exception):  # noqa: N818 - it is no error
    """Ends a unit that shall be undone."""


class StoreMachine(RuleBasedStateMachine):
    """Units of random steps; after each, store and model hold the same."""

    def __init__(self, store: RecordStore, run: int) -> None:
        super().__init__()
        self.store = store
        self.suffix = f"-{run}"
        self.model = Model()
        events = read_feed(store)
        self.start = self.cursor = events[-1].cursor if events else START
        self.followed: list[tuple[str, bytes]] = []

    @initialize(filled=st.booleans())
    def fill(self, filled: bool) -> None:
        """Half of the runs begin with all ids in place, so that order and conflicts come up at once."""
        if filled:
            self.unit([Step("put", "k", id, frozenset(KEYS[2:]), b"", stale=False) for id in IDS], undo=False)

    @rule(steps=st.lists(STEPS, max_size=5), undo=st.booleans())
    def unit(self, steps: list[Step], undo: bool) -> None:
        after = deepcopy(self.model)
        refusals: set[type[Exception]] = set()
        try:
            with self.store.unit() as unit:
                for step in steps:
                    refusals = after.refusals(step)
                    self.call(unit, step, after.version(step))
                    if refusals:
                        # The store may tell so at the end of the unit.
                        break
                    after.apply(step)
                    self.compare(unit, after)
                if undo and not refusals:
                    raise Undo
        except Undo:
            return
        except tuple(refusals):
            return
        assert not refusals, f"the store accepted a step that must end in one of {refusals}"
        self.model = after

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        with self.store.unit(write=False) as unit:
            self.compare(unit, self.model)
            events = unit.feed(self.start, 1000)
            assert [(event.subject, event.data) for event in events] == self.model.events
            for event in unit.feed(self.cursor, 1000):
                self.followed.append((event.subject, event.data))
                self.cursor = event.cursor
        assert self.followed == self.model.events

    def call(self, unit: Unit, step: Step, version: int) -> None:
        expected = version + 1 if step.stale else version
        kind = step.kind + self.suffix
        if step.verb == "emit":
            unit.emit("thing.changed", step.id, step.data)
        elif step.verb == "delete":
            unit.delete(kind, step.id, expected or 1)
        else:
            assert unit.put(Record(kind, step.id, 0, step.data), tuple(step.keys), expected) == expected + 1

    def compare(self, unit: Unit, model: Model) -> None:
        for kind in ("k", "K"):
            name = kind + self.suffix
            rows = {id: row for (held, id), row in model.rows.items() if held == kind}
            records = [Record(name, id, rows[id][0], rows[id][1]) for id in sorted(rows)]
            assert unit.page(name, "", 100) == records
            assert unit.get(name, sorted(IDS)) == records
            for key in KEYS:
                assert unit.lookup(name, key.name, key.value) == sorted(id for id in rows if key in rows[id][2])


class ModelContract(StoreMaker):
    """Whatever units come, the store holds what a plain model holds."""

    def test_random_units_leave_what_a_plain_model_says(self) -> None:
        runs = itertools.count()
        machines: list[StoreMachine] = []
        store = self.make_store()

        class Machine(StoreMachine):
            def __init__(self) -> None:
                super().__init__(store, next(runs))
                machines.append(self)

        try:
            run_state_machine_as_test(Machine, settings=SETTINGS)
        finally:
            store.close()
        again = self.reopen(store)
        if again is None:
            return
        try:
            with again.unit(write=False) as unit:
                for machine in machines:
                    machine.compare(unit, machine.model)
        finally:
            again.close()
