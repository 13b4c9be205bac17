"""Draw decay times under other windows, bins and estimators."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    figure = plots.sensitivity_panels(open_dataset(snakemake.input.choices), snakemake.params.energies, snakemake.params.L)
    plots.save(figure, *snakemake.output)
