"""The figure of the energy: it shows the numbers it is given, says SIMULATED when it must, and copes with nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text
from ring_current_flux import binned, index, solar_wind, storms

from ringdecay import plots
from ringdecay.binned import with_merged_probe
from ringdecay.energy_content import energy_content, energy_decays, recovery_windows, with_index
from ringdecay.errors import InputError

SHELLS = (3.2, 4.2, 4.8)


@lru_cache
def results(simulated: str = "yes", wind: bool = True, tau: float = 8.0) -> tuple[xr.Dataset, xr.Dataset, xr.DataArray]:
    data = with_merged_probe(binned(tau=tau)).assign_attrs(simulated=simulated)
    sym_h = index(pressure=4.0).assign_attrs(simulated=simulated)
    given = solar_wind(pressure=4.0, field=1.0) if wind else None
    content = with_index(energy_content(data), sym_h, given)
    return content, energy_decays(content, recovery_windows(data, storms(), sym_h), sym_h, given, L=SHELLS), sym_h


def figure(simulated: str = "yes", wind: bool = True) -> Figure:
    content, decays, sym_h = results(simulated, wind)
    return plots.energy_overview(content, decays, sym_h, storms())


PANELS: dict[str, Callable[[Axes | None], Axes]] = {
    "dst_panel": lambda ax: plots.dst_panel(results()[0], results()[2], storms(), ax=ax),
    "energy_panel": lambda ax: plots.energy_panel(*results()[:2], storms=storms(), ax=ax),
    "energy_decay_panel": lambda ax: plots.energy_decay_panel(results()[1], ax=ax),
    "pressure_panel": lambda ax: plots.pressure_panel(results()[0], ax=ax),
    "shell_decay_panel": lambda ax: plots.shell_decay_panel(results()[1], ax=ax),
}


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def words(one: Figure) -> list[str]:
    return [text.get_text() for text in one.findobj(Text) if text.get_visible() and text.get_text()]


def test_simulated_is_said_once_and_only_of_simulated_data() -> None:
    for simulated in ("yes", "no"):
        one = figure(simulated)
        one.draw_without_rendering()
        assert words(one).count("SIMULATED") == (simulated == "yes")


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_draws_where_it_is_told_and_says_simulated_alone(name: str) -> None:
    ax = Figure().subplots()
    assert PANELS[name](ax) is ax
    alone = PANELS[name](None).get_figure(root=True)
    assert alone is not None
    alone.draw_without_rendering()  # type: ignore[union-attr]
    assert words(alone).count("SIMULATED") == 1  # type: ignore[arg-type]


def test_the_energy_drawn_is_the_energy_given_and_the_fit_lies_on_it() -> None:
    content, decays, _ = results()
    ax = plots.energy_panel(content, decays)
    tops = [collection.get_paths()[0].vertices[:, 1].max() for collection in ax.collections]
    total = content["energy_content_total"].sel(probe="merged")
    assert max(tops) == pytest.approx(float(total.max()) / 1e15)
    # One decay without noise: the dashed line is the top of the stack.
    fits = [line for line in ax.lines if line.get_gid() == "fit"]
    assert len(fits) == 2
    time, value = fits[0].get_xdata(orig=True), fits[0].get_ydata()
    expected = np.exp(np.interp(time.astype(float), total["time"].to_numpy().astype(float), np.log(total.to_numpy()))) / 1e15
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_the_depression_drawn_is_that_of_the_energy() -> None:
    content, _, sym_h = results()
    ax = plots.dst_panel(content, sym_h, storms())
    (line,) = (line for line in ax.lines if line.get_gid() == "Dst_DPS")
    np.testing.assert_array_equal(line.get_ydata(), content["Dst_DPS"].sel(probe="merged"))


def test_the_pressure_drawn_is_the_median_of_each_band_over_the_time_bins() -> None:
    content, _, _ = results()
    for quantity, unit in (("pressure", "nPa"), ("energy_density", "keV cm$^{-3}$")):
        ax = plots.pressure_panel(content, quantity)
        assert unit in ax.get_ylabel()
        for band in range(content.sizes["band"]):
            (line,) = (line for line in ax.lines if line.get_gid() == f"{quantity} {band}")
            expected = content[quantity].sel(probe="merged").isel(band=band).median("time")
            np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-12)
            np.testing.assert_array_equal(line.get_xdata(), content["L"])


def test_means_with_intervals_and_the_expected_recovery_are_drawn() -> None:
    _, decays, _ = results()
    ax = plots.energy_decay_panel(decays)
    bars = [bar for bar in ax.containers if isinstance(bar, ErrorbarContainer)]
    assert len(bars) == 2
    np.testing.assert_allclose(bars[1][0].get_ydata()[:5], 8.0, rtol=1e-6)
    assert [text.get_text().replace("\N{EN DASH}", "-") for text in ax.get_xticklabels()] == [
        "all",
        "40-49",
        "49-110",
        "110-200",
        "200-661",
        "SYM-H*",
    ]
    assert any("O'Brien" in text for text in words(ax.get_figure(root=True)))  # type: ignore[arg-type]
    without = plots.energy_decay_panel(results(wind=False)[1])
    assert not any("O'Brien" in text for text in words(without.get_figure(root=True)))  # type: ignore[arg-type]


def test_nothing_to_draw_is_drawn_in_words_or_not_at_all() -> None:
    content, decays, sym_h = results()
    blank, no_rates = (
        one.map(lambda values: values * np.nan if values.dtype.kind == "f" else values, keep_attrs=True).assign_coords(one.coords)
        for one in (content, decays)
    )
    none = storms().iloc[:0]
    for parts in (
        (blank, no_rates, sym_h, storms()),
        (content, no_rates.isel(storm=[0]), sym_h, none),
        (content, decays, sym_h * np.nan, storms()),
        (*results(tau=-30.0)[:2], sym_h, storms()),
    ):
        plots.energy_overview(*parts).draw_without_rendering()
    assert any("No storm has a window" in text for text in words(plots.energy_overview(content, no_rates, sym_h, none)))
    assert any("No time bin" in text for text in words(plots.energy_overview(blank, no_rates, sym_h, storms())))


def test_the_same_figure_is_the_same_bytes(tmp_path) -> None:
    for name in ("a", "b"):
        plots.save(figure(), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_decays_of_another_probe_are_not_drawn_upon_the_energy() -> None:
    content, decays, sym_h = results()
    for draw in (
        lambda: plots.energy_overview(content, decays, sym_h, storms(), probe="a"),
        lambda: plots.energy_panel(content, decays, probe="a"),
    ):
        with pytest.raises(InputError, match="decays are those of probe 'merged'"):
            draw()
    plots.energy_panel(content, probe="a")
    for one in (lambda: plots.pressure_panel(content, probe="c"), lambda: plots.dst_panel(content, sym_h, storms(), probe="c")):
        with pytest.raises(InputError, match="probe 'c' is not known"):
            one()
