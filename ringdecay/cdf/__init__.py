"""Reading Common Data Format files: variables by name, and their times as UTC. Knows nothing of ring currents."""

from ringdecay.cdf.content import CdfFile, CdfVariable
from ringdecay.cdf.epochs import strictly_increasing, to_datetime64
from ringdecay.cdf.read import READERS, StoredFile, StoredVariable, open_cdf, read_cdf, reading_cdf
from ringdecay.cdf.signature import is_cdf, looks_like_html
from ringdecay.cdf.verify import verify_cdf

__all__ = [
    "READERS",
    "CdfFile",
    "CdfVariable",
    "StoredFile",
    "StoredVariable",
    "is_cdf",
    "looks_like_html",
    "open_cdf",
    "read_cdf",
    "reading_cdf",
    "strictly_increasing",
    "to_datetime64",
    "verify_cdf",
]
