"""Write which days were there, used and refused, and where the records were taken."""

import pandas as pd

from ringdecay import coverage
from ringdecay.archive import read_lock
from ringdecay.logs import logged_to
from ringdecay.store import is_simulated, open_array, open_dataset, written_whole
from ringdecay.tables import write_csv

with logged_to(snakemake.log[0]):
    data, params = snakemake.input, snakemake.params
    binned, index = open_dataset(data.binned, over_time=("n_records", "n_records_by_MLT", "n_records_by_MLAT")), open_array(data.index)
    files = pd.read_csv(data.files, comment="#", dtype={"date": str}, keep_default_na=False)
    days = coverage.coverage_days(files, read_lock(data.lock), index, *params.span, **params.products)
    places, simulated = coverage.sector_coverage(binned), is_simulated(binned, index)
    write_csv(days, snakemake.output.days, coverage.days_header(simulated=simulated))
    write_csv(coverage.cell_table(places), snakemake.output.cells, coverage.cells_header(places))
    sentence = coverage.index_sentence(index, *params.span)
    with written_whole(snakemake.output.page) as beside:
        beside.write_text(coverage.coverage_page(days, places, sentence, title="Data coverage", simulated=simulated), encoding="utf-8")
