"""Tables in and out: CSV files, frames and rows, and which column is which field."""

from custinfo._lazy import lazy_exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from custinfo.exchange._column_map import ColumnMap
    from custinfo.exchange._csv import CsvRows, Row, RowIssue, read_csv
    from custinfo.exchange._rows import TableRows, rows_of
    from custinfo.exchange._write import write_csv

__all__ = ["ColumnMap", "CsvRows", "Row", "RowIssue", "TableRows", "read_csv", "rows_of", "write_csv"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "ColumnMap": "custinfo.exchange._column_map",
        "CsvRows": "custinfo.exchange._csv",
        "Row": "custinfo.exchange._csv",
        "RowIssue": "custinfo.exchange._csv",
        "TableRows": "custinfo.exchange._rows",
        "read_csv": "custinfo.exchange._csv",
        "rows_of": "custinfo.exchange._rows",
        "write_csv": "custinfo.exchange._write",
    },
)
