"""Draw the observed rates over the predicted, and the factors of the two processes."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    figure = plots.theory_ratio(open_dataset(snakemake.input.comparison), snakemake.params.L)
    plots.save(figure, *snakemake.output)
