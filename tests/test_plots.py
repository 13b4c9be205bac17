"""Figures: they show the numbers they are given, say SIMULATED when they must, and are written the same twice."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_results import DAY, ENERGY, SHELLS, START, binned, compared, decays, index, lifetimes, storms, truth
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text

from ringdecay import plots
from ringdecay.errors import InputError
from ringdecay.plots.labels import L_label
from ringdecay.plots.style import DPI, edges, log_edges, plain_log_axis

E_CHOSEN, L_CHOSEN = [54.7, 269.0], [3.0, 5.0]

FIGURES: dict[str, Callable[[str], Figure]] = {
    "overview": lambda s: plots.overview(index(), binned(s), storms(), E_CHOSEN, decays=decays(s)),
    "storm_fits": lambda s: plots.storm_fits(binned(s), decays(s), index(), storms(), energies=E_CHOSEN, L=L_CHOSEN),
    "storm_fits_paper": lambda s: plots.storm_fits(binned(s), decays(s, "paper"), index(), storms(), 1, energies=E_CHOSEN, L=L_CHOSEN),
    "estimators": lambda s: plots.estimator_comparison(compared(s)),
    "lifetime_map": lambda s: plots.lifetime_map(lifetimes(s)),
    "lifetime_map_paper": lambda s: plots.lifetime_map(lifetimes(s, "paper")),
    "lifetime_curves": lambda s: plots.lifetime_curves(lifetimes(s), E_CHOSEN, L_CHOSEN, truth() if s == "yes" else None),
    "lifetime_curves_paper": lambda s: plots.lifetime_curves(lifetimes(s, "paper"), E_CHOSEN, L_CHOSEN),
}
PANELS: dict[str, Callable[[str, Axes | None], Axes]] = {
    "index_panel": lambda s, ax: plots.index_panel(index().assign_attrs(simulated=s), storms(), decays=decays(s), ax=ax),
    "flux_panel": lambda s, ax: plots.flux_panel(binned(s), 99.4, storms=storms(), ax=ax),
    "fit_panel": lambda s, ax: plots.fit_panel(binned(s), decays(s), 1, 148.0, 4.0, ax=ax),
    "tau_panel": lambda s, ax: plots.tau_panel(lifetimes(s), ax=ax),
    "count_panel": lambda s, ax: plots.count_panel(lifetimes(s), ax=ax),
    "tau_against_energy": lambda s, ax: plots.tau_against_energy(lifetimes(s), L_CHOSEN, ax=ax),
    "tau_against_L": lambda s, ax: plots.tau_against_L(lifetimes(s), E_CHOSEN, ax=ax),
}


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def by_gid(ax: Any, gid: str) -> list[Any]:
    return [artist for artist in ax.findobj() if artist.get_gid() == gid]


def point_line(ax: Axes, label: str) -> Any:
    """Points of the error bars with this gid."""
    return next(c for c in ax.containers if isinstance(c, ErrorbarContainer) and c.lines[0].get_gid() == label).lines[0]


@pytest.mark.parametrize("name", FIGURES)
def test_figures_say_simulated_once_when_they_must(name: str, tmp_path: Path) -> None:
    simulated, real = FIGURES[name]("yes"), FIGURES[name]("no")
    assert [text.strip() for text in words(simulated) if "SIMULATED" in text] == ["SIMULATED"]
    assert not [text for text in words(real) if "simulat" in text.lower()]
    plots.save(simulated, tmp_path / "figure.svg")
    assert "SIMULATED" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PANELS)
def test_panels_draw_into_the_users_axes_and_say_simulated_there(name: str) -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert PANELS[name]("yes", left) is left
    assert [text for text in words(figure) if "SIMULATED" in text] == ["SIMULATED"]
    assert not right.lines
    figure.draw_without_rendering()
    alone = PANELS[name]("no", None)
    assert "SIMULATED" not in words(alone.get_figure(root=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PANELS)
def test_simulated_does_not_lie_on_a_legend(name: str) -> None:
    ax = PANELS[name]("yes", None)
    ax.get_figure(root=True).draw_without_rendering()  # type: ignore[union-attr]
    (said,) = by_gid(ax, "simulated")
    legend = ax.get_legend()
    assert legend is None or not legend.get_window_extent().overlaps(said.get_window_extent())


def test_labels_give_the_width_of_bins_only_where_it_is_known() -> None:
    # Without bounds only bins next to each other tell their width.
    assert L_label(lifetimes()) == "Roederer L* (bins of 0.1)"
    assert L_label(lifetimes().drop_vars("L_bounds")) == "Roederer L*"
    assert L_label(lifetimes().drop_vars("L_bounds").isel(L=[0, 1])) == "Roederer L* (bins of 0.1)"
    bounds = np.stack([SHELLS - 0.05, SHELLS + 0.05], axis=-1)
    assert L_label(binned().assign_coords(L_bounds=(("L", "bound"), bounds))) == "dipole L (bins of 0.1)"


def test_figures_draw_into_a_subfigure() -> None:
    upper, lower = Figure(figsize=(7, 9), layout="constrained").subfigures(2, 1)
    assert plots.lifetime_map(lifetimes(), figure=upper) is upper
    assert plots.lifetime_curves(lifetimes("no"), E_CHOSEN, L_CHOSEN, figure=lower) is lower
    assert "SIMULATED" in words(upper)
    assert "SIMULATED" not in words(lower)
    upper.get_figure(root=True).draw_without_rendering()


@pytest.mark.parametrize("name", FIGURES)
def test_figures_fit_two_columns_and_no_text_leaves_them(name: str) -> None:
    figure = FIGURES[name]("yes")
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    assert width * DPI <= 1500
    drawn = figure.get_tightbbox()
    assert drawn.x0 > -0.01
    assert drawn.y0 > -0.01
    assert drawn.x1 < width + 0.01
    assert drawn.y1 < height + 0.01
    # Neither the title nor SIMULATED lies on anything, nor they on each other.
    boxes = [text.get_window_extent() for text in figure.texts]
    heads = [box for box in boxes if box.y0 > 0.9 * height * figure.dpi]
    assert len(heads) == 2
    assert not heads[0].overlaps(heads[1])
    for ax in figure.axes:
        assert not any(head.overlaps(ax.get_tightbbox()) for head in heads)


def test_curves_draw_the_numbers_given() -> None:
    given = lifetimes()
    ax = plots.tau_against_L(given, [99.4, 269.0], truth())
    points = point_line(ax, "tau 99.4 keV")
    np.testing.assert_array_equal(points.get_xdata(), SHELLS)
    np.testing.assert_array_equal(points.get_ydata(), given["tau"].sel(energy=99.4))
    bars = next(c for c in ax.containers if c.lines[0] is points).lines[2][0].get_segments()
    np.testing.assert_allclose(
        [b[:, 1] for b in bars], np.stack([given["tau_low"].sel(energy=99.4), given["tau_high"].sel(energy=99.4)], -1)
    )
    # 269 keV: limits in all L but the last, which grows; no points.
    assert point_line(ax, "tau 269 keV").get_xdata().size == 0
    arrows = point_line(ax, "limit 269 keV")
    np.testing.assert_array_equal(arrows.get_xdata(), SHELLS[:-1])
    np.testing.assert_array_equal(arrows.get_ydata(), 35.7)
    crosses = [line for line in ax.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [line.get_xdata().tolist() for line in crosses] == [[5.05]]
    (hollow,) = by_gid(ax, "lost 99.4 keV")
    assert hollow.get_xdata().tolist() == [3.05]
    (dashed,) = by_gid(ax, "truth 99.4 keV")
    np.testing.assert_allclose(dashed.get_ydata(), 1 / truth()["population_rate"].sel(energy=99.4))


def test_curves_against_energy_move_points_sideways_only() -> None:
    given = lifetimes()
    ax = plots.tau_against_energy(given, L_CHOSEN)
    points = point_line(ax, "tau L = 5.05")
    np.testing.assert_allclose(points.get_xdata(), ENERGY[:3], rtol=0.02)
    np.testing.assert_array_equal(points.get_ydata(), given["tau"].sel(L=5.05)[:3])


def test_shared_curves_show_all_points() -> None:
    figure = plots.lifetime_curves(lifetimes(), [54.7, 99.4, 148.0], [3.0, 4.0])
    left, right = figure.axes
    assert left.get_ylim() == right.get_ylim()
    for ax in (left, right):
        for container in ax.containers:
            y = np.asarray(container.lines[0].get_ydata())
            assert ((y > ax.get_ylim()[0]) & (y < ax.get_ylim()[1])).all()


def test_map_hatches_limits_and_draws_the_numbers_given() -> None:
    given = lifetimes()
    ax = plots.tau_panel(given)
    (mesh,) = (c for c in ax.collections if isinstance(c, QuadMesh))
    drawn = np.ma.filled(mesh.get_array(), np.nan).reshape(SHELLS.size, ENERGY.size).T
    expected = given["tau"].to_numpy().copy()
    expected[3, :-1], expected[3, -1] = 35.7, np.nan
    np.testing.assert_array_equal(drawn, expected)
    (limits,), (growing,) = by_gid(ax, "limits"), by_gid(ax, "growing")
    assert isinstance(limits, PolyCollection)
    assert len(limits.get_paths()) == SHELLS.size - 1
    assert len(growing.get_paths()) == 1
    (lost,) = by_gid(ax, "lost")
    assert len(lost.get_paths()) == 1
    assert limits.get_hatch() != growing.get_hatch()
    assert limits.get_hatch() is not None
    # The hatch lies over the cell of the limit: channel edges are midway on the logarithmic axis.
    box = limits.get_paths()[0].get_extents()
    assert box.x0 == pytest.approx(np.sqrt(148.0 * 269.0))
    assert (box.y0, box.y1) == pytest.approx((3.0, 3.1))


def test_map_counts_storms() -> None:
    given = lifetimes()
    ax = plots.count_panel(given)
    (mesh,) = (c for c in ax.collections if isinstance(c, QuadMesh))
    drawn = np.ma.filled(mesh.get_array(), 0).reshape(SHELLS.size, ENERGY.size).T
    np.testing.assert_array_equal(drawn, given["n_storms"])
    assert sorted(t.get_text() for t in ax.texts) == sorted(
        f"{r}/{n}" for r, n in zip(given["n_resolved"].values.ravel(), given["n_storms"].values.ravel(), strict=True) if n
    )


def test_fit_panel_draws_points_window_and_line() -> None:
    ax = plots.fit_panel(binned(), decays(), 1, 99.4, 4.05)
    fitted, others = (c.lines[0] for c in ax.containers if isinstance(c, ErrorbarContainer))
    # Of both probes together, at the mean time of the samples; exp(-t/10) from 1e4 at the minimum, day 5.5.
    x, y = np.asarray(fitted.get_xdata()), np.asarray(fitted.get_ydata())
    np.testing.assert_allclose(y, 1e4 * np.exp(-x / 10), rtol=1e-9)
    assert x.min() >= 1.1
    assert x.max() <= 11.8456789
    assert len(x) > 20
    assert not set(x) & set(others.get_xdata())
    (line,) = by_gid(ax, "fit")
    at = np.asarray(line.get_xdata())
    np.testing.assert_allclose([at[0], at[-1]], [1.1, 11.8456789], atol=1e-6)
    # The fit is of the flux above the floor, 20.
    np.testing.assert_allclose(line.get_ydata(), 1e4 * np.exp(-0.1 - (at - 1.1) / 10) + 20, rtol=1e-6)
    bars = next(c for c in ax.containers if c.lines[0] is fitted).lines[2][0].get_segments()
    counts = 10 * y / 50  # five samples of each of two probes
    np.testing.assert_allclose([b[1, 1] - b[0, 1] for b in bars], 2 * y / np.sqrt(counts), rtol=1e-9)


def test_fit_panel_draws_a_fit_with_a_negative_floor_of_its_own_as_it_was_fitted() -> None:
    given = decays()
    rate, end = 0.1, 11.8456789
    # Such a floor bends the log of the flux down as much as one of the same size bends it up; their curves are mirror images.
    lines = {}
    for sign in (1.0, -1.0):
        given["floor"][:] = sign * 1e4
        (line,) = by_gid(plots.fit_panel(binned(), given, 1, 99.4, 4.05), "fit")
        lines[sign] = np.log(np.asarray(line.get_ydata()))
    straight = np.log(1e4) - 0.1 - rate * (np.linspace(1.1, end, 50) - 1.1)
    np.testing.assert_allclose(lines[-1.0] - straight, -(lines[1.0] - straight), rtol=1e-6)
    assert (lines[1.0] > straight + 0.5).all()


@pytest.mark.parametrize(
    ("energy", "L", "text"),
    [(99.4, 4.05, "τ = 10.0 (8.0–12.5) d"), (269.0, 4.05, "τ > 35 d"), (269.0, 5.05, "growing"), (54.7, 3.05, "no fit")],  # noqa: RUF001
)
def test_fit_panel_says_tau(energy: float, L: float, text: str) -> None:
    (said,) = by_gid(plots.fit_panel(binned(), decays(), 1, energy, L), "tau")
    assert said.get_text() == text


def test_fit_panel_marks_a_fit_that_paper_mode_does_not_accept() -> None:
    given = decays(mode="paper")
    given["flag"][0, 0, 1, 2] |= 32
    (said,) = by_gid(plots.fit_panel(binned(), given, 1, 99.4, 4.05), "tau")
    assert said.get_text().endswith("not accepted")


def test_storm_fits_take_the_deepest_storm_with_a_resolved_decay() -> None:
    given = decays()

    def title() -> str:
        figure = plots.storm_fits(binned(), given, index(), storms(), energies=[99.4], L=[4.0])
        return next(text for text in words(figure) if text.startswith("Decays after"))

    assert "storm 2, \N{MINUS SIGN}120 nT" in title()
    given["rate_low"][1] = -0.1
    assert "storm 1, \N{MINUS SIGN}100 nT" in title()


def test_storm_fits_panels_span_equally_many_decades() -> None:
    axes = plots.storm_fits(binned(), decays(), index(), storms(), 1, energies=E_CHOSEN, L=L_CHOSEN).axes[1:]
    assert len(axes) == 4
    decades = [np.log10(ax.get_ylim()[1] / ax.get_ylim()[0]) for ax in axes]
    np.testing.assert_allclose(decades, decades[0])


def test_a_storm_or_probe_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"storm 7.*1, 2"):
        plots.storm_fits(binned(), decays(), index(), storms(), 7)
    with pytest.raises(InputError, match=r"'c'.*merged"):
        plots.fit_panel(binned(), decays(), 1, 99.4, 4.0, probe="c")


def test_flux_panel_shows_mean_flux_and_leaves_gaps() -> None:
    whole = binned()
    holed = whole.isel(time=np.r_[0:20, 50 : whole.sizes["time"]])
    ax = plots.flux_panel(holed, 99.4)
    (mesh,) = (c for c in ax.collections if isinstance(c, QuadMesh))
    drawn = np.ma.filled(mesh.get_array(), np.nan).reshape(SHELLS.size, -1)
    # One column for the whole gap, as wide as the gap.
    assert drawn.shape[1] == holed.sizes["time"] + 1
    assert np.isnan(drawn[:, 20]).all()
    assert np.isnan(drawn[:, 7]).all()
    mean = (holed["sum_flux"] / holed["n_samples"])[0, :, 0, 1].to_numpy()
    some = np.isfinite(mean) & (mean > 0)
    np.testing.assert_allclose(np.delete(drawn[0], 20)[some], mean[some])
    x = mesh.get_coordinates()[0, :, 0]
    assert x[21] - x[20] == pytest.approx(30 * 8.97 / 24)


def test_overview_numbers_storms_inside_the_data_only() -> None:
    more = storms(8)
    figure = plots.overview(index(n_days=120), binned(), more, [99.4])
    assert [t.get_text() for t in figure.axes[0].texts] == ["1", "2"]
    low, high = figure.axes[0].get_xlim()
    assert high - low == pytest.approx(int(33 * 24 / 8.97) * 8.97 / 24)


def test_a_long_index_keeps_its_minimum() -> None:
    long = index(every=1 / 1440)
    (line,) = (line for line in plots.index_panel(long, storms()).lines if len(line.get_xdata()) > 100)
    assert len(line.get_xdata()) <= 4100
    assert np.min(line.get_ydata()) == long.min()
    assert np.max(line.get_ydata()) == long.max()
    assert (np.diff(np.asarray(line.get_xdata()).astype(np.int64)) >= 0).all()


def test_windows_of_fits_are_drawn_in_the_overview() -> None:
    figure = plots.overview(index(), binned(), storms(), [99.4], decays=decays())
    (bars,) = by_gid(figure.axes[0], "windows")
    assert len(bars.get_segments()) == 2
    assert np.ptp(bars.get_segments()[0][:, 0]) == pytest.approx(12.3456789 - 1.6)


def test_nothing_to_draw_is_said_in_words() -> None:
    none = storms(0)
    no_fits = decays().isel(storm=[])
    blank = lifetimes().map(lambda v: v * np.nan if v.dtype.kind == "f" else v * 0, keep_attrs=True)
    figures = {
        "no storms": plots.overview(index(), binned(), none, [99.4]),
        "no flux": plots.overview(index(), binned().isel(time=[]), none, [99.4]),
        "no values": plots.overview(index() * np.nan, binned(), none, [99.4]),
        "no storm with fits": plots.storm_fits(binned(), no_fits, index(), none),
        "No decay is resolved": plots.estimator_comparison(compared().isel(energy=[3])),
        "No decay time": plots.lifetime_map(blank.assign_attrs(lifetimes().attrs)),
        "No storm has a fit": plots.lifetime_map(blank),
        "No decay": plots.lifetime_curves(blank, E_CHOSEN, L_CHOSEN),
    }
    for sentence, figure in figures.items():
        assert any(sentence in text for text in words(figure)), sentence
        figure.draw_without_rendering()
    for empty in (lifetimes().isel(energy=[]), lifetimes().isel(L=[])):
        for figure in (plots.lifetime_map(empty), plots.lifetime_curves(empty, E_CHOSEN, L_CHOSEN)):
            assert any("No decay time" in text for text in words(figure))
            assert "SIMULATED" in words(figure)
            figure.draw_without_rendering()


def test_all_flux_zero_or_none_is_drawn() -> None:
    dark = binned()
    dark["sum_flux"] = dark["sum_flux"] * 0
    for figure in (plots.overview(index(), dark, storms(), [99.4]), plots.fit_panel(dark, decays(), 1, 99.4, 4.0).get_figure(root=True)):
        assert figure is not None
        figure.draw_without_rendering()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(40, 660, [50, 100, 200, 500]), (0.9, 30, [1, 2, 5, 10, 20]), (30, 80, [30, 40, 60, 80]), (0.01, 5e4, [0.01, 1, 1e4])],
)
def test_log_ticks_are_plain_numbers(low: float, high: float, expected: list[float]) -> None:
    ax = Figure().subplots()
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    plain_log_axis(ax.xaxis, low, high)
    ticks = list(ax.xaxis.get_majorticklocs())
    assert set(np.round(expected, 9)) <= set(np.round(ticks, 9))
    assert len(ticks) <= 9
    assert ax.xaxis.get_major_formatter()(500.0) == "500"


def test_edges_are_midway() -> None:
    np.testing.assert_allclose(log_edges(np.array([10.0, 1000.0])), [1.0, 100.0, 10000.0])
    np.testing.assert_allclose(edges(np.array([2.05, 2.15])), [2.0, 2.1, 2.2])
    np.testing.assert_allclose(edges(np.array([4.05])), [4.0, 4.1])


def test_fake_times_are_those_of_the_contract() -> None:
    """The mean sample time is the bin's centre and the mean offset, to the nanosecond of the fake's own making."""
    first = binned()
    assert (first["time"].values[0] - START) / DAY == pytest.approx(8.97 / 48)
