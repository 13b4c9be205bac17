"""Draw the flux of all channels of one storm at one L, with the fits."""

from ringdecay import plots
from ringdecay.binned import with_merged_probe
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    params = snakemake.params
    binned = with_merged_probe(open_dataset(snakemake.input.binned, over_time=("n_samples", "sum_flux", "sum_time", "counts")))
    figure = plots.storm_channels(binned, open_dataset(snakemake.input.decays), params.storm, params.L, probe=params.probe)
    plots.save(figure, *snakemake.output)
