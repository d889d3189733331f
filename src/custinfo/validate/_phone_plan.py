"""Numbering plans as compiled patterns: is a national number valid, and what is dialled before it.

The rules are those of libphonenumber's ``is_valid_number`` and of its national-prefix step, read from the public
metadata of the installed release of phonenumbers. What the patterns cannot decide is left to phonenumbers itself.
"""

from __future__ import annotations

import re
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

__all__ = ["Plan", "dialling_plan", "plan"]

_CALLING_CODES = {str(code): code for code in COUNTRY_CODE_TO_REGION_CODE}
_TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


class _Region:
    """The numbers of one region: a pattern per length, compiled when a number of that length comes."""

    __slots__ = ("_metadata", "_patterns", "leading")

    def __init__(self, metadata: PhoneMetadata) -> None:
        self._metadata = metadata
        self._patterns: dict[int, re.Pattern[str] | None] = {}
        self.leading = re.compile(metadata.leading_digits) if metadata.leading_digits is not None else None

    def valid(self, number: str) -> bool:
        length = len(number)
        if length not in self._patterns:
            self._patterns[length] = self._compile(length)
        pattern = self._patterns[length]
        return pattern is not None and pattern.fullmatch(number) is not None

    def _compile(self, length: int) -> re.Pattern[str] | None:
        general = _pattern(self._metadata.general_desc, length)
        found = (_pattern(getattr(self._metadata, name), length) for name in _TYPES)
        kinds = "|".join(f"(?:{pattern})" for pattern in dict.fromkeys(found) if pattern)
        return re.compile(rf"(?=(?:{general})\Z)(?:{kinds})") if general and kinds else None


def _pattern(desc: PhoneNumberDesc | None, length: int) -> str:
    """The pattern of a kind of number that may have *length* digits, "" where it may not."""
    if desc is None or (desc.possible_length and length not in desc.possible_length):
        return ""
    return desc.national_number_pattern or ""


class Plan:
    """What follows one calling code.

    Attributes:
        prefix: ``+`` and the calling code.
    """

    __slots__ = ("_general", "_lengths", "_local_lengths", "_national_prefix", "_regions", "_transforms", "prefix")

    def __init__(self, calling_code: int, metadata: PhoneMetadata) -> None:
        self.prefix = f"+{calling_code}"
        names = COUNTRY_CODE_TO_REGION_CODE[calling_code]
        every = [PhoneMetadata.metadata_for_region_or_calling_code(calling_code, name) for name in names]
        self._regions = [_Region(found) for found in every if found is not None]
        general = metadata.general_desc or PhoneNumberDesc()
        self._general = re.compile(general.national_number_pattern or "(?!)")
        self._lengths = tuple(general.possible_length)
        self._local_lengths = frozenset(general.possible_length_local_only)
        before = metadata.national_prefix_for_parsing
        self._national_prefix = re.compile(before) if before else None
        self._transforms = bool(metadata.national_prefix_transform_rule)

    def valid(self, number: str) -> bool:
        """Whether *number*, national and without prefix, is a valid one."""
        regions = self._regions
        if len(regions) == 1:
            return regions[0].valid(number)
        for region in regions:
            if region.leading is not None:
                if region.leading.match(number):
                    return region.valid(number)
            elif region.valid(number):
                return True
        return False

    def length_fault(self, length: int) -> str:
        """The code for an invalid number of *length* digits, by the lengths that occur behind the calling code."""
        if length in self._local_lengths or not self._lengths or length < self._lengths[0]:
            return "phone.too_short"
        return "phone.too_long" if length > self._lengths[-1] else "phone.not_assigned"

    def national(self, digits: str) -> str | None:
        """*digits* without the national prefix, None where only phonenumbers knows."""
        prefix = self._national_prefix
        match = prefix.match(digits) if prefix is not None else None
        if match is None:
            return digits
        if not self._lengths or (self._transforms and match.lastindex):
            return None
        rest = digits[match.end() :]
        if self._general.fullmatch(digits) and not self._general.fullmatch(rest):
            return digits
        length = len(rest)
        if length in self._local_lengths or length < self._lengths[0]:
            return digits
        return rest if length in self._lengths or length > self._lengths[-1] else digits


class Dialling:
    """How numbers are dialled in one region.

    Attributes:
        calling_code: of the region, as text.
        plan: of the region's own numbers.
        abroad: pattern of what is dialled before a calling code, None where nothing is.
    """

    __slots__ = ("abroad", "calling_code", "plan")

    def __init__(self, calling_code: int, metadata: PhoneMetadata) -> None:
        self.calling_code = str(calling_code)
        self.plan = Plan(calling_code, metadata)
        before = metadata.international_prefix
        self.abroad = re.compile(before) if before else None


@cache
def plan(calling_code: str) -> Plan | None:
    """The plan of numbers written with ``+`` and *calling_code*, which are parsed by the main region's rules.

    None where there is no such calling code.
    """
    code = _CALLING_CODES.get(calling_code)
    if code is None:
        return None
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, COUNTRY_CODE_TO_REGION_CODE[code][0])
    return None if metadata is None else Plan(code, metadata)


@cache
def dialling_plan(region: str) -> Dialling | None:
    """How numbers are dialled in *region*, one of `SUPPORTED_REGIONS`."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.country_code is None or metadata.id != region:
        return None
    return Dialling(metadata.country_code, metadata)
