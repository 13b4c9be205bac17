"""Draw the index and the flux of the whole run, with its storms."""

from ringdecay import plots
from ringdecay.binned import merge_probes
from ringdecay.logs import logged_to
from ringdecay.store import open_array, open_dataset
from ringdecay.storms import read_storms

with logged_to(snakemake.log[0]):
    data = snakemake.input
    binned = merge_probes(open_dataset(data.binned, over_time=("n_samples", "sum_flux")))
    index = open_array(data.index)
    figure = plots.overview(index, binned, read_storms(data.storms), snakemake.params.figures["energies"], decays=open_dataset(data.decays))
    plots.save(figure, *snakemake.output)
