"""Values that people type when they have none; own list of what is seen in customer data."""

from __future__ import annotations

__all__ = ["is_missing", "is_placeholder"]

_WORDS = frozenset(
    "n/a n.a. none null nil nan undefined unknown missing test tester tbd todo xxx - -- --- . .. ? ?? / * "
    "anonymous 客户 先生 女士 小姐 佚名 无 没有 暂无 未知 不详 不明 空 测试 待定 未填写 保密 匿名".split()
)
_EMAILS = frozenset(
    "test@test.com a@a.com a@b.com abc@abc.com 123@123.com 123@qq.com 123456@qq.com 123456789@qq.com none@none.com "
    "no@no.com noreply@example.com test@example.com test@test.cn 111@111.com 1@1.com na@na.com".split()
)
_DIGITS = frozenset("13800138000 13812345678 13000000000 13888888888 12345678 123456789 1234567890 12345678901".split())
_DATES = frozenset("1900-01-01 19000101 1970-01-01 19700101 9999-12-31 99991231 0000-00-00 00000000".split())


def is_missing(value: object) -> bool:
    """None, blank text, NaN, NaT.

    >>> is_missing(" "), is_missing(float("nan")), is_missing(0)
    (True, True, False)
    """
    if isinstance(value, str):
        return not value or value.isspace()
    unequal = isinstance(value, float) and value != value
    return value is None or unequal or type(value).__name__ in ("NAType", "NaTType")


def is_placeholder(value: object) -> bool:
    """Text that stands for a missing value.

    >>> is_placeholder("N/A"), is_placeholder("138 0013 8000"), is_placeholder("无"), is_placeholder("Rosa")
    (True, True, True, False)
    """
    if not isinstance(value, str) or len(value) > 64:
        return False
    text = value.strip().lower()
    if value.strip() == "NA" or text in _WORDS or text in _EMAILS or text in _DATES:
        return True
    digits = text.removeprefix("+86").translate({ord(char): None for char in " -()+."})
    return digits.isdigit() and (digits in _DIGITS or (len(digits) >= 6 and len(set(digits)) == 1))
