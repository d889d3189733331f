"""The catalogue of codes: complete, append-only, in both languages, and never with a value in a sentence."""

from __future__ import annotations

import ast
import pickle
import string
from pathlib import Path

import pytest

import custinfo.validate
from custinfo.errors import InvalidFieldError
from custinfo.validate import BatchResult, Issue, Result, Validator, _catalogue, email
from custinfo.validate._base import BaseValidator
from custinfo.validate._catalogue import CODE_NAMES, _codes, _doc, _en, _zh
from custinfo.validate._catalogue._page import page

SOURCE = Path(custinfo.validate.__file__).parent
ROOT = SOURCE.parents[2]
VALIDATORS = [
    value
    for value in (getattr(custinfo.validate, name) for name in custinfo.validate.__all__)
    if isinstance(value, BaseValidator)
]


def literal_codes() -> set[str]:
    """Every text in the source that has the form of a code of the catalogue's families."""
    families = {code.split(".")[0] for code in CODE_NAMES if "." in code}
    found = set()
    for path in set(SOURCE.glob("*.py")) - {SOURCE / "_email_domains.py"}:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {
                    word
                    for word in node.value.split()
                    if word.count(".") == 1
                    and word.split(".")[0] in families
                    and set(word) <= {*string.ascii_lowercase, "_", "."}
                    and not word.endswith(".")
                }
    return found


def test_every_code_has_a_severity_two_sentences_and_a_line_of_documentation() -> None:
    codes = [code for code, _ in _codes.CODES]
    assert len(codes) == len(set(codes))
    assert {severity for _, severity in _codes.CODES} == {"error", "warning", "info"}
    assert list(_en.MESSAGES) == list(_zh.MESSAGES) == list(_doc.LINES) == codes
    assert all(_en.MESSAGES.values())
    assert all(_zh.MESSAGES.values())


def test_every_code_that_a_validator_names_is_in_the_catalogue() -> None:
    assert len(VALIDATORS) >= 19
    for validator in VALIDATORS:
        assert validator.codes <= set(CODE_NAMES), validator.name
        assert validator.codes


def test_every_code_written_in_the_source_is_in_the_catalogue_and_of_some_validator() -> None:
    known = set(CODE_NAMES)
    assert {code for code in literal_codes() if code not in known} == set()
    named = set().union(*(validator.codes for validator in VALIDATORS))
    of_schemas = {code for code in CODE_NAMES if code.startswith("rule.")} | {"", "rule", "value.placeholder"}
    assert set(CODE_NAMES) - named == of_schemas


def test_the_codes_their_numbers_and_severities_never_change() -> None:
    """Columns of numbers are kept by users: these lines are frozen, new codes come behind them and are added here."""
    frozen = [tuple(line.split()) for line in (Path(__file__).parent / "codes.txt").read_text("utf-8").splitlines()]
    assert list(_codes.CODES) == frozen


def test_sentences_name_only_the_figures_they_are_given() -> None:
    figures = {"max_length", "max_marks", "domain", "first", "last", "country", "currency", "code"}
    for code in CODE_NAMES[1:]:
        for messages in (_en.MESSAGES, _zh.MESSAGES):
            fields = {field for _, field, _, _ in string.Formatter().parse(messages[code]) if field}
            assert fields <= figures
            assert "{" not in Issue(code, params=dict.fromkeys(figures, "x")).message()


def test_the_page_of_codes_is_generated_from_the_catalogue() -> None:
    written = ROOT / "docs" / "reference" / "codes.md"
    if not written.exists():
        pytest.skip("the documentation is not beside the package")
    assert written.read_text("utf-8") == page(), (
        "run: python -m custinfo.validate._catalogue._page > docs/reference/codes.md"
    )


def test_the_page_on_choosing_a_validator_has_each_with_its_options_and_codes() -> None:
    written = ROOT / "docs" / "validate.md"
    if not written.exists():
        pytest.skip("the documentation is not beside the package")
    rows = {}
    for line in written.read_text("utf-8").splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            rows.setdefault(cells[0].strip("` "), cells)
    for validator in VALIDATORS:
        _, _, _, _, options, families, source = rows[validator.name]
        assert set(validator.option_names) == {
            word.strip("`,:") for word in options.split() if word.startswith("`") and '"' not in word
        }
        named = {code.split(".")[0] for code in validator.codes} - {"value"}
        assert named == {word.strip("`,").partition(".")[0] for word in families.split()}, validator.name
        assert source


def test_locales_may_have_a_region() -> None:
    issue = Issue("email.no_at")
    assert issue.message("zh-CN") == issue.message("zh") == _zh.MESSAGES["email.no_at"]
    assert issue.message("en_GB") == issue.message()
    with pytest.raises(InvalidFieldError, match="en, zh"):
        issue.message("fr")


def test_a_code_of_a_rule_of_ones_own_has_a_sentence() -> None:
    issue = Issue("bank.home_country")
    assert issue.severity == "error"
    assert issue.message() == "The value breaks the rule bank.home_country."


def test_issues_and_results_are_values() -> None:
    issue = Issue("value.too_long", path="name", params={"max_length": 3})
    assert issue == Issue("value.too_long", "error", "name", {"max_length": 3})
    assert issue != Issue("value.too_long", "error", "name", {"max_length": 4})
    assert issue != "value.too_long"
    assert issue.message() == "The value is longer than 3 characters."
    assert len({issue, Issue("value.too_long", "error", "name", {"max_length": 3})}) == 1
    assert pickle.loads(pickle.dumps(issue)) == issue
    assert issue.at("names[0]").path == "names[0].name"
    assert issue.at("").path == "name"
    assert repr(issue) == "Issue('value.too_long', 'error', path='name')"
    for name in ("code", "severity", "path", "params", "other"):
        with pytest.raises(AttributeError):
            setattr(issue, name, "x")
    with pytest.raises(TypeError):
        issue.params["max_length"] = 5  # type: ignore[index]
    result = Result("x", (Issue("name.digits"),), {"script": "Latn"})
    assert result
    assert result.ok
    assert result.unwrap() == "x"
    assert pickle.loads(pickle.dumps(result)) == result
    assert result != Result("x")
    assert result != "x"
    with pytest.raises(AttributeError):
        result.value = "y"  # type: ignore[misc]
    with pytest.raises(TypeError):
        hash(result)
    assert Result("dropped", (issue,)).value is None


def test_unwrap_raises_the_first_error_without_the_value() -> None:
    with pytest.raises(InvalidFieldError) as caught:
        email("secret.person.example.com").unwrap()
    assert caught.value.code == "email.no_at"
    assert "secret" not in str(caught.value) + repr(caught.value)
    with pytest.raises(InvalidFieldError) as caught:
        Result(None, (Issue("name.digits"), Issue("text.control", path="names[0]"))).unwrap()
    assert (caught.value.code, caught.value.path) == ("text.control", "names[0]")


@pytest.mark.parametrize("validator", VALIDATORS, ids=lambda part: part.name)
def test_each_validator_is_one_by_the_protocol_and_can_be_configured(validator: BaseValidator[object]) -> None:
    assert isinstance(validator, Validator)
    assert repr(validator) == validator.name
    with pytest.raises(InvalidFieldError, match="unknown option"):
        validator.with_options(no_such_option=1)
    assert repr(pickle.loads(pickle.dumps(validator))) == repr(validator)


def test_a_configured_copy_says_its_options() -> None:
    copy = email.with_options(strict=True)
    assert repr(copy) == "email.with_options(strict=True)"
    assert repr(copy.with_options(strict=None)) == "email"
    assert repr(pickle.loads(pickle.dumps(copy))) == repr(copy)


def test_a_batch_says_which_rows_failed_and_why() -> None:
    batch = email.many(["a@example.com", "b", None, "c@example.com"])
    assert batch.ok.tolist() == [True, False, False, True]
    assert batch.codes.dtype == "uint16"
    assert [batch.code_names[number] for number in batch.codes] == ["", "email.no_at", "value.missing", ""]
    assert batch.counts() == {"email.no_at": 1, "value.missing": 1}
    assert [(row, issue.code) for row, issue in batch.failures()] == [(1, "email.no_at"), (2, "value.missing")]
    assert len(batch) == 4
    assert repr(batch) == "BatchResult(rows=4, errors=2)"
    assert batch.to_dict()["code"].tolist() == ["", "email.no_at", "value.missing", ""]
    assert batch.to_pandas()["value"].tolist()[0] == "a@example.com"
    assert not batch.codes.flags.writeable
    assert BatchResult([], {}).ok.tolist() == []
    assert batch._repr_html_()
    assert _catalogue.severity_of("email.no_at") == "error"
