"""Decay times of ring-current protons from Van Allen Probes data.

The stages, in the order of the data::

    fetch -> open_flux -> bin_flux -> fit_decays -> lifetimes, fit_surface -> tau
    open_index -> find_storms ----------^

Each is one function from data to data and can be used alone; `summary` shows what its result says. Around them stand whole rooms:
`archive` (plans and locks of files), `cdf` (any CDF file), `ephemeris` (where the probes were), `energy_content` (of the ring current),
`simulate`, `theory`, `beside_theory` (observed beside predicted loss), `plots` and `validate`. Names are loaded on first use, so that
importing the package (and the command line's help) stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringdecay.lazy import on_first_use

if TYPE_CHECKING:
    from ringdecay import archive as archive
    from ringdecay import beside_theory as beside_theory
    from ringdecay import cdf as cdf
    from ringdecay import energy_content as energy_content
    from ringdecay import ephemeris as ephemeris
    from ringdecay import plots as plots
    from ringdecay import simulate as simulate
    from ringdecay import theory as theory
    from ringdecay import validate as validate
    from ringdecay.archive import fetch as fetch
    from ringdecay.beside_theory import compare_with_theory as compare_with_theory
    from ringdecay.binned import bin_flux as bin_flux
    from ringdecay.binned import merge_binned as merge_binned
    from ringdecay.binned import merge_probes as merge_probes
    from ringdecay.check import check_file as check_file
    from ringdecay.decays import choose_windows as choose_windows
    from ringdecay.decays import fit_decay as fit_decay
    from ringdecay.decays import fit_decays as fit_decays
    from ringdecay.decays import flux_windows as flux_windows
    from ringdecay.decays import index_windows as index_windows
    from ringdecay.ephemeris import open_ephemeris as open_ephemeris
    from ringdecay.flux import omnidirectional as omnidirectional
    from ringdecay.flux import open_flux as open_flux
    from ringdecay.indices import open_index as open_index
    from ringdecay.indices import open_solar_wind as open_solar_wind
    from ringdecay.lifetime import dependence as dependence
    from ringdecay.lifetime import discoveries as discoveries
    from ringdecay.lifetime import influence as influence
    from ringdecay.lifetime import lifetimes as lifetimes
    from ringdecay.lifetime import storm_covariates as storm_covariates
    from ringdecay.store import content_hash as content_hash
    from ringdecay.store import open_dataset as open_dataset
    from ringdecay.storms import find_storms as find_storms
    from ringdecay.summaries import summary as summary
    from ringdecay.surface import fit_surface as fit_surface
    from ringdecay.surface import tau as tau

__version__ = "0.1.0"

# Public name -> the module that holds it; empty for a module itself.
_HOMES = {
    "archive": "",
    "beside_theory": "",
    "bin_flux": "binned",
    "cdf": "",
    "check_file": "check",
    "choose_windows": "decays",
    "compare_with_theory": "beside_theory",
    "content_hash": "store",
    "dependence": "lifetime",
    "discoveries": "lifetime",
    "energy_content": "",
    "ephemeris": "",
    "fetch": "archive",
    "find_storms": "storms",
    "fit_decay": "decays",
    "fit_decays": "decays",
    "fit_surface": "surface",
    "flux_windows": "decays",
    "index_windows": "decays",
    "influence": "lifetime",
    "lifetimes": "lifetime",
    "merge_binned": "binned",
    "merge_probes": "binned",
    "omnidirectional": "flux",
    "open_dataset": "store",
    "open_ephemeris": "ephemeris",
    "open_flux": "flux",
    "open_index": "indices",
    "open_solar_wind": "indices",
    "plots": "",
    "simulate": "",
    "storm_covariates": "lifetime",
    "summary": "summaries",
    "tau": "surface",
    "theory": "",
    "validate": "",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - the names are strings
__getattr__, __dir__ = on_first_use(__name__, _HOMES)
