"""Rows and states that the tests of the book share."""

from __future__ import annotations


def people(count, *, start=0):
    """Rows of customers, all different."""
    return [
        {
            "external_id": f"C{number:03d}",
            "given_name": "Anna",
            "family_name": "Example",
            "email": f"anna{number}@example.com",
            "phone": f"+1650555{number:04d}" if number < 10 else "",
            "birth_date": "1980-02-03",
            "street": "Sample Street",
            "house_number": str(number),
            "locality": "Springfield",
        }
        for number in range(start, start + count)
    ]


def payments(count, customers, *, start=0):
    """Rows of payments, spread over the customers."""
    return [
        {
            "id": f"t{number:03d}",
            "customer": f"C{number % customers:03d}",
            "date": "2024-03-01",
            "amount": f"{number}.25",
        }
        for number in range(start, start + count)
    ]


def state(book):
    """All records but the audit log, with their versions, and the number of events."""
    kinds = [
        kind + suffix
        for kind in ("customer", "account", "transaction", "merge", "reviewtask")
        for suffix in ("", ".history")
    ]
    with book.desk.store.unit(write=False) as unit:
        records = [(kind, record.id, record.version) for kind in kinds for record in unit.page(kind, "", 10_000)]
        return records, len(unit.feed("", 100_000))
