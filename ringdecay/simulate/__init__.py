"""A simulated ring current whose decay times are known, and the archive that two probes would make of it.

`make_truth` draws the world from a seed; `archive` writes what the probes measure as files in the layout of the real archive;
`binned_series` draws the same as binned flux without files; `index` and `storms` are the geomagnetic index and its storms.
Everything made here is marked as simulated.
"""

from ringdecay.simulate.binned import binned_series
from ringdecay.simulate.index import index, storms
from ringdecay.simulate.truth import DEFAULT_SEED, Truth, log_flux, make_truth, truth_dataset
from ringdecay.simulate.writer import archive

__all__ = ["DEFAULT_SEED", "Truth", "archive", "binned_series", "index", "log_flux", "make_truth", "storms", "truth_dataset"]
