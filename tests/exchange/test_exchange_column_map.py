"""Which column fills which field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custinfo.errors import InvalidFieldError
from custinfo.exchange import ColumnMap, read_csv

TARGETS = ("email", "family_name", "given_name", "external_id")


def refusal(mapping, columns=("Mail", "email", "Nr")):
    with pytest.raises(InvalidFieldError) as caught:
        ColumnMap.of(mapping, columns=columns, targets=TARGETS)
    return caught.value


def test_columns_with_a_standard_name_need_no_mapping_and_the_others_are_reported():
    columns = ColumnMap.of(columns=["family_name", "shoe size", "email"], targets=TARGETS)
    assert columns.pairs == (("family_name", "family_name"), ("email", "email"))
    assert columns.ignored == ("shoe size",)
    assert columns.fields == ("family_name", "email")


def test_a_mapped_column_fills_its_field_before_one_that_bears_its_name():
    columns = ColumnMap.of({"Mail": "email"}, columns=["email", "Mail"], targets=TARGETS)
    assert columns.apply({"email": "old@example.com", "Mail": "ann@example.com"}) == {"email": "ann@example.com"}
    assert columns.ignored == ("email",)
    assert columns.column_of("email") == "Mail"
    assert columns.column_of("given_name") is None


def test_one_column_can_fill_several_fields_and_be_left_out():
    columns = ColumnMap.of(
        {"Name": ["given_name", "family_name"], "email": None}, columns=["Name", "email"], targets=TARGETS
    )
    assert columns.apply({"Name": "Ann", "email": "x"}) == {"given_name": "Ann", "family_name": "Ann"}
    assert columns.ignored == ("email",)


def test_a_row_of_a_file_is_mapped():
    rows = read_csv(b"Nr,Mail\n7,ann@example.com\n8\n")
    columns = ColumnMap.of({"Nr": "external_id", "Mail": "email"}, columns=rows.columns, targets=TARGETS)
    assert [columns.apply(row) for row in rows] == [
        {"external_id": "7", "email": "ann@example.com"},
        {"external_id": "8", "email": ""},
    ]


def test_an_unknown_field_is_refused_and_those_that_there_are_are_listed():
    error = refusal({"Mail": "e-mail"})
    assert error.code == "map.target"
    assert str(error) == (
        "unknown field 'e-mail' in the column map; fields are 'email', 'external_id', 'family_name', 'given_name'"
    )


def test_a_column_that_the_file_lacks_is_refused_and_those_that_there_are_are_listed():
    error = refusal({"E-Mail": "email"})
    assert error.code == "map.missing_column"
    assert str(error) == "no column 'E-Mail' in the file; its columns are 'Mail', 'email', 'Nr'"


def test_two_columns_for_one_field_are_refused():
    error = refusal({"Mail": "email", "Nr": "email"})
    assert (error.code, error.details["repeated"]) == ("map.repeated_target", ["email"])


@given(
    st.lists(st.sampled_from(["Mail", "Nr", *TARGETS]), unique=True),
    st.dictionaries(st.sampled_from(["Mail", "Nr", *TARGETS]), st.sampled_from([None, *TARGETS])),
)
def test_each_field_has_one_column_and_each_column_is_used_or_ignored(columns, mapping):
    mapping = {column: field for column, field in mapping.items() if column in columns}
    filled = [field for field in mapping.values() if field]
    if len(filled) > len(set(filled)):
        return
    found = ColumnMap.of(mapping, columns=columns, targets=TARGETS)
    assert len(set(found.fields)) == len(found.fields)
    assert sorted({column for column, _ in found.pairs} | set(found.ignored)) == sorted(columns)
    assert set(filled) <= set(found.fields)
    assert all(column == field or mapping.get(column) == field for column, field in found.pairs)
