"""Bin the files of one probe and month or year, exactly those that were locked."""

from ringdecay.archive import fetch, read_lock
from ringdecay.binned import Grid, bin_flux, exclusions
from ringdecay.logs import logged_to
from ringdecay.schedule import dask_on
from ringdecay.store import write_dataset

# Worker processes import this file again; only the job itself may run it.
if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        params, probe = snakemake.params, snakemake.wildcards.probe
        lock = read_lock(snakemake.input.lock)
        settings = {"cache": params.cache, "lock": lock, "lock_is_fresh": True, "offline": snakemake.config["offline"]}
        files = fetch(params.product, probe, *params.span, params.archive, **settings).files
        with dask_on(snakemake.config["dask"], snakemake.threads, files=files):
            given = {"product": params.product, "probe": probe, "exclude": exclusions(params.exclude), "reader": params.reader}
            binned = bin_flux(files, Grid(**params.grid), **given)
        write_dataset(binned, snakemake.output.binned, fast=True)
