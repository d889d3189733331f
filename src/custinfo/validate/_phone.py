"""Phone numbers: verdict and E.164 form are those of phonenumbers (libphonenumber)."""

from __future__ import annotations

from types import ModuleType

from custinfo.validate._base import BaseValidator
from custinfo.validate._result import Issue, Result

__all__ = ["PhoneValidator", "phone"]

_engine: ModuleType | None = None  # loaded by the first call


class PhoneValidator(BaseValidator[str]):
    """A phone number; see `phone`."""

    name = "phone"
    codes = frozenset(
        "value.missing value.type phone.not_a_number phone.country_code phone.no_region "
        "phone.too_short phone.too_long phone.not_assigned".split()
    )
    option_names = ("region",)
    row_option = "region"

    def __call__(self, value: object, *, region: str | None = None) -> Result[str]:
        """Check one phone number against the numbering plans of the world.

        Verdict and normal form equal ``phonenumbers.parse(value, region)``, ``is_valid_number`` and the E.164 format.

        Args:
            value: the number as written; ``+`` and the calling code, or as dialled in *region*.
            region: ISO 3166-1 alpha-2 code of the country where a number without calling code is dialled. For `many`
                also one per row.

        Returns:
            The number in E.164. ``meta`` computes when asked: ``type`` (``"MOBILE"``, ``"FIXED_LINE"`` ...),
            ``international`` and ``national`` (layouts), ``region``, ``country_code``, ``extension``.

        Source: ITU-T E.164; libphonenumber's metadata of the installed release of phonenumbers.

        >>> result = phone("(201) 555-0123", region="US")
        >>> result.value, result.meta["international"]
        ('+12015550123', '+1 201-555-0123')
        >>> phone("201 555 0123").issues[0].code
        'phone.no_region'
        """
        result: Result[str] = (_engine or _load()).check(
            value, self._options.get("region") if region is None else region
        )
        return result

    def _many(
        self,
        rows: list[object],
        start: int,
        out: list[str | None],
        issues: dict[int, tuple[Issue, ...]],
        extra: list[object] | None,
    ) -> None:
        (_engine or _load()).check_many(rows, start, out, issues, extra, self._options.get("region"))


def _load() -> ModuleType:
    global _engine
    from custinfo.validate import _phone_engine

    _engine = _phone_engine
    return _phone_engine


phone = PhoneValidator()
