"""Key collision equals what OpenRefine documents; clusters are the same in every order."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.dedupe import _text, cluster_values, fingerprint, ngram_fingerprint
from custinfo.dedupe._cologne import cologne
from custinfo.errors import InvalidFieldError, MissingExtraError


@pytest.mark.parametrize(
    ("text", "key"),
    [
        # OpenRefine, Clustering In Depth, "Fingerprint"
        ("Cruise, Tom", "cruise tom"),
        ("Tom Cruise", "cruise tom"),
        ("gödel", "godel"),
        ("godél", "godel"),
        # cases that its own tests state (KeyerTests, 2024)
        ("the multi multi word test", "multi test the word"),
        (" école ÉCole ecoLe ", "ecole"),
        (" d c b a ", "a b c d"),
        ("\tABC \t DEF ", "abc def"),
        ("bbb\taaa", "aaa bbb"),
        ("æø", "aeoe"),
        ("©ß", "css"),
        ("ÐÞ", "dth"),
        ("ﬀﬁﬂﬃﬅﬆ", "fffiflffistst"),
        ("ŉ", "n"),
        ("ĸŊŋŦŧĦħŁłĿŀİı", "knntthhllllii"),
        ("ẖẗẘẙẚẛẜẝẞ", "htwyasssss"),
        ("Œœ ſ", "oeoe s"),
        ("", ""),
        (" .,; ", ""),
        ("A\x00B\x7f", "ab"),
    ],
)
def test_fingerprints_are_those_of_openrefine(text, key):
    assert fingerprint(text) == key


@pytest.mark.parametrize(
    ("text", "n", "key"),
    [
        ("Paris", 2, "arispari"),
        ("Paris", 1, "aiprs"),
        ("abcdefg", 2, "abbccddeeffg"),
        ("", 2, ""),
        ("a", 2, ""),
        ("bé bé", 2, "beeb"),
    ],
)
def test_ngram_fingerprints_are_those_of_openrefine(text, n, key):
    assert ngram_fingerprint(text, n) == fingerprint(text, "ngram", n=n) == key


def test_one_letter_runs_bring_together_what_openrefine_says():
    found = cluster_values(["Krzysztof", "Kryzysztof", "Krzystof", "Anna"], method="ngram", n=1)
    assert [set(cluster.values) for cluster in found] == [{"Krzysztof", "Kryzysztof", "Krzystof"}]
    assert cluster_values(["Krzysztof", "Kryzysztof", "Krzystof"]) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Guten Morgen", "426746"),  # OpenRefine's page
        # Postel 1969 and the tests of Apache Commons Codec
        ("Wikipedia", "3412"),
        ("Breschnew", "17863"),
        ("Mueller-Luedenscheidt", "65752682"),
        ("Xaver", "4837"),
        ("Axt", "0482"),
        ("Cx", "48"),
        ("Christa", "4782"),
        ("Cesar", "887"),
        ("Schach", "84"),
        ("Philipp", "351"),
        ("Tzar", "87"),
        ("", ""),
        ("123", ""),
    ],
)
def test_sounds_have_the_published_codes(text, code):
    assert cologne(text) == code


def test_what_sounds_alike_meets():
    assert len(cluster_values(["Reuben Gevorkiantz", "Ruben Gevorkyants"], method="phonetic")) == 1
    assert fingerprint("Müller", "phonetic") == fingerprint("Miller", "phonetic")


def test_pinyin_meets_hanzi_in_both_orders_and_written_together():
    pytest.importorskip("pypinyin")
    keys = fingerprint(["张伟", "Zhang Wei", "wei zhang", "Weizhang", "ZhangWei"], "pinyin")
    assert set(keys) == {"wei zhang"}
    assert fingerprint("欧阳娜娜", "pinyin") == fingerprint("Ouyang Nana", "pinyin")
    assert fingerprint("Smith Wxyz", "pinyin") == "smith wxyz"


def test_pinyin_without_the_extra_says_what_to_install(monkeypatch):
    monkeypatch.setattr(_text, "_pinyin", lambda: None)
    with pytest.raises(MissingExtraError, match=r"custinfo\[zh\]"):
        fingerprint("张伟", "pinyin")


def test_cells_that_are_missing_or_no_text_have_a_key_too():
    assert fingerprint([None, float("nan"), b"Caf\xc3\xa9", 12, "N/A"]) == ["", "", "cafe", "12", "na"]
    assert fingerprint(b"Abc") == "abc"
    assert fingerprint(7) == "7"
    assert ngram_fingerprint(None) == ""
    assert cluster_values([None, float("nan"), "", " ", "."]) == []


def test_clusters_suggest_the_most_frequent_writing_and_largest_come_first():
    cells = ["acme", "Acme", "Acme", "ACME!", "zeta", "Zeta", "Zeta", "Zeta", "Zeta"]
    first, second = cluster_values(cells)
    assert (first.suggestion, first.values, first.counts) == ("Acme", ("Acme", "ACME!", "acme"), (2, 1, 1))
    assert (second.suggestion, second.counts, second.key) == ("Zeta", (4, 1), "zeta")
    assert "Acme" not in repr(first)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: fingerprint("a", "soundex"), "fingerprint.method"),
        (lambda: cluster_values(["a"], method="x"), "fingerprint.method"),
        (lambda: ngram_fingerprint("a", 0), "fingerprint.n"),
        (lambda: cluster_values(["a"], method="ngram", n=0), "fingerprint.n"),
    ],
)
def test_wrong_options_name_their_code(call, code):
    with pytest.raises(InvalidFieldError) as caught:
        call()
    assert caught.value.code == code


@given(st.text(max_size=30))
def test_a_fingerprint_is_the_key_of_itself(text):
    key = fingerprint(text)
    assert fingerprint(key) == key
    assert ngram_fingerprint(text, 1) == "".join(ngram_fingerprint(text, 1))


WORDS = st.lists(st.text(string.ascii_letters + "éß.,", min_size=1, max_size=4), min_size=1, max_size=4)


@given(WORDS, st.randoms(use_true_random=False))
def test_order_case_and_punctuation_of_words_do_not_matter(words, shuffle):
    mixed = [word.upper() if shuffle.random() < 0.5 and "ß" not in word else f"{word}," for word in words]
    shuffle.shuffle(mixed)
    assert fingerprint(" ".join(words)) == fingerprint("  ".join(mixed))


@given(st.lists(st.text("aAbB ,", max_size=4), max_size=20))
def test_clusters_are_the_groups_of_equal_keys_in_every_order(cells):
    found = cluster_values(cells)
    mixed = list(cells)
    random.Random(0).shuffle(mixed)
    assert cluster_values(mixed) == found
    slow = {}
    for cell in set(cells):
        slow.setdefault(fingerprint(cell), set()).add(cell)
    wanted = {frozenset(group) for key, group in slow.items() if key and len(group) > 1}
    assert {frozenset(cluster.values) for cluster in found} == wanted


def test_a_long_cell_has_a_key_soon():
    assert len(fingerprint("word " * 200_000)) == 4
    assert ngram_fingerprint("ab" * 500_000) == "abba"
    assert fingerprint("wo" * 100_000, "phonetic") == "3" * 100_000
    if _text.has_pinyin():
        assert fingerprint("wo" * 100_000, "pinyin") == "wo" * 100_000
