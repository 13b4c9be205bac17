"""Draw the smooth surface of decay times, with the cells' means and with the truth where there is one."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    truth = open_dataset(snakemake.input.truth) if snakemake.input.truth else None
    surface, lifetimes = open_dataset(snakemake.input.surface), open_dataset(snakemake.input.lifetimes)
    figure = plots.lifetime_surface(surface, snakemake.params.figures["L"], lifetimes, truth)
    plots.save(figure, *snakemake.output)
