"""Draw decay times against energy and against L-shell, with the truth where there is one."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    truth = open_dataset(snakemake.input.truth) if snakemake.input.truth else None
    shown = snakemake.params.figures
    figure = plots.lifetime_curves(open_dataset(snakemake.input.lifetimes), shown["energies"], shown["L"], truth=truth)
    plots.save(figure, *snakemake.output)
