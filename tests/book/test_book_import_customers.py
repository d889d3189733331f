"""Importing customers: every row is counted, nothing is lost, the same file changes nothing."""

from __future__ import annotations

import csv
import io

import pytest
from book_helpers import people, state

from custinfo.book import Book
from custinfo.errors import InvalidFieldError
from custinfo.exchange import read_csv, rows_of
from custinfo.model import CustomerStatus
from custinfo.store import MemoryStore


def csv_of(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def counts(report):
    return {name: count for name, count in report.counts.items() if count}


def test_every_row_becomes_a_customer_with_a_default_account(book):
    report = book.import_customers(people(12))
    assert counts(report) == {"rows": 12, "created": 12}
    customer = book.search(email="ANNA3@example.com")[0]
    assert customer.names[0].text == "Anna Example"
    assert customer.phones[0].value == "+16505550003"
    assert customer.addresses[0].building_number == "3"
    (account,) = book.accounts.find(customer_id=customer.id)
    assert account.currency == "USD"


def test_the_same_file_twice_changes_nothing_but_one_closing_audit_entry(book):
    data = csv_of(people(30))
    book.import_customers(data)
    before, entries = state(book), len(book.audit.entries())
    report = book.import_customers(data)
    assert counts(report) == {"rows": 30, "unchanged": 30}
    assert state(book) == before
    assert len(book.audit.entries()) == entries + 1


def test_a_changed_row_updates_only_its_customer(book):
    rows = people(5)
    book.import_customers(rows)
    rows[2]["email"] = "new@example.com"
    report = book.import_customers(rows)
    assert counts(report) == {"rows": 5, "updated": 1, "unchanged": 4}
    assert [customer.version for customer in book.search(email="new@example.com")] == [2]
    assert book.search(email="anna2@example.com") == []


def test_empty_cells_leave_what_is_known(book):
    book.import_customers(people(1))
    book.import_customers([{"external_id": "C000", "given_name": "", "email": "other@example.com"}])
    (customer,) = book.search(email="other@example.com")
    assert customer.names[0].given == "Anna"


def test_a_bad_value_is_left_out_and_noted_with_line_column_and_code(book):
    rows = people(3)
    rows[1]["birth_date"] = "1980-02-31"
    data = csv_of(rows)
    report = book.import_customers(data)
    assert counts(report) == {"rows": 3, "created": 3}
    assert [(issue.line, issue.field, issue.code) for issue in report.issues] == [(3, "birth_date", "date.impossible")]
    assert book.search(email="anna1@example.com")[0].birth_date is None


def test_issues_name_the_column_of_the_source(book):
    report = book.import_customers(
        [{"nr": "1", "born": "1980-02-31"}], mapping={"nr": "external_id", "born": "birth_date"}
    )
    assert [issue.field for issue in report.issues] == ["born"]


@pytest.mark.parametrize(
    ("cell", "code"),
    [("a\0b", "cell.nul"), ("x" * 1_000_000, "cell.too_long")],
)
def test_a_damaged_row_goes_to_quarantine(book, cell, code):
    rows = people(3)
    rows[1]["given_name"] = cell
    report = book.import_customers(csv_of(rows))
    assert counts(report) == {"rows": 3, "created": 2, "rejected": 1}
    assert [issue.code for issue in report.rejected_rows[0].issues] == [code]
    assert report.rejected_rows[0].line == 3


def test_a_row_with_too_many_fields_goes_to_quarantine(book):
    report = book.import_customers(b"external_id,given_name\nA,Anna\nB,Ben,surplus\n")
    assert counts(report) == {"rows": 2, "created": 1, "rejected": 1}
    assert report.codes() == {"row.too_many_fields": 1}


def test_a_row_without_its_match_value_goes_to_quarantine(book):
    report = book.import_customers([{"external_id": "", "given_name": "Anna"}])
    assert report.codes() == {"customer.no_match_value": 1}


def test_quarantined_rows_can_be_mended_and_imported_again(book, tmp_path):
    report = book.import_customers(b"external_id,given_name\nA,Anna\nB,Be\0n\n,Cleo\n")
    assert counts(report) == {"rows": 3, "created": 1, "rejected": 2}
    path = tmp_path / "rejected.csv"
    assert report.write_rejected(path) == 2
    mended = path.read_text(encoding="utf-8-sig").replace("\0", "").replace(",Cleo", "C,Cleo")
    again = book.import_customers(mended.encode())
    assert counts(again) == {"rows": 2, "created": 2}
    assert set(again.ignored) == {"custinfo_line", "custinfo_issues", "custinfo_surplus"}


def test_a_mended_file_can_be_written_once_more(book, tmp_path):
    report = book.import_customers(b"external_id,given_name\n,Anna\n")
    report.write_rejected(tmp_path / "one.csv")
    second = book.import_customers(tmp_path / "one.csv")
    assert second.write_rejected(tmp_path / "two.csv") == 1
    assert (tmp_path / "two.csv").read_text(encoding="utf-8-sig").startswith("external_id,given_name,custinfo_line")


def test_issues_can_be_written_as_csv(book, tmp_path):
    report = book.import_customers([{"external_id": "A", "birth_date": "1980-02-31"}])
    assert report.to_csv(tmp_path / "issues.csv") == 1
    assert "1,birth_date,date.impossible,error" in (tmp_path / "issues.csv").read_text(encoding="utf-8-sig")


def test_counts_add_up_to_the_rows_read(book):
    rows = people(20)
    rows[3]["external_id"] = ""
    rows[7]["birth_date"] = "never"
    book.import_customers(rows[:5])
    report = book.import_customers(rows)
    assert sum(report.counts.values()) - report.rows == report.rows


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", "csv.empty"),
        (b"external_id,given_name\nA,\xff\xfe\xfa\x81\n", "csv.encoding"),
        (b"given_name\nAnna\n", "import.match_on"),
    ],
)
def test_a_source_that_cannot_be_read_raises_and_is_audited(book, source, code):
    with pytest.raises(InvalidFieldError) as caught:
        book.import_customers(source)
    assert caught.value.code == code
    assert [(entry.action, entry.outcome) for entry in book.audit.entries()] == [("customers.import", "denied")]


def test_a_mapped_column_that_the_file_lacks_lists_those_there_are(book):
    with pytest.raises(InvalidFieldError, match="given_name") as caught:
        book.import_customers(b"external_id,given_name\nA,Anna\n", mapping={"mail": "email"})
    assert caught.value.code == "map.missing_column"


def test_an_unknown_target_lists_the_fields(book):
    with pytest.raises(InvalidFieldError, match="birth_date") as caught:
        book.import_customers(b"external_id,shoe\nA,41\n", mapping={"shoe": "shoe_size"})
    assert caught.value.code == "map.target"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"match_on": ("shoe",)}, "import.match_on"),
        ({"match_on": ()}, "import.match_on"),
        ({"on_match": "overwrite"}, "import.on_match"),
        ({"currency": "XXX"}, "currency.unknown"),
    ],
)
def test_wrong_options_are_refused_at_once(book, options, code):
    with pytest.raises(InvalidFieldError) as caught:
        book.import_customers(people(1), **options)
    assert caught.value.code == code


def test_on_match_skip_leaves_known_customers_alone(book):
    book.import_customers(people(2))
    rows = people(3)
    rows[0]["email"] = "new@example.com"
    assert counts(book.import_customers(rows, on_match="skip")) == {"rows": 3, "created": 1, "unchanged": 2}
    assert book.search(email="new@example.com") == []


def test_on_match_fail_quarantines_known_customers(book):
    book.import_customers(people(2))
    report = book.import_customers(people(3), on_match="fail")
    assert counts(report) == {"rows": 3, "created": 1, "rejected": 2}
    assert report.codes() == {"import.exists": 2}


def test_on_match_review_queues_the_change_once(book):
    book.import_customers(people(2))
    rows = people(2)
    rows[1]["email"] = "new@example.com"
    assert counts(book.import_customers(rows, on_match="review")) == {"rows": 2, "unchanged": 1, "review": 1}
    assert counts(book.import_customers(rows, on_match="review")) == {"rows": 2, "unchanged": 2}
    (task,) = book.reviews.scan()
    assert task.reason == "import.changed"
    assert task.proposal["emails"] == [{"value": "new@example.com"}]


def test_customers_are_matched_by_email_where_asked(book):
    book.import_customers(people(2))
    report = book.import_customers(
        [{"external_id": "X9", "email": "Anna1@Example.com", "phone": "+16505550999"}],
        match_on=("email",),
        source_name="other",
    )
    assert counts(report) == {"rows": 1, "updated": 1}
    (customer,) = book.search(phone="+1 650 555 0999")
    assert {identifier.issuer for identifier in customer.identifiers} == {"import", "other"}


def test_a_row_that_fits_two_customers_is_for_review(book):
    book.import_customers(
        [{"external_id": "A", "email": "x@example.com"}, {"external_id": "B", "email": "x@example.com"}]
    )
    report = book.import_customers([{"email": "x@example.com", "given_name": "Anna"}], match_on=("email",))
    assert counts(report) == {"rows": 1, "review": 1}
    assert next(book.reviews.scan()).reason == "import.ambiguous"


def test_two_rows_of_one_customer_in_one_file_are_one_customer(book):
    rows = [{"external_id": "A", "given_name": "Anna"}, {"external_id": "A", "given_name": "Ann"}, {"external_id": "A"}]
    assert counts(book.import_customers(rows)) == {"rows": 3, "created": 1, "updated": 1, "unchanged": 1}
    assert [customer.names[0].given for customer in book.customers.scan()] == ["Ann"]


def test_the_same_number_from_two_sources_is_two_customers(book):
    book.import_customers([{"external_id": "1", "given_name": "Anna"}], source_name="pos")
    report = book.import_customers([{"external_id": "1", "given_name": "Ben"}], source_name="web")
    assert counts(report) == {"rows": 1, "created": 1}


def test_an_erased_customer_does_not_come_back(book):
    book.import_customers(people(2))
    (customer,) = book.search(email="anna1@example.com")
    book.rights.erase(customer.id, "asked for it")
    report = book.import_customers(people(2))
    assert counts(report) == {"rows": 2, "unchanged": 1, "blocked": 1}
    assert book.customers.get(customer.id).status is CustomerStatus.ERASED


def test_hanzi_come_back_from_a_gb18030_file(book):
    data = "external_id,full_name,note\n1,王小明,喜欢茶\n".encode("gb18030")
    book.import_customers(data)
    (customer,) = book.search(name="王小明")
    assert customer.notes == ("喜欢茶",)


def test_rows_that_read_csv_gives_are_imported_and_closed(book):
    rows = read_csv(b"external_id^full_name\nA^Ann\nB^Bob^more\n", delimiter="^")
    report = book.import_customers(rows)
    assert (report.created, report.rejected, [issue.line for issue in report.issues]) == (1, 1, [3])
    assert list(rows) == []


def test_rows_that_rows_of_gives_are_imported(book):
    assert book.import_customers(rows_of([{"external_id": "A", "full_name": "Ann"}])).created == 1


def test_all_fields_of_a_row_find_their_place(book):
    row = {
        "external_id": "1",
        "national_id": "123-456",
        "given_name": "Anna",
        "middle_name": "B",
        "organization": "Example Ltd",
        "sex": "f",
        "address": "c/o Example",
        "sublocality": "North",
        "region": "CA",
        "country": "US",
        "postal_code": "94043",
        "tag": "vip",
        "note": "likes tea",
        "phone": "(650) 555-0100",
    }
    report = book.import_customers([row])
    assert report.issues == ()
    (customer,) = book.customers.find(tag="vip")
    assert customer.addresses[0].region_code == "US"
    assert customer.addresses[0].address_lines == ("c/o Example",)
    assert customer.phones[0].value == "+16505550100"
    assert [one.scheme for one in customer.identifiers] == ["external", "national_id"]
    assert (customer.organization, customer.sex, customer.notes) == ("Example Ltd", "f", ("likes tea",))


@pytest.mark.parametrize("source", [[], iter([]), b"external_id\n", {"external_id": []}])
def test_no_rows_are_no_error(book, source):
    assert book.import_customers(source).rows == 0


def test_the_file_is_closed_also_when_the_columns_do_not_fit(book, tmp_path):
    (tmp_path / "c.csv").write_bytes(b"shoe\n41\n")
    with pytest.raises(InvalidFieldError):  # an open file would end the run with a ResourceWarning
        book.import_customers(tmp_path / "c.csv")


def test_a_frame_can_be_imported():
    pandas = pytest.importorskip("pandas")
    book = Book(MemoryStore(), plaintext=True)
    frame = pandas.DataFrame({"external_id": [1, 2], "given_name": ["Anna", None]})
    assert book.import_customers(frame).created == 2


def test_progress_is_told_after_each_batch(book):
    seen = []
    book.import_customers(people(10), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(10, 10)]


def test_no_value_is_in_the_repr_of_a_report(book):
    rows = people(1)
    rows[0]["birth_date"] = "SECRETVALUE"
    report = book.import_customers(rows)
    assert "SECRETVALUE" not in repr(report) + repr(report.issues) + repr(report.rejected_rows) + report._repr_html_()
    assert ">1<" in report._repr_html_()


def test_a_row_with_another_identifier_but_no_external_id_goes_to_quarantine(book):
    rows = [{"external_id": "", "national_id": "123-456", "given_name": "Anna"}]
    assert book.import_customers(rows).codes() == {"customer.no_match_value": 1}
    assert list(book.customers.scan()) == []
