"""Figures of the comparison with theory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import xarray as xr
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text
from theory_decays import decays

import ringdecay as rd
from ringdecay import plots
from ringdecay.beside_theory import VERDICTS, comparison_table, predicted_rates, with_prediction
from ringdecay.errors import InputError
from ringdecay.theory import loss_rate

ENERGY = np.array([45.0, 67.0, 99.0, 148.0, 269.0, 400.0])
SHELLS = np.array([3.0, 4.0, 5.0])


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def fits() -> xr.Dataset:
    """Rates of the textbook, but at L = 5: ten times as fast at 99 keV, not resolved at 269 keV, growing at 400 keV, none at 45 keV."""
    rate = loss_rate(ENERGY, SHELLS, spectral_index=2.0)["rate"].transpose("energy", "L").to_numpy()
    rate = rate[None] * (1 + 0.02 * np.linspace(-1, 1, 5)[:, None, None])
    rate[:, 2, 2] *= 10
    rate[:, 4, 2] = [-0.03, 0.02, 0.03, -0.01, 0.02]
    rate[:, 5, 2] = -0.1 * np.linspace(0.9, 1.1, 5)
    rate[:, 0, 2] = np.nan
    return decays(rate, ENERGY, SHELLS)


@pytest.fixture(scope="module")
def comparison(fits) -> xr.Dataset:
    return rd.compare_with_theory(fits, rd.lifetimes(fits, resamples=1))


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def artists(ax, gid: str) -> list:
    return [artist for artist in ax.findobj() if artist.get_gid() == gid]


def points(ax, gid: str) -> np.ndarray:
    return next(c for c in ax.containers if isinstance(c, ErrorbarContainer) and c.lines[0].get_gid() == gid).lines[0].get_ydata()


def test_the_figure_says_simulated_once_when_it_must(comparison, tmp_path):
    simulated, real = plots.theory_ratio(comparison), plots.theory_ratio(comparison.assign_attrs(simulated="no"))
    assert [text for text in words(simulated) if "SIMULATED" in text] == ["SIMULATED"]
    assert not [text for text in words(real) if "simulat" in text.lower()]
    for suffix in ("png", "svg"):
        plots.save(simulated, tmp_path / f"figure.{suffix}")
    assert "SIMULATED" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "draw",
    [
        lambda c, ax: plots.ratio_against_energy(c, [4.0], ax=ax),
        lambda c, ax: plots.ratio_panel(c, ax=ax),
        lambda c, ax: plots.factor_panel(c, "a", ax=ax),
        lambda c, ax: plots.factor_panel(c, "b", ax=ax),
    ],
)
def test_panels_draw_into_the_users_axes_and_say_simulated_there(comparison, draw):
    figure = Figure()
    ax = figure.subplots()
    assert draw(comparison, ax) is ax
    assert "SIMULATED" in words(figure)
    assert draw(comparison, None) is not ax


def test_the_curve_has_ratios_limits_and_the_band_round_one(comparison):
    ax = plots.ratio_against_energy(comparison, [5.0])
    # 67, 99 and 148 keV are resolved; the ratio is to the median over the models.
    shown = comparison["ratio"].sel(L=5.0).to_numpy()
    np.testing.assert_allclose(points(ax, "ratio L = 5"), shown[1:4])
    np.testing.assert_allclose(points(ax, "limit L = 5"), comparison["ratio_limit"].sel(L=5.0, energy=269.0))
    (band,) = artists(ax, "band L = 5")
    edges = band.get_paths()[0].vertices[:, 1]
    assert edges.max() == pytest.approx(float(comparison["band_high"].sel(L=5.0).max()))
    assert edges.min() == pytest.approx(float(comparison["band_low"].sel(L=5.0).min()))
    low, high = ax.get_ylim()
    assert low < shown[1:4].min()
    assert high > shown[1:4].max()


def test_the_map_hides_what_cannot_be_told_and_lines_what_is_outside(comparison):
    ax = plots.ratio_panel(comparison)
    (mesh,) = artists(ax, "ratio")
    colours = np.ma.filled(mesh.get_array().reshape(SHELLS.size, ENERGY.size), np.nan)
    cannot = (comparison["verdict"] == VERDICTS["cannot_tell"]).transpose("L", "energy").to_numpy()
    none = (comparison["verdict"] == VERDICTS["no_observation"]).transpose("L", "energy").to_numpy()
    assert cannot.any()
    assert none.any()
    assert np.isnan(colours[cannot | none]).all()
    growing = (comparison["rate_high"] < 0).transpose("L", "energy").to_numpy()
    assert growing.sum() == 1
    assert np.isnan(colours[growing]).all()
    assert np.isfinite(colours[~cannot & ~none & ~growing]).all()
    assert len(artists(ax, "growing")[0].get_paths()) == 1
    (hatched,) = artists(ax, "cannot tell")
    assert len(hatched.get_paths()) == cannot.sum()
    (lines,) = artists(ax, "outside")
    # 99 keV is too fast and 400 keV too slow at L = 5: two cells that do not touch.
    assert len(lines.get_paths()) == 2 * 4


def test_factors_are_those_of_the_fit_and_the_title_says_them_for_all_L(comparison):
    ax = plots.factor_panel(comparison, "a")
    np.testing.assert_allclose(points(ax, "a"), comparison["a"][1:])
    whole = comparison.isel(fit=0)
    assert f"a = {float(whole['a']):.2f} ({float(whole['a_low']):.2f} to" in ax.get_title(loc="left")


def test_without_an_observation_the_figure_says_so(fits, tmp_path):
    nothing = fits.assign(rate=fits["rate"] * np.nan)
    figure = plots.theory_ratio(rd.compare_with_theory(nothing, rd.lifetimes(nothing, resamples=1)))
    plots.save(figure, tmp_path / "figure.png")
    assert words(figure).count("There is no rate to compare.") == 2
    assert "a could not be fitted." in words(figure)


def test_one_storm_has_hollow_points_and_says_that_there_is_no_interval(fits):
    one = fits.isel(storm=[0])
    texts = words(plots.theory_ratio(rd.compare_with_theory(one, rd.lifetimes(one, resamples=1))))
    assert "no interval: one storm decides" in texts
    assert any(text.startswith("all L: a = ") and text.endswith("no interval") for text in texts)


def test_lifetimes_with_a_prediction_beside_have_its_band(fits):
    mean = rd.lifetimes(fits, resamples=1)
    beside = with_prediction(mean, predicted_rates(fits))
    ax = plots.tau_against_energy(beside, [4.0])
    (band,) = artists(ax, "theory L = 4")
    edges = band.get_paths()[0].vertices
    at = edges[np.isclose(edges[:, 0], 99.0), 1]
    one = beside.sel(energy=99.0, L=4.0)
    np.testing.assert_allclose(
        sorted({*at.round(9)}), sorted([1 / float(one["rate_predicted_high"]), 1 / float(one["rate_predicted_low"])])
    )
    across = plots.tau_against_L(beside, [99.0])
    assert artists(across, "theory 99 keV")
    # The range of the axes is that of what was found.
    assert ax.get_ylim() == plots.tau_against_energy(mean, [4.0]).get_ylim()
    assert not artists(plots.tau_against_energy(mean, [4.0]), "theory L = 4")
    texts = words(plots.lifetime_curves(beside, [99.0], [4.0]))
    assert any("charge exchange and Coulomb drag" in text for text in texts)


def test_a_run_of_paper_mode_which_has_no_mean_rate_is_drawn_in_words(fits) -> None:
    paper = fits.assign_attrs(mode="paper").assign(tau=1 / fits["rate"])
    comparison = rd.compare_with_theory(paper, rd.lifetimes(paper))
    figure = plots.theory_ratio(comparison)
    figure.draw_without_rendering()
    assert sum("There is no rate to compare." in text for text in words(figure)) == 2
    assert any("could not be fitted" in text for text in words(figure))


def test_a_dataset_of_another_function_is_refused_in_a_sentence(fits) -> None:
    mean = rd.lifetimes(fits)
    for draw, given, maker in (
        (plots.theory_ratio, mean, "compare_with_theory"),
        (comparison_table, mean, "compare_with_theory"),
        (plots.theory_map, mean, "loss_rate"),
        (plots.lifetime_map, fits, "lifetimes"),
    ):
        with pytest.raises(InputError, match=rf"the dataset has no .*; give what {maker} returns"):
            draw(given)
        with pytest.raises(InputError, match=rf"str is no Dataset; give what {maker} returns"):
            draw("results/demo/theory.nc")
    with pytest.raises(InputError, match="these decay times are over choice too"):
        plots.lifetime_map(mean.expand_dims(choice=["a", "b"]))
