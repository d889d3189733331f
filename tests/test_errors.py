"""The error tree: codes, built-in bases, and errors that survive a trip to another process."""

import copy
import inspect
import pickle

import pytest

from custinfo import errors
from custinfo.errors import CustInfoError, InvalidFieldError, InvalidRecordError, MissingExtraError, missing_extra

CLASSES = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, CustInfoError)]
SIMPLE = [cls for cls in CLASSES if cls is not InvalidRecordError]
BASES = {
    "InvalidFieldError": ValueError,
    "InvalidRecordError": ExceptionGroup,
    "RecordNotFoundError": KeyError,
    "AccessDeniedError": PermissionError,
    "KeyDestroyedError": errors.DecryptionError,
    "MissingExtraError": ImportError,
}


def group():
    members = [InvalidFieldError("a is wrong", path="a"), InvalidFieldError("b is wrong", code="b.wrong", path="b")]
    return InvalidRecordError("2 fields are wrong", members, code="record.wrong", row=7)


@pytest.mark.parametrize("cls", SIMPLE)
def test_an_error_keeps_message_code_and_details_through_pickle_and_copy(cls):
    error = cls("what was wrong; what to do", code="some.code", row=3)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is cls
        assert (twin.message, str(twin), twin.code) == (
            "what was wrong; what to do",
            "what was wrong; what to do",
            "some.code",
        )
        assert twin.details["row"] == 3


@pytest.mark.parametrize("cls", SIMPLE)
def test_the_text_of_an_error_is_its_message(cls):
    """A KeyError alone would show the repr of its argument."""
    assert str(cls("no such customer")) == "no such customer"


def test_every_class_has_a_code_of_its_own_that_one_error_can_refine():
    assert len({cls.code for cls in CLASSES}) == len(CLASSES)
    assert errors.ConflictError("x").code == "conflict"
    assert errors.ConflictError("x", code="legal_hold").code == "legal_hold"
    assert errors.ConflictError.code == "conflict"


@pytest.mark.parametrize(("name", "base"), BASES.items())
def test_an_error_is_also_the_built_in_error_that_a_caller_expects(name, base):
    assert issubclass(getattr(errors, name), base)


def test_every_error_stands_in_the_tree_of_the_docstring_and_in_all():
    for cls in CLASSES:
        assert cls.__name__ in errors.__doc__
        assert cls.__name__ in errors.__all__


def test_a_field_error_says_which_field():
    error = pickle.loads(pickle.dumps(InvalidFieldError("bad", path="emails.0.value")))
    assert error.path == error.details["path"] == "emails.0.value"


def test_a_group_holds_all_wrong_fields_through_pickle():
    twin = pickle.loads(pickle.dumps(group()))
    assert (twin.message, twin.code, twin.details["row"]) == ("2 fields are wrong", "record.wrong", 7)
    assert [(error.path, error.code) for error in twin.exceptions] == [("a", "field"), ("b", "b.wrong")]


def test_a_group_can_be_split_and_its_parts_are_groups_too():
    wrong, rest = group().split(lambda error: getattr(error, "path", "") == "a")
    assert isinstance(wrong, InvalidRecordError)
    assert isinstance(rest, InvalidRecordError)
    assert [error.path for error in rest.exceptions] == ["b"]
    assert (wrong.code, dict(wrong.details)) == ("record.wrong", {"row": 7})


def test_a_group_is_caught_as_one_error_of_custinfo_and_field_by_field():
    with pytest.raises(CustInfoError):
        raise group()
    caught = []
    try:
        raise group()
    except* InvalidFieldError as wrong:
        caught = [error.path for error in wrong.exceptions]
    assert caught == ["a", "b"]


def test_a_missing_extra_is_told_as_the_command_that_installs_it():
    error = missing_extra("pyarrow.parquet", extra="parquet", cause=ModuleNotFoundError(name="pyarrow"))
    assert isinstance(error, MissingExtraError)
    assert "pip install 'custinfo[parquet]'" in str(error)
    assert (error.code, error.details["extra"]) == ("missing_extra", "parquet")
    assert pickle.loads(pickle.dumps(error)).details == error.details


def test_a_broken_install_is_not_told_as_a_missing_one():
    cause = ModuleNotFoundError("No module named 'six'", name="six")
    with pytest.raises(ModuleNotFoundError) as caught:
        missing_extra("matplotlib", extra="plot", cause=cause)
    assert caught.value is cause


def test_a_missing_module_without_a_name_is_told_as_the_missing_extra():
    assert isinstance(missing_extra("tqdm", extra="notebook", cause=ModuleNotFoundError()), MissingExtraError)
