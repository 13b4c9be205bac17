"""Fetch the flux files of one probe and year, and lock their bytes."""

from ringdecay.archive import fetch, read_lock, write_lock
from ringdecay.logs import logged_to

with logged_to(snakemake.log[0]):
    params, probe, offline = snakemake.params, snakemake.wildcards.probe, snakemake.config["offline"]
    lock = read_lock(snakemake.input.locked) if snakemake.input.locked else None
    settings = {"cache": params.cache, "lock": lock, "offline": offline}
    write_lock(fetch(params.product, probe, *params.span, params.archive, **settings).lock, snakemake.output.lock)
