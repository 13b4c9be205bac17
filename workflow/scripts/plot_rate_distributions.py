"""Draw the rates of single storms in some cells, with their mean."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    decays, lifetimes = open_dataset(snakemake.input.decays), open_dataset(snakemake.input.lifetimes)
    figure = plots.rate_distributions(decays, lifetimes, **snakemake.params.cells, probe=snakemake.params.probe)
    plots.save(figure, *snakemake.output)
