"""Draw what the fits leave against time, and how alike neighbouring residuals are."""

from functools import partial

from ringdecay import plots
from ringdecay.binned import with_merged_probe
from ringdecay.decays import FLUX_SUMS, residual_autocorrelation, residuals
from ringdecay.logs import logged_to
from ringdecay.sensitivity import chosen_cells
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    params = snakemake.params
    cells = {"energies": params.energies, "L": [params.L]}
    chosen = partial(chosen_cells, **cells)
    decays = chosen(open_dataset(snakemake.input.decays)).sel(probe=[params.probe])
    left = residuals(with_merged_probe(open_dataset(snakemake.input.binned, chosen, over_time=FLUX_SUMS)), decays)
    figure = plots.residual_panels(left, residual_autocorrelation(left), params.energies, params.L)
    plots.save(figure, *snakemake.output)
