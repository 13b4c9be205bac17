"""Write which days were there, used and refused."""

from pathlib import Path

import pandas as pd

from ringdecay.coverage import coverage_page, coverage_table, index_sentence
from ringdecay.logs import logged_to
from ringdecay.store import SIMULATED_NOTE, open_array, written_whole

with logged_to(snakemake.log[0]):
    params = snakemake.params
    simulated = Path(snakemake.input.files).read_text(encoding="utf-8").startswith(f"# {SIMULATED_NOTE}")
    files = pd.read_csv(snakemake.input.files, comment="#", dtype={"date": str}, keep_default_na=False)
    table = coverage_table(files, *params.span, params.probes)
    with written_whole(snakemake.output[0]) as beside:
        index = index_sentence(open_array(snakemake.input.index), *params.span)
        beside.write_text(coverage_page(table, files, index, title="Data coverage", simulated=simulated), encoding="utf-8")
