"""Fit some cells by equatorial pitch angle, and write the mean rates beside the predicted."""

from functools import partial

from ringdecay.archive import read_lock
from ringdecay.binned import merge_binned
from ringdecay.indices import open_index
from ringdecay.logs import logged_to
from ringdecay.pitch_angles import pitch_angle_lifetimes
from ringdecay.provenance import provenance, with_provenance
from ringdecay.schedule import dask_on
from ringdecay.sensitivity import chosen_cells
from ringdecay.store import open_array, open_dataset, write_dataset
from ringdecay.storms import read_storms
from ringdecay.tables import csv_header, lifetime_table, write_csv

if __name__ == "__main__":
    with logged_to(snakemake.log[0]), dask_on("processes", snakemake.threads):
        data, params, chosen = snakemake.input, snakemake.params, partial(chosen_cells, **snakemake.params.cells)
        given = {"probe": params.probe, "windows": params.windows, "kp": open_index(list(data.Kp), "Kp") if data.Kp else None}
        flux, decays = merge_binned(open_dataset(path, chosen) for path in data.binned), chosen(open_dataset(data.decays))
        means = pitch_angle_lifetimes(flux, read_storms(data.storms), decays, open_array(data.index), **given, **params.fit)
        write_dataset(with_provenance(means, provenance(snakemake.config, read_lock(data.lock))), snakemake.output.lifetimes)
        table, title = lifetime_table(means), "Decay times by equatorial pitch angle: a row a bin of pitch angle, energy and L-shell"
        write_csv(table, snakemake.output.table, csv_header(means, table, title))
