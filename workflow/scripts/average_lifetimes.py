"""Average the rates over storms, cell by cell."""

from ringdecay.archive import read_lock
from ringdecay.lifetime import lifetimes
from ringdecay.logs import logged_to
from ringdecay.provenance import provenance, with_provenance
from ringdecay.store import open_dataset, write_dataset

with logged_to(snakemake.log[0]):
    result = lifetimes(open_dataset(snakemake.input.decays), confidence=snakemake.params.confidence, **snakemake.params.lifetimes)
    record = provenance(snakemake.config, read_lock(snakemake.input.lock))
    write_dataset(with_provenance(result, record), snakemake.output.lifetimes)
