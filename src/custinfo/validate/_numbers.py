"""What validators of identification numbers share: separators, full-width digits, bulk by fixed width."""

from __future__ import annotations

from collections.abc import Iterable

from custinfo.validate._base import BaseValidator, narrowed, text_or_issue
from custinfo.validate._result import Issue, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.validate._kernel import Bytes, Verdicts

__all__ = ["VALUE_CODES", "NumberValidator"]

VALUE_CODES = frozenset("value.missing value.type value.too_long value.surrogate value.fullwidth".split())
_SPACES = str.maketrans("", "", " \t\u00a0-\u2010\u2011\u2013")
_MIN_BULK_ROWS = 64  # below this loading NumPy and building arrays costs more than it saves


class NumberValidator(BaseValidator[str]):
    """An identification number; a subclass says how a compact one is judged.

    Attributes:
        max_length: characters at most, separators counted.
        width: length of the form that `_kernel` can judge by columns, -1 where there is none.
    """

    max_length = 64
    width = -1

    def __call__(self, value: object) -> Result[str]:
        """Check one number, see the validator's own documentation."""
        found = text_or_issue(value, max_length=self.max_length)
        if not isinstance(found, str):
            return Result(None, (found,))
        result = self._check(self._compact(found))
        if result or found.isascii():
            return result
        return narrowed(found, result, lambda narrow: self._check(self._compact(narrow[: self.max_length])))

    def _compact(self, text: str) -> str:
        """*text* in capitals without spaces and hyphens; as it is where letters are not those of ASCII.

        Some of those have capitals that are: ``ß``, ``ı``, the long ``ſ``. They are other letters, not other cases.
        """
        bare = text.translate(_SPACES)
        return bare.upper() if bare.isascii() else bare

    def _check(self, number: str) -> Result[str]:
        raise NotImplementedError  # pragma: no cover - each validator has its own

    def _groups(self, texts: list[str]) -> Iterable[int | str]:
        """By text: what it has in common with others that `_kernel` may judge together; they have one length."""
        return map(len, texts)

    def _in_bulk(self, group: int | str) -> bool:
        """Whether `_kernel` may judge *group*."""
        return group == self.width

    def _kernel(self, block: Bytes, group: int | str) -> Verdicts:
        """Verdicts on the texts of one group: 0 the scalar code decides, 1 good, n > 1 the issues `_notes` [n - 2]."""
        raise NotImplementedError  # pragma: no cover - each validator with groups has its own

    def _notes(self) -> tuple[tuple[Issue, ...], ...]:
        return ()

    def _many(
        self,
        rows: list[object],
        start: int,
        out: list[str | None],
        issues: dict[int, tuple[Issue, ...]],
        extra: list[object] | None,
    ) -> None:
        if len(rows) < _MIN_BULK_ROWS:
            super()._many(rows, start, out, issues, extra)
            return
        texts = [value.replace(" ", "") if type(value) is str else "" for value in rows]
        groups = list(self._groups(texts))
        left: list[int] = []
        answers: list[str | None] = list(texts)
        notes = self._notes()
        by_group: dict[int | str, list[int]] = {group: [] for group in dict.fromkeys(groups)}
        for place, group in enumerate(groups):
            by_group[group].append(place)
        for group, places in by_group.items():
            if not self._in_bulk(group):
                left += places
                continue
            from custinfo.validate._kernel import as_bytes

            verdicts = self._kernel(as_bytes([texts[place] for place in places]), group)
            for index, verdict in zip(
                (verdicts != 1).nonzero()[0].tolist(), verdicts[verdicts != 1].tolist(), strict=True
            ):
                place = places[index]
                if not verdict:
                    left.append(place)
                    continue
                found = issues[start + place] = notes[verdict - 2]
                if found[0].severity == "error":
                    answers[place] = None
        for place in left:
            result = self(rows[place])
            answers[place] = result.value
            if result.issues:
                issues[start + place] = result.issues
        out += answers
