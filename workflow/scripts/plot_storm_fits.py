"""Draw one storm's flux with its fits."""

from ringdecay import plots
from ringdecay.binned import with_merged_probe
from ringdecay.logs import logged_to
from ringdecay.store import open_array, open_dataset
from ringdecay.storms import read_storms

with logged_to(snakemake.log[0]):
    data, shown = snakemake.input, snakemake.params.figures
    figure = plots.storm_fits(
        with_merged_probe(open_dataset(data.binned, over_time=("n_samples", "sum_flux", "sum_time", "counts"))),
        open_dataset(data.decays),
        open_array(data.index),
        read_storms(data.storms),
        storm=shown["storm"],
        energies=shown["energies"],
        L=shown["L"],
        probe=snakemake.params.probe,
    )
    plots.save(figure, *snakemake.output)
