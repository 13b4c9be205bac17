"""Stored Datasets: what is not needed is not read, and both compressions hold the same."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import xarray as xr
from pap_file import pap_file

import ringdecay as rd
from ringdecay.binned import select_flux
from ringdecay.errors import FileError, InputError
from ringdecay.store import content_hash, open_dataset, write_dataset


def test_what_is_chosen_while_reading_is_what_is_chosen_of_the_whole(tmp_path):
    file = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150701_v1.cdf", start="2015-07-01", records=50)[0]
    write_dataset(rd.bin_flux(file, product="rbspice-pap-tofxeh"), tmp_path / "binned.nc")
    whole = open_dataset(tmp_path / "binned.nc")
    for angle in (None, 20.0, 80.0):
        chosen = open_dataset(tmp_path / "binned.nc", partial(select_flux, equatorial_pitch_angle=angle))
        assert content_hash(chosen) == content_hash(select_flux(whole, angle)) != content_hash(whole)
    # A choice that cannot be made is no fault of the file, and one that has been cut is.
    with pytest.raises(InputError, match="no bin of equatorial pitch angle holds 95"):
        open_dataset(tmp_path / "binned.nc", partial(select_flux, equatorial_pitch_angle=95.0))
    (tmp_path / "binned.nc").write_bytes((tmp_path / "binned.nc").read_bytes()[:1000])
    with pytest.raises(FileError, match="something else"):
        open_dataset(tmp_path / "binned.nc", select_flux)


def test_only_the_variables_over_time_that_are_named_are_read(tmp_path):
    values = np.arange(6.0).reshape(2, 3)
    whole = xr.Dataset(
        {"kept": (("time", "L"), values), "left": (("time", "L"), -values), "table": ("file", ["one", "two"])},
        coords={
            "time": np.array(["2015-03-17", "2015-03-18"], dtype="datetime64[ns]"),
            "L": [3.0, 4.0, 5.0],
            "L_bounds": ("L", [1.0, 2, 3]),
        },
        attrs={"product": "made up"},
    )
    write_dataset(whole, tmp_path / "whole.nc")
    assert open_dataset(tmp_path / "whole.nc").identical(whole)
    part = open_dataset(tmp_path / "whole.nc", over_time=("kept", "not there"))
    assert part.identical(whole.drop_vars("left"))
    assert set(open_dataset(tmp_path / "whole.nc", over_time=()).data_vars) == {"table"}
    # Nothing is left open: the file can be written again.
    write_dataset(whole.drop_vars("left"), tmp_path / "whole.nc")
    with pytest.raises(FileError, match="netCDF"):
        open_dataset(tmp_path / "absent.nc", over_time=("kept",))


def test_the_fast_compression_holds_the_same(tmp_path):
    whole = xr.Dataset({"x": (("time", "L"), np.random.default_rng(1).normal(size=(200, 30)))}, coords={"L": np.arange(30.0)})
    for fast in (False, True):
        write_dataset(whole, tmp_path / f"{fast}.nc", fast=fast)
        assert open_dataset(tmp_path / f"{fast}.nc").identical(whole)
    with xr.open_dataset(tmp_path / "False.nc") as plain, xr.open_dataset(tmp_path / "True.nc") as fast:
        assert plain["x"].encoding["zlib"]
        assert fast["x"].encoding["zstd"]
