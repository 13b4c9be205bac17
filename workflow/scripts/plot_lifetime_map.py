"""Draw the map of decay times over energy and L-shell."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    figure = plots.lifetime_map(open_dataset(snakemake.input.lifetimes))
    plots.save(figure, *snakemake.output)
