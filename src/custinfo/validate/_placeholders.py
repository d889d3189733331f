"""Values that people type when they have none; own list of what is seen in customer data."""

from __future__ import annotations

import datetime as dt
import unicodedata

from custinfo.validate._base import is_missing_object, plain_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["is_missing", "is_placeholder"]

_WORDS = (
    "n/a n.a. #n/a none null (null) nil nan undefined unknown missing test tester tbd todo xxx - -- --- — —— . .. ... "
    "? ?? ??? / // * ** _ anonymous 客户 先生 女士 小姐 佚名 无 無 没有 沒有 暂无 未知 不详 不明 空 测试 待定 未填 "
    "未填写 保密 匿名 不知道 无名氏"
)
_EMAILS = (
    "test@test.com a@a.com a@b.com abc@abc.com 123@123.com 123@qq.com 123456@qq.com 123456789@qq.com none@none.com "
    "no@no.com noreply@example.com test@example.com test@test.cn test@qq.com 111@111.com 1@1.com na@na.com "
    "noemail@noemail.com"
)
_DATES = (
    "1900-01-01 1900/01/01 1900/1/1 19000101 1970-01-01 1970/01/01 1970/1/1 19700101 9999-12-31 9999/12/31 99991231 "
    "0000-00-00 0000/00/00 00000000 0001-01-01"
)
_TEXTS = frozenset(f"{_WORDS} {_EMAILS} {_DATES}".split())
_DIGITS = frozenset("13800138000 13812345678 13000000000 13888888888 12345678 123456789 1234567890 12345678901".split())
_DAYS = frozenset({dt.date(1900, 1, 1), dt.date(1970, 1, 1), dt.date(9999, 12, 31), dt.date(1, 1, 1)})
_SEPARATORS = dict.fromkeys(map(ord, " -()+.\u00a0"))
_NO_TIME = ("t00:00:00z", "t00:00:00", " 00:00:00", " 00:00")
_LONGEST = 64
_LONGEST_DIGITS = 24


def is_missing(value: object) -> bool:
    """None, blank text, NaN, NaT, and a sequence without members.

    >>> is_missing(" "), is_missing(float("nan")), is_missing(()), is_missing(0)
    (True, True, True, False)
    """
    text = plain_text(value)
    if text is not None:
        return not text or text.isspace()
    return is_missing_object(value) or (type(value) in (tuple, list) and not value)


def is_placeholder(value: object) -> bool:
    """Text, or a date, that stands for a missing value.

    Letter case, full-width forms and blanks around it do not matter, nor do the separators of a number.

    >>> is_placeholder("N/A"), is_placeholder("138 0013 8000"), is_placeholder("无"), is_placeholder("Rosa")
    (True, True, True, False)
    """
    text = plain_text(value)
    if text is None:
        return issubclass(type(value), dt.date) and _is_stand_in(value)
    if len(text) > _LONGEST:
        return False
    text = text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()
    if text == "NA":  # "Na" is a name
        return True
    text = text.lower()
    if text in _TEXTS:
        return True
    if len(text) > _LONGEST_DIGITS or not (text[-1:].isdigit() or text.endswith((")", "z"))):
        return False
    if ":" in text:
        return any(text.endswith(end) and text.removesuffix(end) in _TEXTS for end in _NO_TIME)
    digits = text.removeprefix("+86").removeprefix("+")
    if not digits.isdigit():
        digits = digits.translate(_SEPARATORS)
    return digits in _DIGITS or (len(digits) >= 6 and digits.isdigit() and digits == digits[0] * len(digits))


def _is_stand_in(day: Any) -> bool:
    try:
        if issubclass(type(day), dt.datetime):
            return bool(day == day) and not (day.hour or day.minute or day.second) and day.date() in _DAYS
        return day in _DAYS
    except Exception:  # noqa: BLE001  a class of the caller's may do anything
        return False
