"""The surface in use: the function at any point, the files, the figure."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.text import Text
from surface_decays import decays, population_rate

import ringdecay as rd
from ringdecay import plots
from ringdecay.errors import InputError
from ringdecay.store import content_hash, write_dataset
from ringdecay.surface import FLAGS, surface_header, surface_or_reason, surface_table
from ringdecay.surface.smoothing import rate_of
from ringdecay.surface.splines import axis_over, product_basis
from ringdecay.tables import write_csv


@pytest.fixture(scope="module")
def surface() -> xr.Dataset:
    return rd.fit_surface(decays(1))


def test_on_the_grid_the_function_is_the_grid(surface: xr.Dataset) -> None:
    at = rd.tau(surface["energy"], surface["L"], surface).transpose("energy", "L")
    for name in ("tau", "tau_low", "tau_high", "tau_limit", "rate", "rate_se", "rate_low", "rate_high", "supported", "flag"):
        np.testing.assert_allclose(at[name], surface[name], rtol=1e-9, err_msg=name)


def test_between_grid_points_the_function_is_the_surface() -> None:
    # Another way to a point: the splines that go through the rates of the grid.
    surface = rd.fit_surface(decays(scatter=0.0, noise=1e-6))
    rng = np.random.default_rng(3)
    energy = np.exp(rng.uniform(np.log(46), np.log(590), 300))
    shells = rng.uniform(2.6, 5.8, 300)
    scale = surface.attrs["rate_scale"]
    own_energy, own_L = (axis_over(decays()[name].to_numpy()) for name in ("energy", "L"))
    grid = [m.ravel() for m in np.meshgrid(surface["energy"], surface["L"], indexing="ij")]
    coefficients, *_ = np.linalg.lstsq(
        product_basis(own_energy, own_L, *grid), np.arcsinh(surface["rate"].to_numpy().ravel() / scale), rcond=None
    )
    splines, _ = rate_of(product_basis(own_energy, own_L, energy, shells) @ coefficients, scale)
    np.testing.assert_allclose(rd.tau(energy, shells, surface)["rate"], splines, rtol=0.003)
    np.testing.assert_allclose(rd.tau(energy, shells, surface)["tau"], 1 / population_rate(energy, shells), rtol=0.015)


def test_arguments_are_numbers_arrays_or_dataarrays(surface: xr.Dataset) -> None:
    one = rd.tau(100, 4, surface)
    assert one["tau"].shape == ()
    assert float(one["energy"]) == 100.0
    line = rd.tau(100.0, [3.0, 4.0], surface)
    assert line["tau"].shape == (2,)
    assert float(line["tau"][1]) == float(one["tau"])
    assert rd.tau(np.array([[60.0], [100.0]]), np.array([3.0, 4.0, 5.0]), surface)["tau"].shape == (2, 3)
    energy = xr.DataArray([60.0, 100.0], dims="channel")
    orbit = xr.DataArray([3.0, 4.0, 5.0], dims="time", coords={"time": [10, 20, 30]})
    field = rd.tau(energy, orbit, surface)
    assert field["tau"].dims == ("channel", "time")
    assert list(field["time"]) == [10, 20, 30]
    assert float(field["tau"][1, 1]) == float(one["tau"])
    assert float(field["L"][1, 1]) == 4.0
    assert float(one["tau_low"]) < float(one["tau"]) < float(one["tau_high"])
    with pytest.raises(InputError, match="do not go together"):
        rd.tau([1.0, 2.0], [1.0, 2.0, 3.0], surface)
    with pytest.raises(InputError, match="fit_surface"):
        rd.tau(100.0, 4.0, surface.drop_vars("rate"))


@pytest.mark.parametrize(("energy", "L"), [(44.0, 4.0), (601.0, 4.0), (100.0, 2.5), (100.0, 5.9), (np.nan, 4.0), (-1.0, 4.0), (0.0, 4.0)])
def test_outside_the_range_nothing_is_said(surface: xr.Dataset, energy: float, L: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        beyond = rd.tau(energy, L, surface)
    assert all(np.isnan(float(beyond[name])) for name in ("tau", "tau_low", "tau_high", "tau_limit", "rate", "rate_low"))
    assert int(beyond["supported"]) == 0
    assert int(beyond["flag"]) == FLAGS["no_data"]


def test_the_ends_of_the_range_belong_to_it(surface: xr.Dataset) -> None:
    for energy in (45.0, float(surface["energy"][-1])):
        for shell in (2.55, 5.85):
            assert np.isfinite(float(rd.tau(energy, shell, surface)["rate"]))


def test_inside_the_range_but_unsure_only_a_limit_is_said(surface: xr.Dataset) -> None:
    slow = rd.tau(580.0, 5.7, surface)
    assert np.isnan(float(slow["tau"]))
    assert int(slow["flag"]) == FLAGS["wide"]
    assert float(slow["tau_limit"]) > 10


def test_files_give_back_the_surface(surface: xr.Dataset, tmp_path: Path) -> None:
    write_dataset(surface, tmp_path / "surface.nc")
    again = rd.open_dataset(tmp_path / "surface.nc")
    assert content_hash(again) == content_hash(surface)
    assert float(rd.tau(123.0, 4.2, again)["tau"]) == float(rd.tau(123.0, 4.2, surface)["tau"])


def test_the_table_can_be_used_without_this_package(surface: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "surface.csv"
    write_csv(surface_table(surface), path, surface_header(surface))
    text = path.read_text()
    assert text.startswith("# SIMULATED")
    assert surface.attrs["range"] in text
    table = pd.read_csv(path, comment="#")
    assert list(table.columns[:5]) == ["energy_keV", "L", "tau_days", "tau_low_days", "tau_high_days"]
    assert len(table) == surface["tau"].size
    assert (table["tau_days"].notna() == (table["supported"] == 1)).all()
    # As its header says: ln tau, linear in ln energy and ln L.
    energy, shells = np.unique(table["energy_keV"]), np.unique(table["L"])
    grid = np.log(table.pivot_table(index="energy_keV", columns="L", values="tau_days", dropna=False).to_numpy())
    e, s = 123.0, 4.23
    i, j = np.searchsorted(energy, e) - 1, np.searchsorted(shells, s) - 1
    p = np.log(e / energy[i]) / np.log(energy[i + 1] / energy[i])
    q = np.log(s / shells[j]) / np.log(shells[j + 1] / shells[j])
    by_hand = (1 - p) * ((1 - q) * grid[i, j] + q * grid[i, j + 1]) + p * ((1 - q) * grid[i + 1, j] + q * grid[i + 1, j + 1])
    assert float(rd.tau(e, s, surface)["tau"]) == pytest.approx(np.exp(by_hand), rel=2e-3)
    assert "SIMULATED" not in "".join(surface_header(rd.fit_surface(decays(1, simulated="no"))))


def words(figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


def drawn(surface: xr.Dataset, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plots.lifetime_surface(surface, **more)
        figure.draw_without_rendering()
    return figure


def test_the_figure_shows_the_surface(surface: xr.Dataset) -> None:
    truth = xr.Dataset(
        {"population_rate": (("energy", "L"), population_rate(surface["energy"].to_numpy()[:, None], surface["L"].to_numpy()))},
        coords={"energy": surface["energy"], "L": surface["L"]},
    )
    figure = drawn(surface, lifetimes=rd.lifetimes(decays(1)), truth=truth)
    assert "SIMULATED" in words(figure)
    assert "limit only" in words(figure)
    (line,) = [line for line in figure.axes[1].lines if str(line.get_gid()).startswith("surface L = 4.05")]
    shell = float(str(line.get_gid()).split("=")[1])
    x, y = line.get_data()
    np.testing.assert_allclose(y, rd.tau(x, shell, surface)["tau"], rtol=1e-12)
    (mesh,) = [artist for artist in figure.findobj() if artist.get_gid() == "tau"]
    np.testing.assert_allclose(np.ma.filled(mesh.get_array(), np.nan), surface["tau"].transpose("L", "energy"))
    assert "SIMULATED" not in words(drawn(surface.assign_attrs(simulated="no")))


def test_the_figure_says_when_there_is_nothing() -> None:
    none = surface_or_reason(decays().isel(storm=slice(0, 1)))
    assert "storms here: 1" in words(drawn(none, lifetimes=rd.lifetimes(decays().isel(storm=slice(0, 1)))))
    nowhere = rd.fit_surface(decays(2, noise=3.0))
    assert (nowhere["supported"] == 0).all()
    assert "none" in nowhere.attrs["range"]
    assert "at none of these" in words(drawn(nowhere))
