"""Figures: each is one function from results to a matplotlib figure, or to axes of the user's own.

`overview`, `energy_overview`, `storm_fits`, `lifetime_map`, `lifetime_curves`, `lifetime_surface`, `theory_map`, `theory_ratio`,
`estimator_comparison`, `coverage_calendar`, `coverage_cells`, `validation_coverage` and `validation_bias` make whole figures; the
`..._panel` and `..._against_...` functions draw the single panels. `save` writes a figure. Axes of your own take the look of the rest,
tick labels included, if you make them inside ``with matplotlib.rc_context(ringdecay.plots.STYLE)``.
"""

from ringdecay.plots.beside_theory import factor_panel, ratio_against_energy, ratio_panel, theory_ratio
from ringdecay.plots.coverage import coverage_calendar, coverage_cells, sector_panel
from ringdecay.plots.curves import lifetime_curves, tau_against_energy, tau_against_L
from ringdecay.plots.energy import dst_panel, energy_overview, energy_panel, pressure_panel
from ringdecay.plots.energy_decay import energy_decay_panel, shell_decay_panel
from ringdecay.plots.estimators import estimator_comparison
from ringdecay.plots.fits import fit_panel, storm_fits
from ringdecay.plots.maps import count_panel, lifetime_map, tau_panel
from ringdecay.plots.over_time import flux_panel, index_panel, overview
from ringdecay.plots.style import STYLE, save
from ringdecay.plots.surface import lifetime_surface, surface_against_energy, surface_panel
from ringdecay.plots.theory_map import theory_map, theory_panel
from ringdecay.plots.validation import bias_panel, coverage_panel, validation_bias, validation_coverage

__all__ = [
    "STYLE",
    "bias_panel",
    "count_panel",
    "coverage_calendar",
    "coverage_cells",
    "coverage_panel",
    "dst_panel",
    "energy_decay_panel",
    "energy_overview",
    "energy_panel",
    "estimator_comparison",
    "factor_panel",
    "fit_panel",
    "flux_panel",
    "index_panel",
    "lifetime_curves",
    "lifetime_map",
    "lifetime_surface",
    "overview",
    "pressure_panel",
    "ratio_against_energy",
    "ratio_panel",
    "save",
    "sector_panel",
    "shell_decay_panel",
    "storm_fits",
    "surface_against_energy",
    "surface_panel",
    "tau_against_L",
    "tau_against_energy",
    "tau_panel",
    "theory_map",
    "theory_panel",
    "theory_ratio",
    "validation_bias",
    "validation_coverage",
]
