"""Free text of one line or more."""

from __future__ import annotations

from custinfo.errors import InvalidFieldError
from custinfo.validate._base import BaseValidator, fail, issue, text_or_issue
from custinfo.validate._characters import collapse, has_break, unsafe
from custinfo.validate._result import Result

__all__ = ["TEXT_CODES", "TextValidator", "text"]

TEXT_CODES = frozenset(
    "value.missing value.type value.too_long value.surrogate text.blank text.control text.bidi text.noncharacter "
    "text.zero_width text.private_use text.marks text.confusable text.line_break".split()
)
_MAX_LENGTH = 10_000
_LONGEST = 50_000  # so that no text takes longer than 50 ms


class TextValidator(BaseValidator[str]):
    """Free text that is safe to store, log and show; see `text`."""

    name = "text"
    codes = TEXT_CODES
    option_names = ("max_length", "multiline")

    def _check_options(self) -> None:
        limit = self._options.get("max_length", 1)
        if type(limit) is not int or not 1 <= limit <= _LONGEST:
            raise InvalidFieldError(f"max_length must be a number of characters, 1 to {_LONGEST:,}", code="option")
        if not isinstance(self._options.get("multiline", False), bool):
            raise InvalidFieldError("multiline must be True or False", code="option")

    def __call__(self, value: object, *, max_length: int | None = None, multiline: bool | None = None) -> Result[str]:
        """Check one text.

        Errors are control characters, bidi controls that reorder what follows (UAX #9), noncharacters and lone
        surrogates. Zero-width characters, look-alike letters of two scripts in one word, private-use characters and
        piled-up combining marks are warnings, since some names and languages need them.

        Args:
            value: the text.
            max_length: characters at most, 10,000 when not said, 50,000 at most.
            multiline: line breaks are kept; otherwise they are a warning and become spaces.

        Returns:
            The text in NFC, trimmed, with runs of white space as one space.

        Raises:
            InvalidFieldError: ``"option"`` for a value that an option cannot have.

        Source: Unicode 15.1 UAX #9, UAX #15, UTS #39; RFC 9839 (2025).

        >>> text("12  Main Street ").value
        '12 Main Street'
        >>> [issue.code for issue in text("abc" + chr(0x202E) + "fdp").issues]
        ['text.bidi']
        """
        if max_length is not None or multiline is not None:
            return self.with_options(max_length=max_length, multiline=multiline)(value)
        limit: int = self._options.get("max_length", _MAX_LENGTH)  # type: ignore[assignment]
        found = text_or_issue(value, max_length=limit)
        if not isinstance(found, str):
            return Result(None, (found,))
        issues = unsafe(found)
        if self._options.get("multiline"):
            normal = "\n".join(collapse(line) for line in found.splitlines()).strip("\n")
        else:
            normal = collapse(found)
            if has_break(found.strip()):
                issues.append(issue("text.line_break"))
        if not normal and not issues:
            return fail("text.blank")
        if len(normal) > limit:  # NFC writes a few characters as two or three
            return fail("value.too_long", max_length=limit)
        return Result(normal, issues)


text = TextValidator()
