"""Family and given name: which is which, and whether the two look swapped.

Only what is sure on both sides counts: a part that is a family name and hardly ever a given one, beside a part that is
the reverse. Sources: `_surnames`; Scheme for the Chinese Phonetic Alphabet (GB/T 28039-2011 for names); the family and
given names that are most frequent in Western countries, own choice, without those that are both (Martin, Lee).
"""

from __future__ import annotations

import re

from custinfo.validate._surnames import COMPOUND, SINGLE

__all__ = ["split_comma", "split_hanzi", "swapped"]

_HAN_DOT = "·"  # U+00B7 separates the parts of transliterated names (GB/T 28039)
_hanzi = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]{1,3}").fullmatch
_PINYIN_FAMILY = frozenset(
    "wang li zhang liu chen yang zhao huang zhou wu xu sun zhu guo luo zheng xie tang deng feng xiao cheng cao peng "
    "zeng jiang cai jia ding liao zou xiong qin hou shao meng duan qian yin".split()
)
_PINYIN_COMPOUND = frozenset(
    "ouyang sima shangguan zhuge dongfang huangfu weichi gongsun xuanyuan linghu zhongli yuwen zhangsun murong situ "
    "sikong duanmu baili dongguo nanmen huyan ximen nangong dugu nalan wanyan xiahou puyang chunyu shentu".split()
)
_SYLLABLE = (
    "(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])"
    "(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|an|ao|ei|en|er|ia|ie|in|iu|ou|ua|ue|ui|un|uo|a|e|i|o|u)"
)
_two_syllables = re.compile(f"{_SYLLABLE}[' -]?{_SYLLABLE}").fullmatch
_FAMILY = frozenset(
    "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson "
    "anderson moore perez thompson sanchez ramirez robinson wright torres nguyen flores adams baker rivera campbell "
    "roberts gomez phillips evans turner diaz edwards collins reyes morales murphy rogers gutierrez ortiz peterson "
    "ramos richardson watson chavez mendoza hughes alvarez castillo sanders patel myers müller mueller schmidt "
    "schneider fischer weber meyer wagner becker schulz hoffmann koch bauer richter neumann zimmermann braun krüger "
    "hofmann hartmann dubois durand moreau lefebvre fournier rossi russo ferrari esposito bianchi colombo ricci ivanov "
    "petrov smirnov tanaka suzuki sato watanabe yamamoto nakamura kobayashi santos oliveira souza pereira "
    "ferreira".split()
)
_GIVEN = frozenset(
    "john mary james robert michael william david richard joseph charles christopher daniel matthew anthony donald "
    "steven andrew joshua kenneth kevin brian timothy ronald jason edward jeffrey jacob nicholas gary eric jonathan "
    "stephen larry justin brandon benjamin samuel patricia jennifer linda elizabeth barbara susan jessica sarah karen "
    "lisa nancy betty sandra margaret kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca "
    "laura sharon cynthia kathleen amy angela anna emma olivia sophia peter hans jürgen wolfgang klaus ursula pierre "
    "françois giovanni giuseppe maria josé jose luis carlos juan olga natasha hiroshi yuki".split()
)
_SUFFIXES = frozenset("jr sr ii iii iv md phd esq".split())


def swapped(*, given: str, family: str) -> bool:
    """Whether *given* looks like a family name and *family* like a given one.

    >>> swapped(given="王", family="小明"), swapped(given="Zhang", family="Xiaoming"), swapped(given="Li", family="Wei")
    (True, True, False)
    """
    if _hanzi(given) and _hanzi(family):
        return given in SINGLE | COMPOUND and family not in SINGLE | COMPOUND
    first, last = given.casefold(), family.casefold()
    if first in _PINYIN_FAMILY or first in _PINYIN_COMPOUND:
        return _two_syllables(last) is not None and last not in _PINYIN_COMPOUND
    return first in _FAMILY and last in _GIVEN


def split_hanzi(name: str, *, before_space: str = "") -> dict[str, object]:
    """Family and given name of a Chinese name, empty where the family name is not known.

    Args:
        name: without spaces.
        before_space: what stood before the only space; where that is no known family name, nothing is split.

    >>> split_hanzi("王小明"), split_hanzi("买买提·艾力"), split_hanzi("山田太郎", before_space="山田")
    ({'family': '王', 'given': '小明'}, {}, {})
    """
    if not 2 <= len(name) <= 5 or _HAN_DOT in name:
        return {}
    if len(name) > 2 and name[:2] in COMPOUND and before_space in ("", name[:2]):
        return {"family": name[:2], "given": name[2:]}
    if name[0] in SINGLE and len(name) <= 4 and before_space in ("", name[0]):
        return {"family": name[0], "given": name[1:]}
    return {}


def split_comma(name: str) -> dict[str, object]:
    """Family and given name of a name that is written with the family name and a comma first.

    >>> split_comma("Zhang, Wei"), split_comma("Anna Smith, Jr.")
    ({'family': 'Zhang', 'given': 'Wei'}, {})
    """
    family, _, given = (part.strip() for part in name.partition(","))
    if not family or not given or "," in given or given.rstrip(".").casefold() in _SUFFIXES:
        return {}
    return {"family": family, "given": given}
