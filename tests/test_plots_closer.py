"""Figures that look closer: they show the numbers they are given, say SIMULATED when they must, and a sentence where there is nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from fake_closer import by_angle, choices, left, means, varied
from fake_results import ENERGY, binned, compared, decays, lifetimes
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from test_plots import by_gid, point_line, words

from ringdecay import plots
from ringdecay.decays import paired_rates, probe_ratio, residual_autocorrelation
from ringdecay.plots.channels import spread
from ringdecay.plots.style import COLOURS, ONE_COLUMN

E, L = [54.7, 99.4, 269.0], [3.0, 4.0]
AXES: dict[str, Callable[[str, Axes | None], Axes]] = {
    "storm_channels": lambda s, ax: plots.storm_channels(binned(s), decays(s), 1, 4.0, ax=ax),
    "residuals_against_time": lambda s, ax: plots.residuals_against_time(left(simulated=s), 99.4, 4.0, ax=ax),
    "autocorrelation_panel": lambda s, ax: plots.autocorrelation_panel(residual_autocorrelation(left(simulated=s)), 99.4, 4.0, ax=ax),
    "rate_distribution": lambda s, ax: plots.rate_distribution(varied(simulated=s), means(s), 99.4, 4.0, ax=ax),
    "tau_against_pitch_angle": lambda s, ax: plots.tau_against_pitch_angle(by_angle(s), E, 4.0, ax=ax),
    "probe_comparison": lambda s, ax: plots.probe_comparison(varied(simulated=s), E, L, ax=ax),
    "sensitivity_of_tau": lambda s, ax: plots.sensitivity_of_tau(choices(s), 99.4, 4.0, ax=ax),
    "estimator_rate_panel": lambda s, ax: plots.estimator_rate_panel(compared(s), ax=ax),
    "estimator_width_panel": lambda s, ax: plots.estimator_width_panel(compared(s), ax=ax),
}
FIGURES: dict[str, Callable[[str], Figure]] = {
    "residual_panels": lambda s: plots.residual_panels(left(simulated=s), residual_autocorrelation(left(simulated=s)), E, 4.0),
    "rate_distributions": lambda s: plots.rate_distributions(varied(simulated=s), means(s), E, L),
    "rate_distributions_paper": lambda s: plots.rate_distributions(varied(simulated=s, mode="paper"), means(s, "paper"), E, L),
    "pitch_angle_curves": lambda s: plots.pitch_angle_curves(by_angle(s), E, L),
    "pitch_angle_curves_paper": lambda s: plots.pitch_angle_curves(by_angle(s, "paper"), E, L),
    "sensitivity_panels": lambda s: plots.sensitivity_panels(choices(s), E, 4.0),
    "sensitivity_panels_paper": lambda s: plots.sensitivity_panels(choices(s, "paper"), E, 4.0),
}


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def texts(ax: Axes) -> str:
    return " ".join([ax.get_title(loc=place) for place in ("left", "center", "right")] + [text.get_text() for text in ax.texts])


@pytest.mark.parametrize("name", AXES)
def test_axes_are_the_users_and_say_simulated_once_when_they_must(name: str) -> None:
    mine, other = Figure(figsize=(9, 4)).subplots(1, 2)
    assert AXES[name]("yes", mine) is mine
    assert not other.lines
    assert words(mine.get_figure()).count("SIMULATED") == 1
    mine.get_figure().draw_without_rendering()
    alone = AXES[name]("no", None).get_figure()
    alone.draw_without_rendering()
    assert not [text for text in words(alone) if "simulat" in text.lower()]


@pytest.mark.parametrize("name", FIGURES)
def test_figures_say_simulated_once_when_they_must_and_no_text_leaves_them(name: str) -> None:
    figure = FIGURES[name]("yes")
    assert words(figure).count("SIMULATED") == 1
    assert not [text for text in words(FIGURES[name]("no")) if "simulat" in text.lower()]
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    drawn = figure.get_tightbbox()
    assert drawn.x0 > -0.01
    assert drawn.y0 > -0.01
    assert drawn.x1 < width + 0.01
    assert drawn.y1 < height + 0.01


@pytest.mark.parametrize("name", ["storm_channels", "probe_comparison", "sensitivity_of_tau", "rate_distribution"])
def test_no_text_leaves_a_figure_of_one_panel(name: str) -> None:
    figure = AXES[name]("yes", None).get_figure()
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    drawn = figure.get_tightbbox()
    assert drawn.x0 > -0.01
    assert drawn.y0 > -0.01
    assert drawn.x1 < width + 0.01
    assert drawn.y1 < height + 0.01


def test_all_channels_of_a_storm_have_points_fit_and_label() -> None:
    ax = plots.storm_channels(binned(), decays(), 1, 4.0)
    labels = [text.get_text() for text in by_gid(ax, "label")]
    assert sorted(labels) == [
        "148 keV: τ = 10.0 (8.0\N{EN DASH}12.5) d, n = 28",
        "269 keV: τ > 35 d, n = 28",
        "54.7 keV: τ = 10.0 (8.0\N{EN DASH}12.5) d, n = 28",
        "99.4 keV: τ = 10.0 (8.0\N{EN DASH}12.5) d, n = 28",
    ]
    (points,) = by_gid(ax, "fitted 99.4")
    x, y = np.asarray(points.get_xdata()), np.asarray(points.get_ydata())
    np.testing.assert_allclose(y, 1e4 * np.exp(-x / 10), rtol=1e-9)
    (fit,) = by_gid(ax, "fit 99.4")
    at = np.asarray(fit.get_xdata())
    # The fit is of the flux above the floor, 20.
    np.testing.assert_allclose(fit.get_ydata(), 1e4 * np.exp(-0.1 - (at - 1.1) / 10) + 20, rtol=1e-6)
    assert "storm 1" in ax.get_title(loc="left")
    assert "L = 4.05" in ax.get_title(loc="left")


def test_the_colours_of_energies_run_from_dark_to_light() -> None:
    ax = plots.storm_channels(binned(), decays(), 1, 4.0)
    grey = [np.dot(by_gid(ax, f"fit {energy:g}")[0].get_color()[:3], [0.299, 0.587, 0.114]) for energy in ENERGY]
    assert (np.diff(grey) > 0.05).all()
    assert max(grey) < 0.8


def test_labels_are_moved_apart_as_little_as_can_be() -> None:
    np.testing.assert_allclose(spread(np.array([0.1, 0.5, 0.9]), 0.2), [0.1, 0.5, 0.9])
    np.testing.assert_allclose(spread(np.array([0.5, 0.5, 0.5]), 0.1), [0.4, 0.5, 0.6])
    np.testing.assert_allclose(spread(np.array([0.1, 0.11, 0.9]), 0.1), [0.055, 0.155, 0.9])
    moved = spread(np.sort(np.random.default_rng(1).random(14)), 0.05)
    assert (np.diff(moved) >= 0.05 - 1e-12).all()
    assert spread(np.zeros(0), 0.1).size == 0


def test_residuals_are_those_given_with_their_mean() -> None:
    given = left()
    ax = plots.residuals_against_time(given, 99.4, 4.0)
    (points,) = by_gid(ax, "residuals")
    cell = given["residual"].sel(energy=99.4, L=4.05).to_numpy().ravel()
    np.testing.assert_array_equal(np.sort(points.get_ydata()), np.sort(cell[np.isfinite(cell)]))
    (mean,) = by_gid(ax, "mean")
    first = given["residual"].where(given["days"] < 2).sel(energy=99.4, L=4.05).mean()
    assert mean.get_ydata()[0] == pytest.approx(float(first))
    assert f"6 storms, n = {6 * 31}" in texts(ax)


def test_the_autocorrelation_stands_beside_none_and_the_assumed() -> None:
    given = residual_autocorrelation(left())
    ax = plots.autocorrelation_panel(given, 99.4, 4.0)
    cell = given.sel(probe="merged", energy=99.4, L=4.05).isel(lag=slice(1, None))
    for gid in ("autocorrelation", "assumed"):
        (line,) = by_gid(ax, gid)
        np.testing.assert_array_equal(line.get_ydata(), cell[gid])
    (band,) = by_gid(ax, "white")
    assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(float(cell["white_high"].max()))
    assert "assumed ρ = 0.40" in texts(ax)  # noqa: RUF001
    assert ax.get_xlabel() == "lag (time bins of 8.97 h)"


def test_every_storm_is_there_in_order_with_mean_prediction_and_theory() -> None:
    given, mean = varied(), means()
    ax = plots.rate_distribution(given, mean, 99.4, 4.0)
    (points,) = (line for line in by_gid(ax, "storms") if len(line.get_xdata()))
    rates = given["rate"].sel(probe="merged", energy=99.4, L=4.05).to_numpy()
    np.testing.assert_array_equal(points.get_ydata(), np.sort(rates))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [str(k + 1) for k in np.argsort(rates)]
    spans = {gid: by_gid(ax, gid)[0].get_extents().transformed(ax.transData.inverted()) for gid in ("interval", "prediction")}
    assert (spans["interval"].y0, spans["interval"].y1) == pytest.approx((0.08, 0.12))
    assert (spans["prediction"].y0, spans["prediction"].y1) == pytest.approx((0.03, 0.17))
    (theory,) = by_gid(ax, "theory")
    np.testing.assert_allclose(theory.get_ydata(), [0.05, 0.07])
    assert by_gid(ax, "mean")[0].get_ydata()[0] == 0.1
    assert "n = 8, 8 resolved" in texts(ax)
    low, high = ax.get_ylim()
    assert low < min(rates) < max(rates) < high


def test_many_storms_have_no_names_and_those_not_accepted_are_hollow() -> None:
    given = varied(30, mode="paper")
    given["flag"][0] |= 32
    ax = plots.rate_distribution(given, means(mode="paper"), 99.4, 4.0)
    assert not ax.get_xticklabels()
    full, hollow = by_gid(ax, "storms")
    assert (len(full.get_xdata()), len(hollow.get_xdata())) == (29, 1)
    assert hollow.get_markerfacecolor() == "white"
    assert by_gid(ax, "mean")[0].get_ydata()[0] == pytest.approx(0.1)
    assert not by_gid(ax, "prediction")


def test_tau_by_pitch_angle_stays_in_its_bin() -> None:
    given = by_angle()
    ax = plots.tau_against_pitch_angle(given, E, 4.0)
    points = point_line(ax, "tau 99.4 keV")
    np.testing.assert_array_equal(points.get_ydata(), given["tau"].sel(energy=99.4, L=4.05).transpose())
    assert (np.abs(points.get_xdata() - given["equatorial_pitch_angle"]) < 7.5).all()
    across = next(c for c in ax.containers if c.lines[0] is points).lines[2][0].get_segments()
    np.testing.assert_allclose([bar[:, 0] for bar in across], given["equatorial_pitch_angle_bounds"])
    np.testing.assert_array_equal(point_line(ax, "limit 269 keV").get_ydata(), 35.7)
    assert by_gid(ax, "theory 99.4 keV")
    assert "2 storms" in texts(ax)


def test_probes_are_compared_pair_by_pair() -> None:
    given = varied()
    ax = plots.probe_comparison(given, E, L)
    pairs, ratio = paired_rates(given).sel(energy=[54.7, 99.4, 269.0], L=[3.05, 4.05]), probe_ratio(given)
    drawn = sum(len(line.get_xdata()) for line in by_gid(ax, "pairs"))
    # 269 keV is not resolved, and 54.7 keV has no fit at 3.05.
    assert drawn == int(pairs["rate"].notnull().all("probe").sum()) == 8 * 3
    (line,) = by_gid(ax, "median")
    np.testing.assert_allclose(np.divide(line.get_ydata(), line.get_xdata()), ratio.median)
    assert ratio.median == pytest.approx(1.1, rel=0.05)
    (said,) = by_gid(ax, "ratio")
    assert f"median B/A = {ratio.median:.2f}" in said.get_text()
    assert f"n = {ratio.n} pairs in 8 storms" in said.get_text()
    assert "share the fluctuations" in said.get_text()
    assert ax.get_xlim() == ax.get_ylim()


def test_choices_stand_beside_the_runs_own() -> None:
    ax = plots.sensitivity_of_tau(choices(), 99.4, 4.0)
    own = float(lifetimes()["tau"].sel(energy=99.4, L=4.05))
    for kind, factors in (("own", [1.0]), ("window", [0.9]), ("binning", [1.1, 1.3]), ("estimator", [0.7])):
        np.testing.assert_allclose(point_line(ax, f"tau {kind}").get_xdata(), own * np.array(factors))
    band = by_gid(ax, "own")[0].get_extents().transformed(ax.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx((0.8 * own, 1.2 * own))
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels == ["as in the run", "start 0.5 d after the minimum", "time bins of 17.9 h", "L bins of 0.3", "Theil\N{EN DASH}Sen"]
    limits = plots.sensitivity_of_tau(choices(), 269.0, 4.0)
    np.testing.assert_allclose(point_line(limits, "limit binning").get_xdata(), 35.7 * np.array([1.1, 1.3]))
    assert not by_gid(limits, "own")
    growing = plots.sensitivity_of_tau(choices(), 269.0, 5.0)
    assert [text.get_text() for text in growing.texts].count("grows") == 5


def test_nothing_to_draw_is_said_in_words() -> None:
    no_fits, blank = decays().isel(storm=[]), left() * np.nan
    one_probe = varied(probes=("a", "merged"))
    no_storm = lifetimes().map(lambda v: v * np.nan if v.dtype.kind == "f" else v * 0, keep_attrs=True)
    no_angle = by_angle().isel(equatorial_pitch_angle=[])
    nothing = choices().map(lambda v: v * np.nan if v.dtype.kind == "f" else v * 0, keep_attrs=True)
    unresolved = varied().assign(rate_low=-abs(varied()["rate_low"]))
    drawn = {
        "no storm with fits": plots.storm_channels(binned(), no_fits),
        "no flux at L": plots.storm_channels(binned() * 0, decays(), 1),
        "There is no fit": plots.residual_panels(blank, residual_autocorrelation(blank), E, 4.0),
        "no fit": plots.autocorrelation_panel(residual_autocorrelation(left()), 54.7, 3.0),
        "No storm has a fit.": plots.rate_distributions(no_fits, no_storm, E, L),
        "not binned by pitch angle": plots.pitch_angle_curves(no_angle, E, L),
        "at any pitch angle": plots.pitch_angle_curves(by_angle().assign(n_storms=0 * by_angle()["n_storms"]), E, L),
        "one probe": plots.probe_comparison(one_probe),
        "No decay is resolved": plots.probe_comparison(unresolved),
        "No storm has a fit": plots.sensitivity_panels(nothing, E, 4.0),
        "No decay time": plots.sensitivity_of_tau(nothing, 99.4, 4.0),
    }
    for sentence, one in drawn.items():
        figure = one.get_figure(root=True)
        assert any(sentence in text for text in words(figure)), sentence
        figure.draw_without_rendering()


def test_one_storm_is_enough() -> None:
    one = varied(1)
    for ax in (plots.rate_distribution(one, means(), 99.4, 4.0), plots.probe_comparison(one, E, L)):
        ax.get_figure().draw_without_rendering()
    assert "no interval from one storm" in texts(plots.probe_comparison(one))


def test_the_style_file_is_the_style() -> None:
    with plt.style.context("ringdecay.plots.ringdecay"):
        assert plt.rcParams["font.size"] == plots.STYLE["font.size"] == 7.0
        figure = plt.figure()
        assert figure.get_figwidth() == ONE_COLUMN
        (line,) = figure.subplots().plot([0, 1])
        assert line.get_color() == COLOURS[0]
        plt.close(figure)


def test_the_first_colours_differ_from_their_neighbours_in_grey() -> None:
    # More curves than five are told apart by their markers.
    grey = [np.dot(to_rgb(colour), [0.299, 0.587, 0.114]) for colour in COLOURS[:5]]
    assert (np.abs(np.diff(grey)) > 0.1).all()


def test_axes_are_saved_as_their_figure(tmp_path: Path) -> None:
    for suffix in ("png", "svg", "pdf"):
        for name in ("one", "two"):
            plots.save(plots.sensitivity_of_tau(choices(), 99.4, 4.0), tmp_path / f"{name}.{suffix}")
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
