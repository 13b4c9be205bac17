"""Fit a decay to every storm, probe (and both, merged and jointly), energy and L-shell."""

from ringdecay.archive import read_lock
from ringdecay.binned import with_merged_probe
from ringdecay.decays import FLUX_SUMS, choose_windows, fit_decays
from ringdecay.logs import logged_to
from ringdecay.provenance import provenance, with_provenance
from ringdecay.schedule import dask_on
from ringdecay.store import open_array, open_dataset, write_dataset
from ringdecay.storms import read_storms

# Worker processes import this file again; only the job itself may run it.
if __name__ == "__main__":
    with logged_to(snakemake.log[0]), dask_on("processes", snakemake.threads):
        binned = with_merged_probe(open_dataset(snakemake.input.binned, over_time=FLUX_SUMS))
        index = open_array(snakemake.input.index)
        storms = read_storms(snakemake.input.storms)
        windows = choose_windows(binned, storms, index, **snakemake.params.windows)
        decays = fit_decays(binned, storms, windows=windows, index=index, joint=snakemake.params.joint, **snakemake.params.fit)
        record = provenance(snakemake.config, read_lock(snakemake.input.lock))
        write_dataset(with_provenance(decays, record), snakemake.output.decays)
