"""Panels in a figure of the user's own, a quarter of it each: they stay in their place and can be read there."""

from __future__ import annotations

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import pytest
from fake_results import index, storms
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from test_plots import by_gid, words
from test_plots_images import DRAWN, entries, one

from ringdecay import plots

# Those that are as wide as a page by themselves, and one that is not.
PANELS = ["calendar_panel", "dst_panel", "energy_panel", "flux_panel", "index_panel", "storm_channels", "tau_panel"]


def drawn(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Figure, Axes, list[Axes]]:
    """Draw a panel into the upper right axes of four; give the figure, these axes and the others."""
    figure = Figure(figsize=(9, 7), layout="constrained")
    others = list(figure.subplots(2, 2).flat)
    mine = others.pop(1)
    panel = getattr(plots, name)
    monkeypatch.setattr(plots, name, lambda *given, **named: panel(*given, **named, ax=mine))
    assert DRAWN[name]() is mine
    figure.draw_without_rendering()
    return figure, mine, others


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_keeps_to_the_users_axes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with plt.rc_context({"font.size": 9.0, "axes.grid": True}):
        before = dict(plt.rcParams)
        figure, mine, others = drawn(name, monkeypatch)
        assert dict(plt.rcParams) == before
    assert not [ax for ax in others if ax.has_data() or ax.get_title()]
    # Nothing leaves the figure, and SIMULATED lies on no title, no legend and no other axes.
    whole = figure.bbox
    drawn_over = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert min(drawn_over.x0 - whole.x0, drawn_over.y0 - whole.y0, whole.x1 - drawn_over.x1, whole.y1 - drawn_over.y1) > -1
    legend = mine.get_legend()
    if legend is not None:
        box = legend.get_window_extent()
        assert box.x0 > others[0].get_window_extent().x1
        assert box.x1 <= whole.x1
    for said in by_gid(mine, "simulated"):
        extent = said.get_window_extent()
        titles = [text for text in (mine.title, mine._left_title) if text.get_text()]
        assert not [text for text in titles if text.get_window_extent().overlaps(extent)]
        assert legend is None or not legend.get_window_extent().overlaps(extent)


def test_panels_of_the_proof_name_the_modes_once() -> None:
    for panel, claim in ((plots.coverage_panel, "single fits"), (plots.bias_panel, "bias")):
        assert [text for text in words(panel(one(claim)).get_figure()) if "mode" in text] == ["calibrated mode", "paper mode"]
        assert "not measured" in words(panel(one(claim).iloc[:0]).get_figure())
    for figure in (plots.validation_coverage(entries()), plots.validation_bias(entries())):
        assert [text for text in words(figure) if "mode" in text] == ["calibrated mode", "paper mode"]


def test_axes_that_were_cleared_are_as_good_as_new() -> None:
    ax = Figure().subplots()
    ax.plot([0, 1])
    ax.clear()
    plots.index_panel(index(), storms(), ax=ax)
    shown = mdates.num2date(ax.get_xlim())
    assert [day.year for day in shown] == [2015, 2015]


def test_simulated_does_not_lie_on_the_number_of_a_storm() -> None:
    for of in (index().sel(time=slice(None, "2015-05-06")), index()):
        ax = plots.index_panel(of.assign_attrs(simulated="yes"), storms(), ax=Figure(figsize=(4, 3), layout="constrained").subplots())
        ax.get_figure().draw_without_rendering()
        (said,) = by_gid(ax, "simulated")
        numbers = [text for text in ax.texts if text.get_text() in ("1", "2")]
        assert len(numbers) == 2
        assert not [text for text in numbers if text.get_window_extent().overlaps(said.get_window_extent())]
