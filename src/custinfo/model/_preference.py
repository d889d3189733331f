"""What a customer prefers."""

import re
from typing import Any

import attrs

from custinfo.model._check import Field, check_text, optional_key
from custinfo.model._field import plain
from custinfo.model._interaction import Channel
from custinfo.model._rules import fault, language_tag, optional_choice

_HOURS = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)").fullmatch


def _hours(_: object, field: "Field[Any]", value: object) -> None:
    if value is None:
        return
    match = _HOURS(check_text(value, field.name))
    if match is None or match[0][:5] == match[2]:
        raise fault("preference.hours", field.name, "hours must be two times of day, such as 09:00-18:00")


@attrs.frozen(kw_only=True)
class Preference:
    """By which channel, at which hours and in which language a customer wants to be met; the first one is liked best.

    Args:
        channel: by which he likes to be contacted.
        hours: time of day from - to, such as "09:00-18:00", the end excluded; "22:00-06:00" passes midnight.
        time_zone: of the hours, a name of the IANA database such as "Asia/Shanghai".
        language: BCP 47, such as "zh-Hans".

    Raises:
        InvalidFieldError: "preference.empty", "preference.hours", "language.format", "enum.unknown", "text.*".

    >>> Preference(channel="sms", hours="09:00-18:00", time_zone="Asia/Shanghai", language="zh-Hans").channel
    <Channel.SMS: 'sms'>
    """

    channel: Channel | None = plain("channel", "渠道", default=None, converter=optional_choice(Channel))
    hours: str | None = plain("hours of the day", "时段", default=None, validator=_hours)
    time_zone: str | None = plain("time zone of the hours", "时区", default=None, validator=optional_key)
    language: str | None = plain("language, BCP 47", "语言", default=None, validator=language_tag)

    def __attrs_post_init__(self) -> None:
        if self.channel is None and self.hours is None and self.language is None:
            raise fault("preference.empty", "channel", "a preference needs a channel, hours or a language")
