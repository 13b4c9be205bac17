"""Draw what the estimators say of the same decays."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    figure = plots.estimator_comparison(open_dataset(snakemake.input.decays))
    plots.save(figure, *snakemake.output)
