"""Make the demonstration archive; its truth is moved into place last, when every file is there."""

from pathlib import Path

import numpy as np

from ringdecay import simulate
from ringdecay.logs import logged_to

# Worker processes import this file again; only the job itself may run it.
if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        start, stop = snakemake.params.span
        days = int((np.datetime64(stop) - np.datetime64(start)).astype(int))
        simulate.archive(
            Path(snakemake.output.truth).parent, start=start, days=days, probes=snakemake.params.probes, workers=snakemake.threads
        )
