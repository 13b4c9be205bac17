"""Figures: each is one function from results to axes, a user's own or those of a new figure; some put several of them on a page.

Functions that draw into axes (``ax=None``) and return them, in the order of the stages:

=========================== ====================================================================
`calendar_panel`            each day of each product and probe: used, refused, without a file
`sector_panel`              records by L and magnetic local time or latitude
`index_panel`, `flux_panel` storm index, and flux of a channel, against time (and L)
`fit_panel`                 flux of one storm and cell with its fit
`storm_channels`            flux of all channels of one storm at one L, with the fits
`residuals_against_time`    what the fits leave, in one cell
`autocorrelation_panel`     how alike neighbouring residuals are, beside no and the assumed correlation
`estimator_rate_panel`      rates of the estimators relative to one of them
`estimator_width_panel`     widths of their intervals
`probe_comparison`          rates of probe A against those of probe B
`rate_distribution`         every storm's rate in a cell, the mean, the prediction, the theory
`tau_panel`, `count_panel`  decay time, and number of storms, against energy and L
`tau_against_energy`        decay time against energy, a curve for each L
`tau_against_L`             decay time against L, a curve for each energy
`tau_against_pitch_angle`   decay time against equatorial pitch angle
`sensitivity_of_tau`        decay time of a cell under other windows, bins and estimators
`surface_panel`             the smooth surface of the decay time
`surface_against_energy`    the same against energy
`ratio_against_energy`      observed over predicted rate, a curve for each L
`ratio_panel`               the same against energy and L
`factor_panel`              factors of charge exchange and Coulomb drag
`theory_panel`              predicted lifetime against energy and L
`dst_panel`, `energy_panel` Dst from the measured energy, and that energy, against time
`energy_decay_panel`        e-folding times of the energy and the index
`shell_decay_panel`         the same by L
`pressure_panel`            pressure or energy density against L
`coverage_panel`            coverage of intervals where the truth is known
`bias_panel`                bias of the mean rate where the truth is known
=========================== ====================================================================

Whole figures (``figure=None``) put panels side by side, with one title and one legend: `coverage_calendar`, `coverage_cells`, `overview`,
`storm_fits`, `residual_panels`, `estimator_comparison`, `rate_distributions`, `lifetime_map`, `lifetime_curves`, `lifetime_surface`,
`pitch_angle_curves`, `sensitivity_panels`, `theory_ratio`, `theory_map`, `energy_overview`, `validation_coverage` and `validation_bias`.

A new figure is not one of pyplot's, so ``plt.show()`` does not know it. In a notebook a whole figure shows itself at the end of a cell, and
axes are shown by ``ax.figure``; axes of ``plt.subplots()`` given as ``ax`` are shown as any others.

`save` writes a figure, or that of axes, as PNG, SVG or PDF. The look of all of them is in the style file ``ringdecay.mplstyle``:
``plt.style.use("ringdecay.plots.ringdecay")``, or ``with matplotlib.rc_context(ringdecay.plots.STYLE)``, gives it to axes of your own, tick
labels included. Colours are chosen for a light background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringdecay.lazy import on_first_use

if TYPE_CHECKING:
    from ringdecay.plots.beside_theory import factor_panel as factor_panel
    from ringdecay.plots.beside_theory import ratio_against_energy as ratio_against_energy
    from ringdecay.plots.beside_theory import ratio_panel as ratio_panel
    from ringdecay.plots.beside_theory import theory_ratio as theory_ratio
    from ringdecay.plots.channels import storm_channels as storm_channels
    from ringdecay.plots.coverage import calendar_panel as calendar_panel
    from ringdecay.plots.coverage import coverage_calendar as coverage_calendar
    from ringdecay.plots.coverage import coverage_cells as coverage_cells
    from ringdecay.plots.coverage import sector_panel as sector_panel
    from ringdecay.plots.curves import lifetime_curves as lifetime_curves
    from ringdecay.plots.curves import tau_against_energy as tau_against_energy
    from ringdecay.plots.curves import tau_against_L as tau_against_L
    from ringdecay.plots.energy import dst_panel as dst_panel
    from ringdecay.plots.energy import energy_overview as energy_overview
    from ringdecay.plots.energy import energy_panel as energy_panel
    from ringdecay.plots.energy import pressure_panel as pressure_panel
    from ringdecay.plots.energy_decay import energy_decay_panel as energy_decay_panel
    from ringdecay.plots.energy_decay import shell_decay_panel as shell_decay_panel
    from ringdecay.plots.estimators import estimator_comparison as estimator_comparison
    from ringdecay.plots.estimators import estimator_rate_panel as estimator_rate_panel
    from ringdecay.plots.estimators import estimator_width_panel as estimator_width_panel
    from ringdecay.plots.fits import fit_panel as fit_panel
    from ringdecay.plots.fits import storm_fits as storm_fits
    from ringdecay.plots.maps import count_panel as count_panel
    from ringdecay.plots.maps import lifetime_map as lifetime_map
    from ringdecay.plots.maps import tau_panel as tau_panel
    from ringdecay.plots.over_time import flux_panel as flux_panel
    from ringdecay.plots.over_time import index_panel as index_panel
    from ringdecay.plots.over_time import overview as overview
    from ringdecay.plots.pitch_angle import pitch_angle_curves as pitch_angle_curves
    from ringdecay.plots.pitch_angle import tau_against_pitch_angle as tau_against_pitch_angle
    from ringdecay.plots.predicted import theory_map as theory_map
    from ringdecay.plots.predicted import theory_panel as theory_panel
    from ringdecay.plots.probes import probe_comparison as probe_comparison
    from ringdecay.plots.rates import rate_distribution as rate_distribution
    from ringdecay.plots.rates import rate_distributions as rate_distributions
    from ringdecay.plots.residuals import autocorrelation_panel as autocorrelation_panel
    from ringdecay.plots.residuals import residual_panels as residual_panels
    from ringdecay.plots.residuals import residuals_against_time as residuals_against_time
    from ringdecay.plots.sensitivity import sensitivity_of_tau as sensitivity_of_tau
    from ringdecay.plots.sensitivity import sensitivity_panels as sensitivity_panels
    from ringdecay.plots.style import STYLE as STYLE
    from ringdecay.plots.style import save as save
    from ringdecay.plots.surface import lifetime_surface as lifetime_surface
    from ringdecay.plots.surface import surface_against_energy as surface_against_energy
    from ringdecay.plots.surface import surface_panel as surface_panel
    from ringdecay.plots.validation import bias_panel as bias_panel
    from ringdecay.plots.validation import coverage_panel as coverage_panel
    from ringdecay.plots.validation import validation_bias as validation_bias
    from ringdecay.plots.validation import validation_coverage as validation_coverage

# Public name -> the module that holds it. No module may have the name of a function: it would stand in the function's place.
_HOMES = {
    "STYLE": "style",
    "autocorrelation_panel": "residuals",
    "bias_panel": "validation",
    "calendar_panel": "coverage",
    "count_panel": "maps",
    "coverage_calendar": "coverage",
    "coverage_cells": "coverage",
    "coverage_panel": "validation",
    "dst_panel": "energy",
    "energy_decay_panel": "energy_decay",
    "energy_overview": "energy",
    "energy_panel": "energy",
    "estimator_comparison": "estimators",
    "estimator_rate_panel": "estimators",
    "estimator_width_panel": "estimators",
    "factor_panel": "beside_theory",
    "fit_panel": "fits",
    "flux_panel": "over_time",
    "index_panel": "over_time",
    "lifetime_curves": "curves",
    "lifetime_map": "maps",
    "lifetime_surface": "surface",
    "overview": "over_time",
    "pitch_angle_curves": "pitch_angle",
    "pressure_panel": "energy",
    "probe_comparison": "probes",
    "rate_distribution": "rates",
    "rate_distributions": "rates",
    "ratio_against_energy": "beside_theory",
    "ratio_panel": "beside_theory",
    "residual_panels": "residuals",
    "residuals_against_time": "residuals",
    "save": "style",
    "sector_panel": "coverage",
    "sensitivity_of_tau": "sensitivity",
    "sensitivity_panels": "sensitivity",
    "shell_decay_panel": "energy_decay",
    "storm_channels": "channels",
    "storm_fits": "fits",
    "surface_against_energy": "surface",
    "surface_panel": "surface",
    "tau_against_L": "curves",
    "tau_against_energy": "curves",
    "tau_against_pitch_angle": "pitch_angle",
    "tau_panel": "maps",
    "theory_map": "predicted",
    "theory_panel": "predicted",
    "theory_ratio": "beside_theory",
    "validation_bias": "validation",
    "validation_coverage": "validation",
}

__all__ = [*_HOMES]  # noqa: PLE0604 - the names are strings
__getattr__, __dir__ = on_first_use(__name__, _HOMES)
