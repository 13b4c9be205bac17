"""The scatter between storms and the usual mean, against published values and independent optimisation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq, minimize_scalar
from storm_fits import LATITUDE, decays_of, errors, log_risk_ratios, measured, rates

from ringdecay.lifetime import lifetimes, paule_mandel
from ringdecay.lifetime.fits import fits_of, one_probe
from ringdecay.lifetime.scatter import q_profile, reml, weighted_line

ALL = np.ones((13, 1), bool)


def test_published_values_of_the_vaccine_trials():
    x, v = log_risk_ratios()
    assert reml(x, v, ALL)[0] == pytest.approx(0.3132, abs=5e-5)
    assert paule_mandel(x, v, ALL)[0] == pytest.approx(0.3181, abs=5e-5)
    assert [float(end[0]) for end in q_profile(x, v, ALL, 0.95)] == pytest.approx([0.1197, 1.1115], abs=5e-5)
    found = lifetimes(decays_of(x[:, 0], np.sqrt(v[:, 0]))).squeeze()
    assert [float(found[f"rate_reml{end}"]) for end in ("", "_low", "_high")] == pytest.approx([-0.7145, -1.1084, -0.3206], abs=5e-5)
    assert float(found["scatter_low"]) == pytest.approx(np.sqrt(0.1197), abs=1e-4)


def test_published_regression_of_the_vaccine_trials_on_latitude():
    x, v = log_risk_ratios()
    design = np.column_stack([np.ones(13), LATITUDE])
    between = reml(x, v, ALL, design)
    line = weighted_line(x, 1 / (v + between), design)
    assert between[0] == pytest.approx(0.0764, abs=1e-4)
    assert line.slope[:, 0] == pytest.approx([0.2515, -0.0291], abs=5e-5)
    assert np.sqrt(line.inverse[0, 1, 1]) == pytest.approx(0.0072, abs=5e-5)


def dense_reml(x: np.ndarray, v: np.ndarray) -> float:
    """The best of the restricted likelihood of y = Xb + N(0, V), written with dense matrices."""
    one = np.ones((len(x), 1))

    def minus(between: float) -> float:
        covariance = np.diag(v + between)
        inverse = np.linalg.inv(covariance)
        info = one.T @ inverse @ one
        residual = x - one[:, 0] * (one.T @ inverse @ x / info[0, 0])
        return 0.5 * float(np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(info)[1] + residual @ inverse @ residual)

    tops = [minimize_scalar(minus, bounds=(low, high), method="bounded", options={"xatol": 1e-13}) for low, high in ((0, 0.05), (0.05, 5))]
    best = min(tops, key=lambda top: top.fun)
    return 0.0 if minus(0.0) <= best.fun else float(best.x)


def test_scatter_of_many_cells_equals_one_at_a_time():
    rng = np.random.default_rng(1)
    se = 10 ** rng.uniform(-1.5, 0, (9, 30))
    x = 1 + rng.choice([0.0, 0.2, 1.0], 30) * rng.normal(size=se.shape) + se * rng.normal(size=se.shape)
    use = rng.random(se.shape) < 0.8
    found = {"reml": reml(x, se**2, use), "paule_mandel": paule_mandel(np.where(use, x, np.nan), np.where(use, se**2, np.nan), use)}
    assert (found["reml"] == 0).any()
    assert (found["reml"] > 0.1).any()
    for cell in range(30):
        y, v = x[use[:, cell], cell], se[use[:, cell], cell] ** 2
        assert found["reml"][cell] == pytest.approx(dense_reml(y, v), rel=1e-5, abs=1e-7)

        def excess(between: float, y: np.ndarray = y, v: np.ndarray = v) -> float:
            mean = np.average(y, weights=1 / (v + between))
            return float(((y - mean) ** 2 / (v + between)).sum() - (len(y) - 1))

        expected = brentq(excess, 0, 1000, xtol=1e-13) if excess(0) > 0 else 0.0
        assert found["paule_mandel"][cell] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_scatter_does_not_depend_on_the_unit():
    x, v = log_risk_ratios()
    for factor in (1e-6, 1e6):
        for estimate in (reml, paule_mandel):
            assert estimate(factor * x, factor**2 * v, ALL)[0] == pytest.approx(factor**2 * estimate(x, v, ALL)[0], rel=1e-6)


def test_hartung_knapp_of_equal_errors_is_the_plain_t_interval():
    rate = np.array([0.1, 0.14, 0.08, 0.12, 0.11])
    found = lifetimes(decays_of(rate, np.full(5, 0.01))).squeeze()
    expected = stats.t.interval(0.95, 4, rate.mean(), stats.sem(rate))
    assert [float(found["rate_reml_low"]), float(found["rate_reml_high"])] == pytest.approx(list(expected))


def test_scatter_interval_of_exact_rates_is_that_of_a_variance():
    rate = np.array([0.1, 0.14, 0.08, 0.12, 0.11, 0.2])
    found = lifetimes(decays_of(rate, np.full(6, 1e-9))).squeeze()
    squares = ((rate - rate.mean()) ** 2).sum()
    expected = np.sqrt(squares / stats.chi2.ppf([0.975, 0.025], 5))
    assert [float(found["scatter_low"]), float(found["scatter_high"])] == pytest.approx(list(expected))


def test_rates_nearer_than_their_errors_have_no_scatter_and_say_so():
    found = lifetimes(decays_of(np.array([0.1, 0.10001, 0.09999, 0.1]), np.full(4, 0.05))).squeeze()
    assert [float(found[name]) for name in ("scatter", "scatter_low", "scatter_high", "scatter_reml")] == [0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(("kind", "scatter"), [("equal", 0.0), ("equal", 0.2), ("twentyfold", 0.2), ("small", 0.2)])
def test_scatter_intervals_cover(kind: str, scatter: float):
    rng = np.random.default_rng(2)
    rate = rates(rng, 10, 1500, scatter)
    fits = fits_of(one_probe(measured(rng, rate, errors(rng, kind, rate)), "merged"))
    low, high = q_profile(fits.rate, fits.variance, fits.use, 0.95)
    assert 0.92 <= ((low <= scatter**2) & (scatter**2 <= high)).mean() <= 0.98
