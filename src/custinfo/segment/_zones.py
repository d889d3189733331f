"""The clock of each customer's own time zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np

from custinfo._columns import Column
from custinfo.errors import InvalidFieldError
from custinfo.model import zone_of
from custinfo.segment._labels import labelled, objects
from custinfo.segment._rows import Rows
from custinfo.segment._time import local_moments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]

Zones = str | Mapping[Any, str | dt.tzinfo] | None


def zone_column(zones: Zones) -> tuple[str, ...]:
    """The column to read for *zones*, where it names one."""
    return (zones,) if isinstance(zones, str) else ()


def own_local_moments(rows: Rows, zones: Zones) -> Int64:
    """What the clock of the row's own zone shows, in microseconds; the table's zone where no own one is known.

    Args:
        rows: the rows.
        zones: a column with names of the IANA database, or a mapping of customer id -> zone, or None.

    Raises:
        InvalidFieldError: "time.zone" (no such zone).
    """
    if zones is None or not len(rows):
        return local_moments(rows.moments, rows.zone)
    if isinstance(zones, str):
        codes, labels = labelled(rows.extra[zones], name=zones)
    elif isinstance(zones, Mapping):
        of_customer, labels = _numbered_zones(zones, rows.customers)
        codes = of_customer[rows.codes]
    else:
        raise InvalidFieldError(
            "zones must name a column of time zones, or be a mapping of customer id -> zone",
            code="time.zone",
            path="zones",
        )
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(labels) + 1))
    local = np.empty(len(rows), np.int64)
    for i, label in enumerate(labels.tolist()):
        mine = order[bounds[i] : bounds[i + 1]]
        local[mine] = local_moments(rows.moments[mine], rows.zone if label is None else _zone(label))
    return local


def _zone(label: Any) -> dt.tzinfo:
    try:
        return zone_of(label)
    except InvalidFieldError:  # its path names the argument of a single zone
        raise _no_zone() from None


def _no_zone() -> InvalidFieldError:
    return InvalidFieldError(
        "zones must be names of the IANA database such as 'Asia/Shanghai'; one of them is not",
        code="time.zone",
        path="zones",
    )


def _numbered_zones(zones: Mapping[Any, str | dt.tzinfo], customers: Column) -> tuple[Int64, Column]:
    given = [zones.get(customer) for customer in customers.tolist()]
    number: dict[Any, int] = {}
    try:
        codes = np.fromiter((number.setdefault(zone, len(number)) for zone in given), np.int64, len(given))
    except TypeError:
        raise _no_zone() from None
    return codes, objects(list(number))
