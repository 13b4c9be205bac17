"""Write down what the results were made from."""

from ringdecay.archive import read_lock
from ringdecay.logs import logged_to
from ringdecay.provenance import provenance, write_provenance
from ringdecay.store import SIMULATED_NOTE, content_hash, is_simulated, open_dataset

with logged_to(snakemake.log[0]):
    record = provenance(snakemake.config, read_lock(snakemake.input.lock))
    record["simulated"] = SIMULATED_NOTE if is_simulated(open_dataset(snakemake.input.lifetimes)) else "no"
    record["content_hash"] = {name: content_hash(open_dataset(snakemake.input[name])) for name in ("decays", "lifetimes")}
    write_provenance(record, snakemake.output[0])
