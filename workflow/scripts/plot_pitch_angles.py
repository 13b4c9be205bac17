"""Draw decay times against equatorial pitch angle."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    figure = plots.pitch_angle_curves(open_dataset(snakemake.input.lifetimes), **snakemake.params.cells)
    plots.save(figure, *snakemake.output)
