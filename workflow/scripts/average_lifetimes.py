"""Average the rates over storms, cell by cell, and put the predicted rates beside."""

from ringdecay.archive import read_lock
from ringdecay.beside_theory import predicted_rates, with_prediction
from ringdecay.indices import open_index
from ringdecay.lifetime import lifetimes
from ringdecay.logs import logged_to
from ringdecay.provenance import provenance, with_provenance
from ringdecay.store import open_dataset, write_dataset

with logged_to(snakemake.log[0]):
    decays, which = open_dataset(snakemake.input.decays), snakemake.params.lifetimes
    kp = open_index(list(snakemake.input.Kp), "Kp") if snakemake.input.Kp else None
    result = lifetimes(decays, confidence=snakemake.params.confidence, **which)
    result = with_prediction(result, predicted_rates(decays, kp=kp, **which, **snakemake.params.theory))
    record = provenance(snakemake.config, read_lock(snakemake.input.lock))
    write_dataset(with_provenance(result, record), snakemake.output.lifetimes)
