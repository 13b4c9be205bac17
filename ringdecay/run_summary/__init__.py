"""A run on one page: what was done, what was found, what was refused, where the rest is.

`counts` puts it into plain numbers and words (`summary.json`, which the captions of the report read too), `page` makes a page of these.
"""

from ringdecay.run_summary.counts import summarise
from ringdecay.run_summary.page import summary_page

__all__ = ["summarise", "summary_page"]
