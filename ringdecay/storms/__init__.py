"""Geomagnetic storms: found in an index by a stated rule, or read from a table of one's own."""

from ringdecay.storms.finding import find_storms
from ringdecay.storms.table import COLUMNS, STORM_CLASSES, check_number, classify, read_storms, write_storms

__all__ = ["COLUMNS", "STORM_CLASSES", "check_number", "classify", "find_storms", "read_storms", "write_storms"]
