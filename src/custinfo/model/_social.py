"""Names of customers in social networks."""

from datetime import datetime

import attrs

from custinfo.model._check import KEY_LIMIT, flag, key_text, optional_text, optional_utc
from custinfo.model._field import Index, personal, plain
from custinfo.model._keys import handle_key
from custinfo.model._range import DateRange
from custinfo.model._rules import fault, one_of

HANDLE = Index(name="handle", text=lambda social: handle_key(social.network, social.handle))


@attrs.frozen
class SocialHandle:
    """A customer's name in a social network or messenger.

    Args:
        network: such as "wechat", "qq", "weibo", "douyin", "line", "whatsapp", "telegram"; case does not matter.
        handle: the name or number there, without an @ before it.
        label: home, work.
        verified_at: when it was verified.
        valid: days on which it is good.
        preferred: whether it is preferred to others.

    Raises:
        InvalidFieldError: "text.*", "time.*", "field.type", "bool.type".

    >>> SocialHandle("wechat", "zhangwei_example").network
    'wechat'
    """

    network: str = plain("network", "社交平台", validator=key_text)
    handle: str = personal("contact", "name there", "社交账号", mask="first", index=HANDLE, validator=key_text)
    label: str | None = plain("home, work", "标签", default=None, validator=optional_text, kw_only=True)
    verified_at: datetime | None = plain(
        "when it was verified", "核实时间", default=None, converter=optional_utc, kw_only=True
    )
    valid: DateRange | None = plain(
        "days on which it is good", "有效期", default=None, validator=one_of(DateRange), kw_only=True
    )
    preferred: bool = plain("preferred to others", "是否首选", default=False, validator=flag, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if len(handle_key(self.network, self.handle).encode()) > KEY_LIMIT:
            message = f"network and handle together are longer than {KEY_LIMIT:,} bytes of UTF-8; shorten them"
            raise fault("text.too_long", "handle", message)
