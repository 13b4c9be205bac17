"""Draw the energy of the ring current, the index beside it, and the e-folding times of both."""

from ringdecay import plots
from ringdecay.logs import logged_to
from ringdecay.store import open_array, open_dataset
from ringdecay.storms import read_storms

with logged_to(snakemake.log[0]):
    content, decays = open_dataset(snakemake.input.content), open_dataset(snakemake.input.decays)
    figure = plots.energy_overview(content, decays, open_array(snakemake.input.index), read_storms(snakemake.input.storms))
    plots.save(figure, *snakemake.output)
