"""Add the binned months or years of all probes, and write the table of files."""

from functools import partial

from ringdecay.binned import file_table, merge_binned, select_flux
from ringdecay.logs import logged_to
from ringdecay.store import SIMULATED_NOTE, is_simulated, open_dataset, write_dataset
from ringdecay.tables import write_csv

with logged_to(snakemake.log[0]):
    # Only the flux that is chosen is read: seven times less than that of all pitch angles.
    chosen = partial(select_flux, equatorial_pitch_angle=snakemake.params.equatorial_pitch_angle)
    binned = merge_binned(open_dataset(path, chosen) for path in snakemake.input.binned)
    write_dataset(binned, snakemake.output.binned, fast=True)
    simulated = [SIMULATED_NOTE] if is_simulated(binned) else []
    write_csv(file_table(binned), snakemake.output.files, [*simulated, "Flux files: used or refused, and why"])
