"""See how much the means hang on each storm, and whether the rates depend on depth, season and, where its files are given, Kp."""

import xarray as xr

from ringdecay.indices import open_index
from ringdecay.lifetime import dependence, influence, storm_covariates
from ringdecay.logs import logged_to
from ringdecay.store import open_dataset
from ringdecay.tables import csv_header, long_table, write_csv

with logged_to(snakemake.log[0]):
    decays, confidence, which = open_dataset(snakemake.input.decays), snakemake.params.confidence, snakemake.params.lifetimes
    found = influence(decays, **which)
    table = long_table(found, "share")
    write_csv(table, snakemake.output.influence, csv_header(found, table, "Influence: a row a storm, energy and L-shell"))
    kp = open_index(list(snakemake.input.Kp), "Kp") if snakemake.input.Kp else None
    covariates = storm_covariates(decays, kp=kp)
    # Each by itself: ten storms do not bear all of them at once.
    groups = [["depth"], ["season_sin", "season_cos"], *([["Kp"]] if kp is not None else [])]
    parts = [dependence(decays, covariates[names], confidence=confidence, **which) for names in groups]
    found = xr.concat(parts, "covariate", data_vars="all", coords="different", compat="equals", join="exact", combine_attrs="override")
    table = long_table(found, "n_storms")
    write_csv(table, snakemake.output.dependence, csv_header(found, table, "Dependence: a row a covariate, energy and L-shell"))
