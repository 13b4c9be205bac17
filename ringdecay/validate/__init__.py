"""The proof: what the package claims of its rates, intervals and limits, measured on simulated data with known truth.

`worlds` draws series whose rates are known, `measures` runs the public functions on them and counts, `claims` lists what is claimed
with its goals and the worlds to measure it in, `run` does it all, `report` writes it.
"""

from ringdecay.validate.claims import CLAIMS, DEFAULT_SEED, TRIALS, Claim
from ringdecay.validate.report import markdown, write_report
from ringdecay.validate.run import summary, validate

__all__ = ["CLAIMS", "DEFAULT_SEED", "TRIALS", "Claim", "markdown", "summary", "validate", "write_report"]
