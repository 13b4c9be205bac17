"""Means over storms against references, and what they say of limits, growth and few storms."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from synthetic_decays import mission

from ringdecay.decays import FLAGS as FIT_FLAGS
from ringdecay.decays import fit_decays
from ringdecay.errors import InputError
from ringdecay.lifetime import FLAGS, lifetimes, paule_mandel


def decays_of(rate: np.ndarray, se: np.ndarray, df: float = 1e9, mode: str = "calibrated", flags: np.ndarray | int = 0) -> xr.Dataset:
    """Fits of one energy and one L-shell; (storm,) arrays."""
    low, high = rate - 1.96 * se, rate + 1.96 * se
    flag = np.where(low <= 0, FIT_FLAGS["not_resolved"], 0) | np.where(high < 0, FIT_FLAGS["growth"], 0) | flags
    values = {"rate": rate, "rate_se": se, "df": np.full(rate.shape, df), "tau": 1 / rate, "flag": flag.astype(np.int32)}
    return xr.Dataset(
        {name: (("storm", "probe", "energy", "L"), v[:, None, None, None]) for name, v in values.items()},
        coords={"storm": np.arange(1, len(rate) + 1), "probe": ["merged"], "energy": [99.0], "L": [4.0]},
        attrs={"mode": mode},
    )


def test_paule_mandel_equals_statsmodels():
    rng = np.random.default_rng(1)
    for between in (0.0, 0.05, 0.5):
        se = rng.uniform(0.05, 0.4, 12)
        x = 1 + between * rng.normal(size=12) + se * rng.normal(size=12)
        expected = combine_effects(x, se**2, method_re="iterated", atol=1e-9).tau2
        assert paule_mandel(x[:, None], se[:, None] ** 2, np.ones((12, 1), bool))[0] == pytest.approx(max(expected, 0), abs=1e-8)


def test_equal_errors_give_the_plain_mean_and_its_t_interval():
    rate = np.array([0.1, 0.14, 0.08, 0.12, 0.11])
    result = lifetimes(decays_of(rate, np.full(5, 0.01)))
    assert float(result["rate"].squeeze()) == pytest.approx(rate.mean())
    low, high = stats.t.interval(0.95, 4, rate.mean(), stats.sem(rate))
    assert [float(result[name].squeeze()) for name in ("rate_low", "rate_high")] == pytest.approx([low, high])
    assert float(result["tau_low"].squeeze()) == pytest.approx(1 / high)
    assert float(result["tau"].squeeze()) == pytest.approx(1 / rate.mean())


def test_scatter_is_what_the_errors_do_not_explain():
    rng = np.random.default_rng(2)
    rate = 0.1 + 0.02 * rng.normal(size=400) + 0.03 * rng.normal(size=400)
    result = lifetimes(decays_of(rate, np.full(400, 0.03)))
    assert float(result["scatter"].squeeze()) == pytest.approx(0.02, rel=0.2)


def test_no_storm_is_the_whole_mean_and_poor_fits_do_not_decide():
    rate = np.array([0.1, 0.1, 0.1, 0.1, 0.2, -3.0])
    se = np.array([0.05, 0.05, 0.05, 0.05, 0.0005, 2.0])
    mean = float(lifetimes(decays_of(rate, se))["rate"].squeeze())
    assert 0.10 < mean < 0.15


def test_growing_and_unresolved_fits_enter_and_are_counted():
    rate, se = np.array([0.05, 0.01, -0.02, 0.04]), np.array([0.01, 0.02, 0.005, 0.01])
    result = lifetimes(decays_of(rate, se)).squeeze()
    assert [int(result[name]) for name in ("n_storms", "n_resolved", "n_limits", "n_growth")] == [4, 2, 1, 1]
    assert float(result["rate"]) < 0.04
    assert int(result["flag"]) & FLAGS["not_resolved"]
    assert np.isinf(float(result["tau_high"]))
    assert 0 < float(result["tau_limit"]) < np.inf


def test_one_storm_gives_the_interval_of_its_fit_with_a_flag_and_none_gives_nothing():
    one = lifetimes(decays_of(np.array([0.1, np.nan]), np.array([0.01, np.nan]), df=20)).squeeze()
    assert int(one["flag"]) & FLAGS["single_storm"]
    assert float(one["rate_high"] - one["rate"]) == pytest.approx(stats.t.ppf(0.975, 20) * 0.01)
    assert np.isnan(float(one["scatter"]))
    for rate in (np.array([np.nan, np.nan]), np.array([])):
        none = lifetimes(decays_of(rate, rate)).squeeze()
        assert int(none["flag"]) & FLAGS["no_fits"]
        assert np.isnan(float(none["rate"]))
        assert int(none["n_storms"]) == 0


def test_paper_mode_averages_tau_over_accepted_fits():
    rate = np.array([0.1, 0.2, 0.05, -0.1])
    result = lifetimes(decays_of(rate, np.full(4, 0.01), mode="paper", flags=np.array([0, 0, 0, FIT_FLAGS["not_accepted"]]))).squeeze()
    assert float(result["tau"]) == pytest.approx((10 + 5 + 20) / 3)
    assert float(result["tau_sd"]) == pytest.approx(np.std([10, 5, 20], ddof=1))
    assert int(result["n_accepted"]) == 3
    assert int(result["n_storms"]) == 4


def test_storms_lost_to_the_floor_are_counted_and_said():
    rate = np.array([0.5, 0.6, np.nan, np.nan])
    lost = np.array([0, 0, FIT_FLAGS["floor_reached"] | FIT_FLAGS["too_few_points"], FIT_FLAGS["no_window"]])
    result = lifetimes(decays_of(rate, np.where(np.isnan(rate), np.nan, 0.01), flags=lost)).squeeze()
    assert int(result["n_lost"]) == 1
    assert int(result["flag"]) & FLAGS["storms_lost_to_floor"]


def test_a_probe_that_is_not_there_is_named():
    with pytest.raises(InputError, match="merged"):
        lifetimes(decays_of(np.array([0.1]), np.array([0.01])), probe="b")


def test_intervals_cover_the_population_whatever_the_windows():
    """Storms whose errors differ twentyfold, scatter of 20 %: independent cells, so that the binomial error is known."""
    rng = np.random.default_rng(3)
    for tau in (5.0, 20.0, 60.0):
        se = np.array([0.5, 0.3, 0.02, 0.005, 0.06, 0.04, 0.01, 0.3, 0.1, 0.03])[:, None] * np.ones(1500)
        rate = (1 + 0.2 * rng.normal(size=se.shape)) / tau + se * rng.normal(size=se.shape)
        fits = xr.concat([decays_of(rate[:, k], se[:, k]).assign_coords(L=[float(k)]) for k in range(3)], "L").isel(L=[0] * 1500)
        fits = fits.assign(rate=(fits["rate"].dims, rate[:, None, None, :]), rate_se=(fits["rate"].dims, se[:, None, None, :]))
        result = lifetimes(fits.assign_coords(L=np.arange(1500.0)), resamples=10)
        inside = (result["rate_low"] <= 1 / tau) & (result["rate_high"] >= 1 / tau)
        assert 0.93 <= float(inside.mean()) <= 0.985, tau
        assert float(result["rate"].mean()) == pytest.approx(1 / tau, abs=4 * float(result["rate"].std()) / np.sqrt(1500))


def test_a_storm_can_be_left_out_by_masking_it():
    world = mission(11, n_e=2, n_l=2)
    decays = fit_decays(world.binned, world.storms)
    masked = lifetimes(decays.where(decays["storm"] != 3))
    dropped = lifetimes(decays.sel(storm=decays["storm"] != 3))
    np.testing.assert_allclose(masked["rate"], dropped["rate"])


def test_a_fit_without_an_error_does_not_count():
    rate, se = np.array([0.1, 0.14, 0.08, 5.0]), np.array([0.02, 0.02, 0.02, 0.0])
    found, expected = lifetimes(decays_of(rate, se)), lifetimes(decays_of(rate[:3], se[:3]))
    for name in ("rate", "rate_low", "scatter", "rate_reml", "rate_pred_low", "p_value"):
        assert found[name].item() == pytest.approx(expected[name].item(), rel=1e-9), name
    assert found["n_storms"].item() == 3
    assert lifetimes(decays_of(rate, 0 * se))["n_storms"].item() == 0


@pytest.mark.parametrize("settings", [{"resamples": 2.5}, {"seed": -1}, {"seed": "a"}, {"probe": None}, {"probe": 1}])
def test_settings_that_are_no_settings_are_refused(settings: dict):
    with pytest.raises(InputError):
        lifetimes(decays_of(np.array([0.1, 0.2]), np.array([0.1, 0.1])), **settings)
    with pytest.raises(InputError):
        lifetimes(None)


def test_in_brief_the_mean_is_the_same():
    rng = np.random.default_rng(3)
    decays = decays_of(rng.normal(0.1, 0.05, 6), np.full(6, 0.03), df=12.0)
    whole, brief = lifetimes(decays), lifetimes(decays, brief=True)
    assert set(whole) - set(brief) == {
        "scatter_low", "scatter_high", "rate_pred_low", "rate_pred_high", "tau_pred_low", "tau_pred_high", "largest_shift",
        "largest_shift_storm", "rate_reml", "rate_reml_low", "rate_reml_high", "scatter_reml", "rate_boot_low", "rate_boot_high",
    }  # fmt: skip
    xr.testing.assert_identical(brief.drop_attrs(deep=False), whole[list(brief)].drop_attrs(deep=False))
