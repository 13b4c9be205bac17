"""Flux summed into bins of time, L-shell and energy (and equatorial pitch angle), so that days, months and probes add up."""

from ringdecay.binned.bin import bin_flux
from ringdecay.binned.coarser import coarser
from ringdecay.binned.grid import Exclusion, Grid, exclusions
from ringdecay.binned.merge import file_table, mean_flux, merge_binned, merge_probes, sample_time, select_flux, with_merged_probe
from ringdecay.binned.sums import SUMS

__all__ = [
    "SUMS",
    "Exclusion",
    "Grid",
    "bin_flux",
    "coarser",
    "exclusions",
    "file_table",
    "mean_flux",
    "merge_binned",
    "merge_probes",
    "sample_time",
    "select_flux",
    "with_merged_probe",
]
