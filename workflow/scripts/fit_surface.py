"""Fit the smooth surface tau(E, L) to the decays of all storms, and write it as netCDF and CSV."""

from ringdecay.archive import read_lock
from ringdecay.logs import logged_to
from ringdecay.provenance import provenance, with_provenance
from ringdecay.store import open_dataset, write_dataset
from ringdecay.surface import surface_header, surface_or_reason, surface_table
from ringdecay.tables import write_csv

with logged_to(snakemake.log[0]):
    surface = surface_or_reason(open_dataset(snakemake.input.decays), confidence=snakemake.params.confidence, **snakemake.params.lifetimes)
    record = provenance(snakemake.config, read_lock(snakemake.input.lock))
    write_dataset(with_provenance(surface, record), snakemake.output.surface)
    write_csv(surface_table(surface), snakemake.output.table, surface_header(surface))
