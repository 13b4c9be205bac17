"""Write the results as tables: CSV for programs, LaTeX for a paper."""

from ringdecay.logs import logged_to
from ringdecay.store import open_dataset, written_whole
from ringdecay.tables import csv_header, decay_table, lifetime_latex, lifetime_table, write_csv

with logged_to(snakemake.log[0]):
    decays, lifetimes = open_dataset(snakemake.input.decays), open_dataset(snakemake.input.lifetimes)
    table = decay_table(decays)
    write_csv(table, snakemake.output.decays, csv_header(decays, table, "Decays: a row a storm, probe, energy and L-shell"))
    table = lifetime_table(lifetimes)
    write_csv(table, snakemake.output.lifetimes, csv_header(lifetimes, table, "Decay times: a row an energy and L-shell"))
    with written_whole(snakemake.output.latex) as beside:
        beside.write_text(lifetime_latex(lifetimes, snakemake.params.L), encoding="utf-8")
