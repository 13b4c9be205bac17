"""What people give by mistake, or in another container: one clear sentence, or the right result; never a quiet wrong number."""

from __future__ import annotations

import datetime
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ringdecay import theory
from ringdecay.errors import InputError

NAN, INF = np.nan, np.inf


def along(dim: str, *values: float) -> xr.DataArray:
    return xr.DataArray(list(values), dims=dim)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((None, 4.0), {}, "energy has to be a number.* None"),
        (("99", 4.0), {}, "energy has to be a number.* '99'"),
        ((["a"], 4.0), {}, "energy has to be a number"),
        ((99 + 1j, 4.0), {}, "energy has to be a number"),
        ((datetime.datetime(2015, 3, 17), 4.0), {}, "energy has to be a number"),
        ((np.datetime64("2015-03-17"), 4.0), {}, "energy has to be a number"),
        ((xr.Dataset({"energy": 99.0}), 4.0), {}, "energy has to be a number"),
        ((99.0, True), {}, "L has to be a number"),
        ((99.0, 4.0), {"spectral_index": None}, "spectral_index has to be a number"),
        ((99.0, 4.0), {"spectral_index": -INF}, "spectral_index has an infinite value"),
        (([99.0, INF], 4.0), {}, "energy has an infinite value"),
        ((99.0, INF), {}, "L has an infinite value"),
        ((99_000.0, 4.0), {}, "is it in eV"),
        ((99.0, 4.0), {"kp_max": [1.0, 2.0]}, "kp_max is a number or a DataArray"),
        ((99.0, 4.0), {"models": "ostgaard_2003_day"}, "models names a model for each part"),
        ((99.0, 4.0), {"models": ["ostgaard_2003_day"]}, "models names a model for each part"),
        ((99.0, 4.0), {"models": {"geocorona": None}}, "geocorona model None is not known"),
        ((99.0, 4.0), {"species": ["H+"]}, "species .* is not known"),
        ((99.0, along("geocorona", 4.0, 5.0)), {}, "a dimension 'geocorona'.* rename it"),
        ((99.0, along("energy", 4.0, 5.0)), {}, "L has a dimension 'energy', but energy is not"),
        ((along("time", 99.0, 100.0), along("energy", 4.0, 5.0)), {}, "L has a dimension 'energy', but energy is not"),
    ],
)
def test_a_mistake_is_named_in_one_sentence(arguments, options, words):
    with pytest.raises(InputError, match=words) as caught:
        theory.loss_rate(*arguments, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "energies",
    [
        [45, 99],
        (45, 99),
        np.array([45, 99], dtype=np.int16),
        np.array([45, 99], dtype=np.float32),
        pd.Series([45.0, 99.0]),
        pd.Index([45, 99]),
        xr.Variable("energy", [45.0, 99.0]),
        along("energy", 45, 99),
        along("energy", 45.0, 99.0).chunk(),
        np.ma.array([45.0, 99.0], mask=[False, False]),
    ],
    ids=lambda values: f"{type(values).__name__} {getattr(values, 'dtype', '')}",
)
def test_the_container_does_not_matter(energies):
    xr.testing.assert_identical(theory.loss_rate(energies, 4.0), theory.loss_rate([45.0, 99.0], 4.0))


def test_lazy_arguments_are_computed():
    lazy = xr.DataArray(np.array([[45.0, 99.0], [50.0, 120.0]]), dims=("time", "channel")).chunk({"time": 1})
    rates = theory.loss_rate(lazy, along("time", 4.0, 5.0).chunk(), spectral_index=along("time", 0.0, 2.0).chunk())
    assert not rates.chunks
    single = theory.loss_rate(120.0, 5.0, spectral_index=2.0)
    assert float(rates.rate.isel(time=1, channel=1)) == pytest.approx(float(single.rate), rel=1e-14)


def test_what_is_not_known_gives_nan_there_and_nowhere_else():
    good = theory.loss_rate([99.0, 100.0], 4.0, spectral_index=1.0, kp_max=2.0)
    for energy in ([NAN, 100.0], np.ma.array([99.0, 100.0], mask=[True, False])):
        rates = theory.loss_rate(energy, 4.0, spectral_index=1.0, kp_max=2.0)
        assert np.isnan(rates.rate[0])
        assert np.isnan(rates.lifetime[0])
        assert float(rates.rate[1]) == float(good.rate[1])
    slope = theory.loss_rate([99.0, 100.0], 4.0, spectral_index=xr.DataArray([NAN, 1.0], coords={"energy": [99.0, 100.0]}), kp_max=2.0)
    assert slope.rate.isnull().values.tolist() == [True, False]
    # Without a slope charge exchange is known all the same.
    assert slope.rate_charge_exchange.notnull().all()


def test_no_order_of_arguments_and_no_empty_axis_breaks_the_grid():
    assert theory.loss_rate([], [4.0, 5.0]).rate.shape == (0, 2)
    descending = theory.loss_rate([99.0, 45.0], [5.0, 4.0])
    xr.testing.assert_allclose(descending.sortby(["energy", "L"]), theory.loss_rate([45.0, 99.0], [4.0, 5.0]))
    twice = theory.loss_rate([99.0, 99.0], 4.0)
    assert float(twice.rate[0]) == float(twice.rate[1])
    by_time = theory.loss_rate(xr.DataArray([[45.0, 99.0]], dims=("time", "energy")), 4.0)
    assert float(by_time.rate.isel(time=0, energy=1)) == float(twice.rate[0])


def test_the_parts_give_nan_and_no_warning_for_what_has_no_meaning():
    nothing = [NAN, INF, 0.0, -1.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = [theory.speed(nothing), theory.saturated(nothing, extrapolate=True), theory.trough(nothing, extrapolate=True)]
        parts += [model.function(nothing, extrapolate=True) for model in theory.GEOCORONAS.values()]
        parts += [model.function(nothing, extrapolate=True) for model in theory.CROSS_SECTIONS["H+"].values()]
        parts += [theory.energy_loss(nothing, 100.0), theory.energy_loss(99.0, [NAN, -1.0]), theory.flux_loss_rate(nothing, 1.0, 0.0)]
        parts += [theory.loss_cone(nothing), theory.bounce_average(theory.rairden_1986, nothing, 45.0)]
        for values in parts:
            assert np.isnan(values).all()
        far = theory.chandrasekhar([1e10, 1e200, INF, -INF])
        assert far[0] == pytest.approx(0.5e-20)
        assert (np.abs(far[1:]) < 1e-199).all()
        assert np.isnan(theory.chandrasekhar(NAN))


def test_lists_numbers_and_arrays_of_no_dimension_are_all_the_same():
    for value in (4, 4.0, [4.0], np.float32(4.0), np.array(4), np.array([[4.0]])):
        shape = np.shape(value)
        for function in (theory.rairden_1986, theory.saturated, theory.speed, theory.loss_cone, theory.lindsay_stebbings_2005):
            found = function(value)
            assert found.shape == shape
            assert found.dtype == np.float64
            assert found == pytest.approx(np.full(shape, function(4.0)))
