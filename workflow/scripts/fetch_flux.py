"""Fetch the flux files of one probe and month, and lock their bytes."""

from ringdecay.archive import fetch, write_lock
from ringdecay.logs import logged_to

with logged_to(snakemake.log[0]):
    params = snakemake.params
    fetched = fetch(params.product, snakemake.wildcards.probe, *params.span, params.archive, cache=params.cache)
    write_lock(fetched.lock, snakemake.output.lock)
