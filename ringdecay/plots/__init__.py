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

from ringdecay.plots.beside_theory import factor_panel, ratio_against_energy, ratio_panel, theory_ratio
from ringdecay.plots.channels import storm_channels
from ringdecay.plots.coverage import calendar_panel, coverage_calendar, coverage_cells, sector_panel
from ringdecay.plots.curves import lifetime_curves, tau_against_energy, tau_against_L
from ringdecay.plots.energy import dst_panel, energy_overview, energy_panel, pressure_panel
from ringdecay.plots.energy_decay import energy_decay_panel, shell_decay_panel
from ringdecay.plots.estimators import estimator_comparison, estimator_rate_panel, estimator_width_panel
from ringdecay.plots.fits import fit_panel, storm_fits
from ringdecay.plots.maps import count_panel, lifetime_map, tau_panel
from ringdecay.plots.over_time import flux_panel, index_panel, overview
from ringdecay.plots.pitch_angle import pitch_angle_curves, tau_against_pitch_angle
from ringdecay.plots.probes import probe_comparison
from ringdecay.plots.rates import rate_distribution, rate_distributions
from ringdecay.plots.residuals import autocorrelation_panel, residual_panels, residuals_against_time
from ringdecay.plots.sensitivity import sensitivity_of_tau, sensitivity_panels
from ringdecay.plots.style import STYLE, save
from ringdecay.plots.surface import lifetime_surface, surface_against_energy, surface_panel
from ringdecay.plots.theory_map import theory_map, theory_panel
from ringdecay.plots.validation import bias_panel, coverage_panel, validation_bias, validation_coverage

__all__ = [
    "STYLE",
    "autocorrelation_panel",
    "bias_panel",
    "calendar_panel",
    "count_panel",
    "coverage_calendar",
    "coverage_cells",
    "coverage_panel",
    "dst_panel",
    "energy_decay_panel",
    "energy_overview",
    "energy_panel",
    "estimator_comparison",
    "estimator_rate_panel",
    "estimator_width_panel",
    "factor_panel",
    "fit_panel",
    "flux_panel",
    "index_panel",
    "lifetime_curves",
    "lifetime_map",
    "lifetime_surface",
    "overview",
    "pitch_angle_curves",
    "pressure_panel",
    "probe_comparison",
    "rate_distribution",
    "rate_distributions",
    "ratio_against_energy",
    "ratio_panel",
    "residual_panels",
    "residuals_against_time",
    "save",
    "sector_panel",
    "sensitivity_of_tau",
    "sensitivity_panels",
    "shell_decay_panel",
    "storm_channels",
    "storm_fits",
    "surface_against_energy",
    "surface_panel",
    "tau_against_L",
    "tau_against_energy",
    "tau_against_pitch_angle",
    "tau_panel",
    "theory_map",
    "theory_panel",
    "theory_ratio",
    "validation_bias",
    "validation_coverage",
]
