"""Every figure looks as it did: images of small fixed results beside those in tests/baseline.

After a wanted change: ``pytest tests/test_plots_images.py --mpl-generate-path=tests/baseline``, and look at what changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import surface_decays
import test_plots_coverage as coverage
import test_plots_energy as energy
import theory_decays
import xarray as xr
from fake_closer import by_angle, choices, left, means, varied
from fake_results import binned, compared, decays, index, lifetimes, storms, truth
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import ringdecay as rd
from ringdecay import plots
from ringdecay.decays import residual_autocorrelation
from ringdecay.theory import loss_rate

STYLE = str(Path(plots.__file__).with_name("ringdecay.mplstyle"))
E, L = [54.7, 99.4, 269.0], [3.0, 4.0]


@lru_cache
def surface() -> xr.Dataset:
    return rd.fit_surface(surface_decays.decays(1))


@lru_cache
def comparison() -> xr.Dataset:
    """Rates of the textbook, but ten times as fast at 99 keV and L = 5, and growing at 400 keV there."""
    channels, shells = np.array([45.0, 67.0, 99.0, 148.0, 269.0, 400.0]), np.array([3.0, 4.0, 5.0])
    rate = loss_rate(channels, shells, spectral_index=2.0)["rate"].transpose("energy", "L").to_numpy()
    rate = rate[None] * (1 + 0.02 * np.linspace(-1, 1, 5)[:, None, None])
    rate[:, 2, 2] *= 10
    rate[:, 5, 2] = -0.1 * np.linspace(0.9, 1.1, 5)
    fits = theory_decays.decays(rate, channels, shells)
    return rd.compare_with_theory(fits, rd.lifetimes(fits, resamples=1))


@lru_cache
def predicted() -> xr.Dataset:
    return loss_rate(np.geomspace(45.0, 598.0, 25), np.linspace(2.1, 6.0, 20), spectral_index=3.0, kp_max=5.0)


def entries() -> pd.DataFrame:
    """Coverage and bias of both modes, as the proof writes them."""
    rows = []
    for mode, slope in (("calibrated", 0.02), ("paper", 0.5)):
        common = {"mode": mode, "error": 0.01, "noise": 0.0, "gaps": 0.0}
        single = {"claim": "single fits", "quantity": "coverage", "goal_low": 0.93, "goal_high": 0.97}
        rows += [common | single | {"points": n, "rho": rho, "value": 0.95 - slope * rho} for n in (12, 36) for rho in (0.0, 0.4, 0.8)]
        for claim in ("bias", "missions, bias"):
            bias = {"claim": claim, "quantity": "bias of the mean rate", "goal_low": -0.05, "goal_high": 0.05, "points": np.nan, "rho": 0.0}
            rows += [common | bias | {"tau": tau, "value": slope * tau / 100} for tau in (3.0, 10.0, 30.0)]
    table = pd.DataFrame(rows)
    table.attrs["simulated"] = "yes"
    return table


def one(claim: str) -> pd.DataFrame:
    table = entries()
    return table[(table["claim"] == claim) & (table["points"].isna() | (table["points"] == 12))]


DRAWN: dict[str, Callable[[], Axes | Figure]] = {
    "autocorrelation_panel": lambda: plots.autocorrelation_panel(residual_autocorrelation(left()), 99.4, 4.0),
    "bias_panel": lambda: plots.bias_panel(one("bias")),
    "calendar_panel": lambda: plots.calendar_panel(coverage.days(), storms()),
    "count_panel": lambda: plots.count_panel(lifetimes()),
    "coverage_calendar": lambda: plots.coverage_calendar(coverage.days("2013-11-20", "2015-03-10"), storms()),
    "coverage_cells": lambda: plots.coverage_cells(coverage.places()),
    "coverage_panel": lambda: plots.coverage_panel(one("single fits")),
    "dst_panel": lambda: plots.dst_panel(energy.results()[0], energy.results()[2], energy.storms()),
    "energy_decay_panel": lambda: plots.energy_decay_panel(energy.results()[1]),
    "energy_overview": energy.figure,
    "energy_panel": lambda: plots.energy_panel(*energy.results()[:2], storms=energy.storms()),
    "estimator_comparison": lambda: plots.estimator_comparison(compared()),
    "estimator_rate_panel": lambda: plots.estimator_rate_panel(compared()),
    "estimator_width_panel": lambda: plots.estimator_width_panel(compared()),
    "factor_panel": lambda: plots.factor_panel(comparison(), "a"),
    "fit_panel": lambda: plots.fit_panel(binned(), decays(), 1, 148.0, 4.0),
    "flux_panel": lambda: plots.flux_panel(binned(), 99.4, storms=storms()),
    "index_panel": lambda: plots.index_panel(index(), storms(), decays=decays()),
    "lifetime_curves": lambda: plots.lifetime_curves(lifetimes(), E, L, truth()),
    "lifetime_map": lambda: plots.lifetime_map(lifetimes()),
    "lifetime_surface": lambda: plots.lifetime_surface(surface()),
    "overview": lambda: plots.overview(index(), binned(), storms(), E[:2], decays=decays()),
    "pitch_angle_curves": lambda: plots.pitch_angle_curves(by_angle(), E, L),
    "pressure_panel": lambda: plots.pressure_panel(energy.results()[0]),
    "probe_comparison": lambda: plots.probe_comparison(varied(), E, L),
    "rate_distribution": lambda: plots.rate_distribution(varied(), means(), 99.4, 4.0),
    "rate_distributions": lambda: plots.rate_distributions(varied(), means(), E, L),
    "ratio_against_energy": lambda: plots.ratio_against_energy(comparison(), [4.0, 5.0]),
    "ratio_panel": lambda: plots.ratio_panel(comparison()),
    "residual_panels": lambda: plots.residual_panels(left(), residual_autocorrelation(left()), E, 4.0),
    "residuals_against_time": lambda: plots.residuals_against_time(left(), 99.4, 4.0),
    "sector_panel": lambda: plots.sector_panel(coverage.places(), "a", "MLT"),
    "sensitivity_of_tau": lambda: plots.sensitivity_of_tau(choices(), 99.4, 4.0),
    "sensitivity_panels": lambda: plots.sensitivity_panels(choices(), E, 4.0),
    "shell_decay_panel": lambda: plots.shell_decay_panel(energy.results()[1]),
    "storm_channels": lambda: plots.storm_channels(binned(), decays(), 1, 4.0),
    "storm_fits": lambda: plots.storm_fits(binned(), decays(), index(), storms(), energies=E[:2], L=L),
    "surface_against_energy": lambda: plots.surface_against_energy(surface(), [3.0, 5.0]),
    "surface_panel": lambda: plots.surface_panel(surface()),
    "tau_against_L": lambda: plots.tau_against_L(lifetimes(), E),
    "tau_against_energy": lambda: plots.tau_against_energy(lifetimes(), L),
    "tau_against_pitch_angle": lambda: plots.tau_against_pitch_angle(by_angle(), E, 4.0),
    "tau_panel": lambda: plots.tau_panel(lifetimes()),
    "theory_map": lambda: plots.theory_map(predicted(), predicted()),
    "theory_panel": lambda: plots.theory_panel(predicted()),
    "theory_ratio": lambda: plots.theory_ratio(comparison()),
    "validation_bias": lambda: plots.validation_bias(entries()),
    "validation_coverage": lambda: plots.validation_coverage(entries()),
}


def test_every_figure_has_an_image_and_a_line_in_the_list_for_users() -> None:
    functions = {name for name in plots.__all__ if callable(getattr(plots, name))} - {"save"}
    assert set(DRAWN) == functions
    folder = Path(__file__).with_name("baseline")
    assert {path.stem for path in folder.glob("*.png")} == {f"test_figures_look_as_they_did_{name}" for name in functions}
    assert functions <= set(re.findall(r"`(\w+)`", str(plots.__doc__)))


# Root mean square of 255. With the locked versions a figure drawn again was equal (0.0); a line of a whole figure that is thicker by 0.3
# points made 0.4 to 3.6, a dot more in a label 37 and more.
@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.mpl_image_compare(savefig_kwargs={"dpi": 100}, style=STYLE, tolerance=0.3)
def test_figures_look_as_they_did(name: str) -> Figure:
    figure = DRAWN[name]().get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure
