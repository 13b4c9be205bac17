"""Fit every storm with several starts, and write the mean rates beside the change of the index."""

from ringdecay.archive import read_lock
from ringdecay.binned import with_merged_probe
from ringdecay.decays import FLUX_SUMS
from ringdecay.logs import logged_to
from ringdecay.provenance import provenance, with_provenance
from ringdecay.schedule import dask_on
from ringdecay.start_delays import delay_lifetimes, start_delays
from ringdecay.store import open_array, open_dataset, write_dataset
from ringdecay.storms import read_storms
from ringdecay.tables import csv_header, lifetime_table, write_csv

# Worker processes import this file again; only the job itself may run it.
if __name__ == "__main__":
    with logged_to(snakemake.log[0]), dask_on("processes", snakemake.threads):
        binned, index = with_merged_probe(open_dataset(snakemake.input.binned, over_time=FLUX_SUMS)), open_array(snakemake.input.index)
        storms, delays = read_storms(snakemake.input.storms), snakemake.params.delays
        fits = start_delays(binned, storms, index, delays, **snakemake.params.windows, **snakemake.params.fit)
        record = provenance(snakemake.config, read_lock(snakemake.input.lock))
        write_dataset(with_provenance(fits, record), snakemake.output.fits)
        means = delay_lifetimes(fits)
        table = lifetime_table(means)
        header = csv_header(means, table, "Decay times by the start of the fit: a row an energy, L-shell and delay")
        write_csv(table, snakemake.output.table, header)
