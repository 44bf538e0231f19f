"""Tables: what their columns mean, and the way to text, to JSON, to the terminal and back.

Tables are tab-separated as BIDS has them: a header line, ``n/a`` for what is not known, and
beside them a JSON that describes the columns. A tab, a line break or another character that would
break a line, as file names may hold, is written as in Python's strings (``\\t``, ``\\n``, and
``\\\\`` for a backslash), so that every line has one cell a column.

Tables of anybody are read by one policy (:func:`read_sheet`), whatever they are about. A reader
says which columns it needs and of which kind their cells are; what is no such cell is a
:class:`CellError` with file, line, column, content and what is allowed. A missing value is
``None``; an infinite one is an error.
"""

from sct_rootlets.tables.columns import Column, column, columns, columns_of, decimals, describe
from sct_rootlets.tables.kinds import CellError, number_in
from sct_rootlets.tables.matrices import read_matrix
from sct_rootlets.tables.reading import Line, TextTable, read_header, read_sheet
from sct_rootlets.tables.writing import aligned, cells, to_text, unescaped

__all__ = [
    "CellError",
    "Column",
    "Line",
    "TextTable",
    "aligned",
    "cells",
    "column",
    "columns",
    "columns_of",
    "decimals",
    "describe",
    "number_in",
    "read_header",
    "read_matrix",
    "read_sheet",
    "to_text",
    "unescaped",
]
