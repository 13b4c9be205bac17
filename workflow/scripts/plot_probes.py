"""Draw the rates of one probe against those of the other."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    figure = plots.probe_comparison(open_dataset(snakemake.input.decays), **snakemake.params.cells)
    plots.save(figure, *snakemake.output)
