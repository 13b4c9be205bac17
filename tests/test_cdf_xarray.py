"""CDF files through xarray: lazy, with times, axes of stable names, and fills as NaN."""

from __future__ import annotations

import importlib.metadata
import pickle
import tomllib

import cdflib
import numpy as np
import pytest
import xarray as xr
from cdflib import cdfwrite
from conftest import ROOT

from ringdecay.cdf import blocks, read_cdf, to_datetime64
from ringdecay.cdf.xarray_backend import CdfBackend
from ringdecay.errors import FileError, InputError

TIMES = np.datetime64("2015-03-17T00:00", "ns") + np.arange(40) * np.timedelta64(600, "s")


def flux_file(path, *, day=0, compress=6, energies=(10.0, 20.0, 40.0)):
    """Two times a file, an axis of the file, an axis a record, an axis that nothing names, text, and fills."""
    writer = cdfwrite.CDF(path, cdf_spec={"Majority": "row_major"})
    writer.write_globalattrs({"Title": {0: "flux"}, "Text": {0: "a", 1: "b"}})
    start = cdflib.cdfepoch.compute_tt2000([2015, 3, 17 + day, 0, 0, 0, 0, 0, 0])
    ion = start + np.arange(40, dtype=np.int64) * 600_000_000_000
    electron = ion[:30] + 5_000_000_000
    flux = (np.arange(40 * 3 * 2, dtype=np.float32) + 1000 * day).reshape(40, 3, 2)
    flux[3, 1, 0] = -1e31
    flux[4, 0, 0] = 7e9
    own = np.tile(np.arange(5, dtype=np.float32), (40, 1))
    data = {
        "Epoch_Ion": (33, [], True, ion, {"UNITS": "ns", "FILLVAL": [np.iinfo(np.int64).min, "CDF_TIME_TT2000"]}),
        "Epoch_Ele": (33, [], True, electron, {}),
        "energy": (44, [3], False, np.array(energies, dtype=np.float32), {"UNITS": "keV"}),
        "own_energy": (44, [5], True, own, {"DEPEND_0": "Epoch_Ion"}),
        "flux": (44, [3, 2], True, flux, {"DEPEND_0": "Epoch_Ion", "DEPEND_1": "energy", "FILLVAL": [-1e31, "CDF_FLOAT"],
                                         "VALIDMAX": [1e9, "CDF_FLOAT"], "UNITS": "cm-2"}),
        "spectrum": (44, [5], True, own * 2, {"DEPEND_0": "Epoch_Ion", "DEPEND_1": "own_energy"}),
        "counts": (4, [], True, np.arange(30, dtype=np.int32), {"DEPEND_0": "Epoch_Ele"}),
        "wrong": (4, [4], True, np.arange(40, dtype=np.int32).reshape(10, 4), {"DEPEND_0": "Epoch_Ele", "DEPEND_1": "energy"}),
        "square": (44, [3, 3], False, np.eye(3, dtype=np.float32), {"DEPEND_1": "energy", "DEPEND_2": "energy"}),
    }  # fmt: skip
    for name, (number, sizes, varies, values, attributes) in data.items():
        spec = {
            "Variable": name, "Data_Type": number, "Num_Elements": 1, "Rec_Vary": varies, "Var_Type": "zVariable", "Dim_Sizes": sizes,
            "Compress": compress,
        }  # fmt: skip
        writer.write_var(spec, var_attrs=attributes, var_data=values)
    spec = {"Variable": "label", "Data_Type": 51, "Num_Elements": 4, "Rec_Vary": False, "Var_Type": "zVariable", "Dim_Sizes": [2]}
    writer.write_var(spec, var_data=np.array(["x", "long"]))
    writer.close()
    return path


@pytest.fixture
def dataset(tmp_path):
    return xr.open_dataset(flux_file(tmp_path / "x.cdf"), engine=CdfBackend)


def test_axes_have_names_of_the_files_own_dependencies(dataset):
    assert {name: variable.dims for name, variable in dataset.variables.items()} == {
        "Epoch_Ion": ("Epoch_Ion",),
        "Epoch_Ele": ("Epoch_Ele",),
        "energy": ("energy",),
        "own_energy": ("Epoch_Ion", "own_energy_dim_1"),
        "flux": ("Epoch_Ion", "energy", "flux_dim_2"),
        "spectrum": ("Epoch_Ion", "own_energy_dim_1"),
        "counts": ("Epoch_Ele",),
        # Neither the number of records nor the size of the axis is that of what it says that it depends on.
        "wrong": ("wrong_dim_0", "wrong_dim_1"),
        "square": ("energy", "square_dim_2"),
        "label": ("label_dim_1",),
    }
    assert set(dataset.coords) == {"Epoch_Ion", "Epoch_Ele", "energy"}
    assert set(dataset.indexes) == {"Epoch_Ion", "Epoch_Ele", "energy"}


def test_times_are_times_and_can_be_chosen_by(dataset):
    np.testing.assert_array_equal(dataset["Epoch_Ion"], TIMES)
    assert "UNITS" not in dataset["Epoch_Ion"].attrs
    assert dataset["flux"].sel(Epoch_Ion="2015-03-17T01", energy=20).shape == (6, 2)
    assert dataset.attrs == {"Title": "flux", "Text": ["a", "b"]}
    assert dataset["flux"].attrs["UNITS"] == "cm-2"
    assert dataset["label"].values.tolist() == ["x", "long"]


def test_fill_and_invalid_values_are_nan_unless_one_asks_for_them(tmp_path):
    path = flux_file(tmp_path / "x.cdf")
    masked = xr.open_dataset(path, engine=CdfBackend)["flux"]
    assert np.argwhere(np.isnan(masked.values)).tolist() == [[3, 1, 0], [4, 0, 0]]
    np.testing.assert_array_equal(masked, read_cdf(path, ["flux"])["flux"].masked())
    raw = xr.open_dataset(path, engine=CdfBackend, mask=False)["flux"]
    np.testing.assert_array_equal(raw, read_cdf(path, ["flux"])["flux"].values)


def test_names_of_axes_do_not_depend_on_what_else_is_taken(tmp_path, dataset):
    path = tmp_path / "x.cdf"
    one = xr.open_dataset(path, engine=CdfBackend, variables=["spectrum"])
    assert set(one.variables) == {"spectrum", "Epoch_Ion"}
    assert one["spectrum"].dims == dataset["spectrum"].dims
    assert set(xr.open_dataset(path, engine=CdfBackend, variables="flux").variables) == {"flux", "Epoch_Ion", "energy"}
    without = xr.open_dataset(path, engine=CdfBackend, drop_variables=["energy", "flux"])
    assert "energy" not in without.variables
    assert without["square"].dims == dataset["square"].dims
    with pytest.raises(InputError, match="did you mean 'flux'"):
        xr.open_dataset(path, engine=CdfBackend, variables=["flux1"])


@pytest.mark.parametrize("key", [
    {"Epoch_Ion": 5}, {"Epoch_Ion": -1}, {"Epoch_Ion": slice(3, 20, 4)}, {"Epoch_Ion": slice(None, None, -3)}, {"Epoch_Ion": slice(9, 2)},
    {"Epoch_Ion": [7, 2, 2, 30]}, {"energy": 1}, {"energy": slice(None, None, -1), "Epoch_Ion": slice(30, 99)},
    {"Epoch_Ion": [1, 5], "energy": [2, 0], "flux_dim_2": 1},
], ids=str)  # fmt: skip
def test_any_index_gives_what_numpy_gives(tmp_path, dataset, key):
    values = xr.DataArray(read_cdf(tmp_path / "x.cdf", ["flux"])["flux"].masked(), dims=dataset["flux"].dims)
    np.testing.assert_array_equal(dataset["flux"].isel(key), values.isel(key))


def test_only_the_blocks_of_a_chunk_are_read(tmp_path, monkeypatch):
    pycdf = pytest.importorskip("spacepy.pycdf")
    values = np.random.default_rng(1).integers(0, 9, size=(1000, 3)).astype(np.float32)
    with pycdf.CDF(str(tmp_path / "x.cdf"), "") as cdf:
        cdf.new("x", type=pycdf.const.CDF_FLOAT, dims=[3], compress=pycdf.const.GZIP_COMPRESSION, compress_param=6)
        cdf["x"]._call(pycdf.const.PUT_, pycdf.const.zVAR_BLOCKINGFACTOR_, 100)
        cdf["x"][...] = values
    found = []
    inflate = blocks.inflate

    def counting(*arguments):
        found.append(arguments[-1])
        inflate(*arguments)

    monkeypatch.setattr(blocks, "inflate", counting)
    lazy = xr.open_dataset(tmp_path / "x.cdf", engine=CdfBackend, chunks={"x_dim_0": 100})["x"]
    assert lazy.chunks[0] == (100,) * 10
    assert found == []
    np.testing.assert_array_equal(lazy[250:260].compute(), values[250:260])
    assert found == ["records 200 to 299 of x"]
    np.testing.assert_array_equal(lazy.compute(scheduler="threads"), values)
    assert len(found) == 11


def test_days_open_as_one_lazily_and_in_other_processes(tmp_path):
    files = [flux_file(tmp_path / f"{day}.cdf", day=day) for day in range(3)]
    taken = {
        "engine": CdfBackend,
        "variables": ["flux"],
        "combine": "by_coords",
        "data_vars": "minimal",
        "coords": "minimal",
        "join": "exact",
    }
    days = xr.open_mfdataset(files, **taken)
    assert days["flux"].shape == (120, 3, 2)
    assert days["flux"].chunks[0] == (40, 40, 40)
    np.testing.assert_array_equal(days["flux"][40], read_cdf(files[1], ["flux"])["flux"].values[0])
    expected = np.concatenate([read_cdf(path, ["flux"])["flux"].masked() for path in files])
    np.testing.assert_array_equal(days["flux"].compute(scheduler="processes", num_workers=2), expected)
    unread = xr.open_dataset(files[0], engine=CdfBackend)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(unread))["flux"], expected[:40])
    # A table of energies that changes from day to day is told, not mixed.
    with pytest.raises(ValueError, match="cannot align objects with join='exact'"):
        xr.open_mfdataset([files[0], flux_file(tmp_path / "other.cdf", day=1, energies=(11.0, 20.0, 40.0))], **taken)


def test_a_dataset_can_be_written(dataset, tmp_path):
    dataset.to_netcdf(tmp_path / "x.nc")
    with xr.open_dataset(tmp_path / "x.nc") as back:
        np.testing.assert_array_equal(back["flux"], dataset["flux"])
        np.testing.assert_array_equal(back["Epoch_Ele"], dataset["Epoch_Ele"])


def test_real_files_open(shared_data):
    for path in sorted(shared_data.glob("*/*.cdf")):
        found = xr.open_dataset(path, engine=CdfBackend, mask=False)
        for name, variable in read_cdf(path, list(found.variables)).variables.items():
            is_time = variable.type in {"CDF_EPOCH", "CDF_EPOCH16", "CDF_TIME_TT2000"}
            expected = to_datetime64(variable.values, variable.type) if is_time else variable.values
            np.testing.assert_array_equal(found[name], expected, err_msg=f"{path.name} {name}")
    hope = xr.open_dataset(next(shared_data.glob("hope_l3_pa/*.cdf")), engine=CdfBackend)
    assert hope["FPDU"].dims == ("Epoch_Ion", "PITCH_ANGLE", "HOPE_ENERGY_Ion_dim_1")
    assert hope["HOPE_ENERGY_Ion"].dims == ("Epoch_Ion", "HOPE_ENERGY_Ion_dim_1")
    assert hope["Counts_E_Omni"].dims[0] == "Epoch_Ele"
    assert hope.indexes["Epoch_Ion"][0].date().isoformat() == "2012-12-01"


def test_a_cdf_file_is_known_and_others_are_not(tmp_path):
    backend = CdfBackend()
    assert backend.guess_can_open(flux_file(tmp_path / "x.cdf"))
    assert backend.guess_can_open(str(tmp_path / "x.cdf"))
    (tmp_path / "page.cdf").write_text("<html>")
    (tmp_path / "x.nc").write_bytes((tmp_path / "x.cdf").read_bytes())
    assert not backend.guess_can_open(tmp_path / "page.cdf")
    assert not backend.guess_can_open(tmp_path / "x.nc")
    assert not backend.guess_can_open(tmp_path / "absent.cdf")
    assert not backend.guess_can_open(3)
    with pytest.raises(FileError, match="a web page"):
        xr.open_dataset(tmp_path / "page.cdf", engine=CdfBackend)


def test_xarray_finds_the_engine_by_its_name(tmp_path):
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["xarray.backends"]
    assert declared == {"ringdecay": "ringdecay.cdf.xarray_backend:CdfBackend"}
    if "ringdecay" not in {entry.name for entry in importlib.metadata.entry_points(group="xarray.backends")}:
        pytest.skip("the package was installed before it had the engine; install it again")
    path = flux_file(tmp_path / "x.cdf")
    xr.testing.assert_identical(xr.open_dataset(path, engine="ringdecay"), xr.open_dataset(path))


def test_days_with_two_time_axes_are_joined_along_that_of_the_variables_asked_for(tmp_path):
    files = [flux_file(tmp_path / f"{day}.cdf", day=day) for day in (0, 1)]
    days = xr.open_mfdataset(files, engine=CdfBackend, variables=["flux"])
    assert days["flux"].dims[0] == "Epoch_Ion"
    assert days["flux"].shape == (80, 3, 2)
    assert float(days["flux"][40, 0, 1]) == 1001.0
