"""Compare the mean rates with the predicted ones, fit the factors of the two processes, and write both as netCDF and CSV."""

from ringdecay.archive import read_lock
from ringdecay.beside_theory import compare_with_theory, comparison_header, comparison_table, factor_header, factor_table
from ringdecay.indices import open_index
from ringdecay.logs import logged_to
from ringdecay.provenance import provenance, with_provenance
from ringdecay.store import open_dataset, write_dataset
from ringdecay.tables import write_csv

with logged_to(snakemake.log[0]):
    kp = open_index(list(snakemake.input.Kp), "Kp") if snakemake.input.Kp else None
    decays, lifetimes = open_dataset(snakemake.input.decays), open_dataset(snakemake.input.lifetimes)
    comparison = compare_with_theory(decays, lifetimes, kp=kp, **snakemake.params.theory)
    record = provenance(snakemake.config, read_lock(snakemake.input.lock))
    write_dataset(with_provenance(comparison, record), snakemake.output.comparison)
    write_csv(comparison_table(comparison), snakemake.output.cells, comparison_header(comparison))
    write_csv(factor_table(comparison), snakemake.output.factors, factor_header(comparison))
