"""The explorer: one HTML file per run in which its results can be looked into, from disk and without a network.

`choices` says between which fits a reader can choose and averages each over storms, `contents` collects all that the page shows, `packing`
makes text of its arrays, `page` puts the file together from `assets`, `running` does it for a run's folder. The numbers are found in
Python; the page's JavaScript only draws, sorts and writes them.
"""

from ringdecay.explorer.page import write_explorer
from ringdecay.explorer.running import explore, explorer_of_run

__all__ = ["explore", "explorer_of_run", "write_explorer"]
