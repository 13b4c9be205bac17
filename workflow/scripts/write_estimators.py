"""Write the rates of all estimators side by side, and their ratios by energy."""

from ringdecay.decays.estimators import comparison_header, estimator_ratios, estimator_table
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset
from ringdecay.tables import write_csv

with logged_to(snakemake.log[0]):
    decays = open_dataset(snakemake.input.decays)
    header = comparison_header(decays, "Estimators side by side: a row a storm, energy and L-shell, both probes together")
    write_csv(estimator_table(decays), snakemake.output.estimators, header)
    header = comparison_header(decays, "Estimators relative to gls: medians over the fits of an energy whose decay gls resolves")
    write_csv(estimator_ratios(decays), snakemake.output.ratios, header)
