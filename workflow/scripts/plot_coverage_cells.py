"""Draw where the records were taken, by L, magnetic local time and magnetic latitude."""

from ringdecay import plots
from ringdecay.coverage import sector_coverage
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset

with logged_to(snakemake.log[0]):
    figure = plots.coverage_cells(
        sector_coverage(open_dataset(snakemake.input.binned, over_time=("n_records", "n_records_by_MLT", "n_records_by_MLAT")))
    )
    plots.save(figure, *snakemake.output)
