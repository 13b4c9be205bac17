"""What a result says, on one page: tables that a notebook shows as HTML and a terminal as text.

Results stay plain Datasets and tables; `summary` reads them and changes nothing. `page` is the page and its two forms, `flags` puts flags
into words, `fits` and `means` write of fits and of what is said over storms, `inputs` of storms and binned flux, `choice` finds out what
a result is.
"""

from ringdecay.summaries.choice import summary
from ringdecay.summaries.flags import MEANINGS
from ringdecay.summaries.page import Cell, Summary, Table

__all__ = ["MEANINGS", "Cell", "Summary", "Table", "summary"]
