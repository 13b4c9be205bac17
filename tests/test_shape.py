"""Whitening against dense matrices; curvature and two stages found where they are, and hardly ever where they are not."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from synthetic_decays import ornstein_uhlenbeck, simulate
from test_decays_gls import some_series

from ringdecay.decays import FLAGS, fit_decay, fit_decays
from ringdecay.decays.curvature import curvature, parabola_likelihood, two_stages
from ringdecay.decays.gls import Series
from ringdecay.decays.mixture import integrate_error
from ringdecay.decays.pooling import estimate, pool
from ringdecay.decays.whitening import NUGGET, normal_equations, products_of, solve, whiten


def covariance_of(series: Series, k: int, sigma: float, theta: float) -> np.ndarray:
    t = series.t[k, : series.n[k]]
    correlation = np.exp(-np.abs(t[:, None] - t) / theta) if theta > 0 else np.eye(len(t))
    return sigma**2 * correlation + np.diag(series.noise[k, : series.n[k]] + NUGGET * sigma**2)


@pytest.fixture(scope="module")
def columns_of_series() -> tuple[Series, np.ndarray]:
    series = some_series(11, 4, 25)
    ones = series.valid.astype(float)
    return series, np.stack([series.y, ones, series.t, series.t**2])


def test_whitening_is_the_inverse_cholesky_factor(columns_of_series: tuple[Series, np.ndarray]):
    series, columns = columns_of_series
    sigma, theta = np.array([0.15, 0.3, 0.02, 0.1]), np.array([0.5, 4.0, 0.05, 0.0])
    white = whiten(series, sigma, theta, columns)
    for k in range(4):
        n = series.n[k]
        factor = np.linalg.cholesky(covariance_of(series, k, sigma[k], theta[k]))
        np.testing.assert_allclose(white[:, k, :n], np.linalg.solve(factor, columns[:, k, :n].T).T, rtol=1e-9, atol=1e-9)
        assert not white[:, k, n:].any()


def test_normal_equations_of_many_error_models_are_those_of_dense_matrices(columns_of_series: tuple[Series, np.ndarray]):
    series, columns = columns_of_series
    sigma, theta = np.array([0.1, 0.4])[:, None] * np.ones(4), np.array([0.3, 2.0, 0.7])[:, None, None]
    products, log_determinant = normal_equations(series, sigma[None], theta, columns)
    found = solve(products)
    np.testing.assert_allclose(products[:, :, 1, 0], products_of(whiten(series, sigma[0], np.full(4, 2.0), columns)), rtol=1e-10)
    for k in range(4):
        x, y = columns[1:, k, : series.n[k]].T, series.y[k, : series.n[k]]
        for i in range(3):
            for j in range(2):
                dense = covariance_of(series, k, sigma[j, k], theta[i, 0, 0])
                model = sm.GLS(y, x, sigma=dense).fit()
                np.testing.assert_allclose(found.values[:, i, j, k], model.params, rtol=1e-7)
                np.testing.assert_allclose(found.covariance[:, :, i, j, k], model.normalized_cov_params, rtol=1e-7)
                residual = y - x @ model.params
                assert found.misfit[i, j, k] == pytest.approx(residual @ np.linalg.solve(dense, residual), rel=1e-7)
                assert log_determinant[i, j, k] == pytest.approx(np.linalg.slogdet(dense)[1], rel=1e-9)
                assert found.log_information[i, j, k] == pytest.approx(np.linalg.slogdet(x.T @ np.linalg.solve(dense, x))[1], rel=1e-9)


def test_two_points_at_one_time_can_be_whitened():
    series = Series(np.zeros((1, 4)), np.array([[0.0, 1.0, 1.0, 2.0]]), np.zeros((1, 4)), np.array([4]))
    white = whiten(series, np.array([0.1]), np.array([1.0]), np.ones((1, 1, 4)))
    assert np.isfinite(white).all()


def test_columns_that_depend_on_each_other_have_no_solution():
    series = some_series(12, 2, 20)
    ones = series.valid.astype(float)
    found = solve(products_of(np.stack([series.y, ones, 2 * ones])))
    assert np.isnan(found.values).all()


def test_the_mixture_over_a_line_is_the_estimate_of_the_straight_fit():
    series = some_series(13, 60, 30)
    pooled = pool(series, n_independent=60)
    straight = estimate(series, pooled)
    # The same line about the mean time; `estimate` takes an ordinary line off first.
    first = np.where(series.valid, series.t - (series.t.sum(1) / series.n)[:, None], 0.0)
    found = integrate_error(series, np.where(series.valid, series.y, 0.0), np.stack([series.valid.astype(float), first]), pooled)
    np.testing.assert_allclose(-found.mean[1], straight.rate, rtol=1e-3)
    np.testing.assert_allclose(found.scale[1], straight.se, rtol=1e-3)
    np.testing.assert_allclose(found.df[1], straight.df, rtol=1e-2)
    np.testing.assert_allclose(found.sigma, straight.sigma, rtol=1e-3)
    np.testing.assert_allclose(found.rho, straight.rho, rtol=1e-3)


def bent(seed: int, number: int, points: int, rho: float, bend: float, *, broken: bool = False) -> Series:
    """Series over 8 days at 0.3 per day; `bend` is the second derivative, or for broken ones the rates' ratio with a break at 3 days."""
    rng = np.random.default_rng(seed)
    t = (np.arange(points) + rng.uniform(0.2, 0.8, (number, points))) * 8 / points
    theta = -(8 / points) / np.log(rho) if rho else 0.0
    u = np.stack([0.15 * ornstein_uhlenbeck(rng, row, theta) for row in t])
    mean = -0.3 * (bend * np.minimum(t, 3) + np.maximum(t - 3, 0)) if broken else -0.3 * t + 0.5 * bend * (t - 4) ** 2
    return Series(mean + u + rng.normal(size=t.shape) / 30, t, np.full(t.shape, 1 / 900), np.full(number, points))


def share_curved(series: Series, level: float) -> float:
    found = curvature(series, pool(series, len(series.n), likelihood=parabola_likelihood))
    return float(np.mean(2 * stats.t.sf(np.abs(found.value / found.error), found.df) < level))


@pytest.mark.parametrize(("points", "rho"), [(12, 0.4), (24, 0.0), (24, 0.8), (50, 0.4)])
def test_straight_series_are_seldom_called_curved(points: int, rho: float):
    # 400 series: binomial errors 0.005 and 0.011 about the levels of 0.01 and 0.05; at rho of 0.8 0.03 was measured.
    series = bent(21, 400, points, rho, 0.0)
    assert share_curved(series, 0.01) <= (0.06 if rho > 0.5 else 0.025)
    assert share_curved(series, 0.05) <= (0.12 if rho > 0.5 else 0.085)


def test_curvature_is_found_at_its_value_even_if_every_series_of_the_run_has_it():
    series = bent(22, 200, 40, 0.4, 0.06)
    found = curvature(series, pool(series, len(series.n), likelihood=parabola_likelihood))
    assert np.mean(found.value) == pytest.approx(0.06, rel=0.05)
    assert np.median(found.error) == pytest.approx(np.std(found.value), rel=0.15)
    assert share_curved(series, 0.01) > 0.8


@pytest.mark.parametrize(("points", "rho"), [(12, 0.4), (24, 0.0), (24, 0.8), (50, 0.4)])
def test_two_stages_are_chosen_in_at_most_five_percent_of_single_exponentials(points: int, rho: float):
    series = bent(23, 400, points, rho, 0.0)
    bend = curvature(series, pool(series, 400, likelihood=parabola_likelihood))
    chosen = two_stages(series, bend.sigma, bend.theta, bend.df).criterion > 0
    # 0.05 and two binomial errors.
    assert chosen.mean() <= 0.07


def test_two_stages_have_their_rates_and_their_break():
    series = bent(24, 200, 40, 0.4, 4.0, broken=True)
    bend = curvature(series, pool(series, len(series.n), likelihood=parabola_likelihood))
    found = two_stages(series, bend.sigma, bend.theta, bend.df)
    assert (found.criterion > 0).mean() > 0.9
    assert np.median(found.fast) == pytest.approx(1.2, rel=0.05)
    assert np.median(found.slow) == pytest.approx(0.3, rel=0.08)
    assert np.median(found.time) == pytest.approx(3.0, abs=0.3)
    assert np.mean(np.abs(found.fast - 1.2) < 1.96 * found.fast_se) > 0.93
    assert np.mean(np.abs(found.slow - 0.3) < 1.96 * found.slow_se) > 0.93


def test_a_decay_that_speeds_up_is_curved_but_has_no_fast_and_slow_stage():
    time, rng = np.arange(0, 20, 0.3), np.random.default_rng(3)
    flux = 1e4 * np.exp(-0.01 * time**2 + 0.05 * rng.normal(size=time.size))
    found = fit_decay(time, flux)
    assert found["flag"] & FLAGS["curved"]
    assert float(found["curvature"]) == pytest.approx(-0.02, rel=0.1)
    assert not found["flag"] & FLAGS["two_stages"]
    assert float(found["delta_criterion"]) < 0


def test_a_lone_series_of_two_stages_is_told_with_its_times():
    start, rng = np.datetime64("2013-03-18T00", "ns"), np.random.default_rng(4)
    days = np.arange(0, 16, 0.35)
    flux = 1e5 * np.exp(-0.8 * np.minimum(days, 5) - 0.1 * np.maximum(days - 5, 0) + 0.1 * rng.normal(size=days.size))
    found = fit_decay(start + (days * 86_400e9).astype("timedelta64[ns]"), flux)
    assert found["flag"] & FLAGS["two_stages"]
    assert abs(found["break_time"].to_numpy() - (start + np.timedelta64(5, "D"))) < np.timedelta64(12, "h")
    assert float(found["rate_fast"]) == pytest.approx(0.8, abs=3 * float(found["rate_fast_se"]))
    assert float(found["rate_slow"]) == pytest.approx(0.1, abs=3 * float(found["rate_slow_se"]))


def test_without_two_stages_the_rest_of_the_result_is_the_same():
    world = simulate(5, np.array([[3.0, 20.0]]), np.array([1e4]), gaps=(13.0, 12.0, 15.0))
    both, one = fit_decays(world.binned, world.storms), fit_decays(world.binned, world.storms, two_stages=False)
    assert np.isfinite(both["rate_fast"]).any()
    assert not np.isfinite(one["rate_fast"]).any()
    assert np.isnat(one["break_time"]).all()
    for name in ("rate", "rate_se", "curvature", "floor"):
        np.testing.assert_array_equal(both[name], one[name])


@pytest.mark.parametrize("mode", ["calibrated", "paper"])
def test_bins_too_coarse_for_the_decay_are_flagged(mode: str):
    world = simulate(6, np.array([[1.5, 6.0]]), np.array([1e5]), gaps=(13.0, 12.0), floor_decades=30)
    found = fit_decays(world.binned, world.storms, mode)
    # 8.97 h are a quarter of 1.5 d and a sixteenth of 6 d.
    coarse = (found["flag"].to_numpy() & FLAGS["coarse_bins"]) > 0
    assert coarse[..., 0].all()
    assert not coarse[..., 1].any()
