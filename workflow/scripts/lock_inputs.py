"""Join the locks of all jobs into one table of every input file."""

import pandas as pd

from ringdecay.archive import lock_files, read_lock, write_lock
from ringdecay.logs import logged_to

with logged_to(snakemake.log[0]):
    locks = [read_lock(path) for path in (*snakemake.input.flux, snakemake.input.index)]
    locks += [lock_files([snakemake.input.storms])] if snakemake.input.storms else []
    write_lock(pd.concat([lock for lock in locks if len(lock)] or locks[:1], ignore_index=True), snakemake.output.lock)
