"""Fetch the storm index, or take the user's own files, and store it as one series."""

from pathlib import Path

from ringdecay.archive import fetch, lock_files, write_lock
from ringdecay.indices import open_index
from ringdecay.logs import logged_to
from ringdecay.store import write_dataset

with logged_to(snakemake.log[0]):
    params = snakemake.params
    if snakemake.input.files:
        files, lock = list(snakemake.input.files), lock_files(snakemake.input.files)
    else:
        fetched = fetch(params.index["product"], None, *params.span, params.archive, cache=params.cache)
        files, lock = fetched.files, fetched.lock
    index = open_index(files, params.index["name"])
    if (Path(params.archive) / "truth.nc").exists() and not snakemake.input.files:
        # OMNI2's text has no place to say it, but the simulated archive has its truth beside it.
        index.attrs["simulated"] = "yes"
    write_dataset(index.to_dataset(), snakemake.output.index)
    write_lock(lock, snakemake.output.lock)
