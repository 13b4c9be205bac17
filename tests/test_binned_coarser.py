"""Coarser bins are those that the files themselves would have given."""

from __future__ import annotations

import numpy as np
import pytest
from test_binned import random_flux

import ringdecay as rd
from ringdecay.binned import Grid, coarser, merge_binned, with_merged_probe
from ringdecay.binned.merge import sum_names
from ringdecay.errors import InputError


def test_longer_time_bins_are_those_of_a_grid_of_longer_bins():
    flux = random_flux(900)
    fine, coarse = rd.bin_flux(flux, Grid()), rd.bin_flux(flux, Grid(time_bin_hours=2 * 8.97))
    found = coarser(fine, time_bins=2)
    assert fine.sizes["time"] > 1.5 * found.sizes["time"]
    names = sum_names(coarse)
    assert {"sum_time", "sum_time_by_pitch_angle", "n_records_by_MLT"} <= set(names)
    for name in names:
        np.testing.assert_allclose(found[name], coarse[name], rtol=1e-9, atol=1e-6, err_msg=name)
        assert found[name].dtype == coarse[name].dtype
    for name in ("time", "time_bounds"):
        np.testing.assert_array_equal(found[name], coarse[name])
    assert found.attrs["time_bin_hours"] == pytest.approx(17.94)
    assert found.attrs["first_bin"] == coarse.attrs["first_bin"]


def test_wider_L_bins_are_those_of_a_grid_of_wider_bins_with_their_centres():
    flux = random_flux(900)
    fine, wide = rd.bin_flux(flux, Grid(L_max=6.2)), rd.bin_flux(flux, Grid(L_max=6.2, L_width=0.3))
    found = coarser(fine, L_bins=3)
    np.testing.assert_array_equal(found["L"], fine["L"])
    every_third = found.isel(L=slice(1, None, 3))
    np.testing.assert_allclose(every_third["L"], wide["L"])
    np.testing.assert_allclose(every_third["L_bounds"], wide["L_bounds"])
    for name in sum_names(wide):
        np.testing.assert_allclose(every_third[name], wide[name], rtol=1e-9, atol=1e-6, err_msg=name)
    # At the ends there are fewer neighbours.
    np.testing.assert_allclose(found["n_samples"].isel(L=0), fine["n_samples"].isel(L=[0, 1]).sum("L"))


def test_coarse_bins_of_months_and_probes_still_add_up():
    parts = [rd.bin_flux(random_flux(300, seed, start, probe)) for seed, start, probe in ((1, "2015-03-01", "a"), (2, "2015-03-03", "b"))]
    before, after = coarser(merge_binned(parts), time_bins=2), merge_binned([coarser(part, time_bins=2) for part in parts])
    for name in sum_names(before):
        np.testing.assert_allclose(before[name], after[name], rtol=1e-9, atol=1e-6, err_msg=name)
    merged = coarser(with_merged_probe(merge_binned(parts)), time_bins=2, L_bins=3)
    assert merged["probe"].to_numpy().tolist() == ["a", "b", "merged"]
    np.testing.assert_allclose(merged["sum_flux"].sel(probe="merged"), merged["sum_flux"].sel(probe=["a", "b"]).sum("probe"))


def test_one_bin_is_itself_and_nonsense_is_refused():
    fine = rd.bin_flux(random_flux(100))
    assert coarser(fine) is fine
    for given in ({"time_bins": 0}, {"L_bins": 2}, {"L_bins": -1}):
        with pytest.raises(InputError, match="odd number of L bins"):
            coarser(fine, **given)
    with pytest.raises(InputError, match="at most 24"):
        coarser(fine, time_bins=3)
    assert coarser(fine.isel(time=[]), time_bins=2).sizes["time"] == 0
