"""Put the run on one page, and its numbers into a file that programs and the captions of the report read."""

import json

import pandas as pd

from ringdecay.coverage import read_coverage
from ringdecay.logs import logged_to
from ringdecay.run_summary import summarise, summary_page
from ringdecay.store import open_dataset, written_whole
from ringdecay.storms import read_storms

with logged_to(snakemake.log[0]):
    data, config = snakemake.input, snakemake.params.config
    given = {name: open_dataset(data[name]) for name in ("decays", "lifetimes", "comparison", "surface", "energy_decays")}
    given |= {"truth": open_dataset(data.truth) if data.truth else None, "storms": read_storms(data.storms)}
    given |= {"days": read_coverage(data.days), "files": pd.read_csv(data.files, comment="#", keep_default_na=False)}
    with open(data.provenance, encoding="utf-8") as stream:  # noqa: PTH123 - Snakemake's files are text
        given["provenance"] = json.load(stream)
    found = summarise(**given, config=config) | {"results": snakemake.params.files}
    with written_whole(snakemake.output.numbers) as beside:
        beside.write_text(json.dumps(found, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    with written_whole(snakemake.output.page) as beside:
        beside.write_text(summary_page(found, config, snakemake.params.files), encoding="utf-8")
