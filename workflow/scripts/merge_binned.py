"""Add the binned months or years of all probes, and write the table of files."""

from ringdecay.binned import file_table, merge_binned, select_flux
from ringdecay.logs import logged_to
from ringdecay.store import SIMULATED_NOTE, is_simulated, open_dataset, write_dataset
from ringdecay.tables import write_csv

with logged_to(snakemake.log[0]):
    # The flux is chosen before the parts are added, so that seven years of all pitch angles are never in memory at once.
    parts = (select_flux(open_dataset(path), snakemake.params.equatorial_pitch_angle) for path in snakemake.input.binned)
    binned = merge_binned(parts)
    write_dataset(binned, snakemake.output.binned)
    simulated = [SIMULATED_NOTE] if is_simulated(binned) else []
    write_csv(file_table(binned), snakemake.output.files, [*simulated, "Flux files: used or refused, and why"])
