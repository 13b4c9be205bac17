"""Fit some cells with other windows, bins and estimators, and write their decay times beside the run's own."""

from functools import partial

from ringdecay.archive import read_lock
from ringdecay.binned import with_merged_probe
from ringdecay.decays import FLUX_SUMS
from ringdecay.logs import logged_to
from ringdecay.provenance import provenance, with_provenance
from ringdecay.schedule import dask_on
from ringdecay.sensitivity import chosen_cells, sensitivity
from ringdecay.store import open_array, open_dataset, write_dataset
from ringdecay.storms import read_storms
from ringdecay.tables import csv_header, lifetime_table, write_csv

if __name__ == "__main__":
    with logged_to(snakemake.log[0]), dask_on("processes", snakemake.threads):
        data, params, chosen = snakemake.input, snakemake.params, partial(chosen_cells, **snakemake.params.cells, beside=2)
        binned, index = with_merged_probe(open_dataset(data.binned, chosen, over_time=FLUX_SUMS)), open_array(data.index)
        given = dict(params.fit) | {"probe": params.probe, "windows": params.windows}
        fits = open_dataset(data.decays), open_dataset(data.delays)
        means = sensitivity(binned, read_storms(data.storms), *fits, index, **params.cells, **given)
        write_dataset(with_provenance(means, provenance(snakemake.config, read_lock(data.lock))), snakemake.output.choices)
        table, title = lifetime_table(means), "Decay times under other choices: a row a choice, energy and L; the first is the run's own"
        write_csv(table, snakemake.output.table, csv_header(means, table, title))
