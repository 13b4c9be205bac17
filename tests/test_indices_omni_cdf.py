"""OMNI2 hourly CDF. No real file is at hand: files are written in the layout that CDAWeb describes, from the real OMNI2 text."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from cdflib.cdfwrite import CDF
from cdflib.epochs import CDFepoch

from ringdecay.errors import FileError
from ringdecay.indices import open_index

INT4, REAL4, EPOCH = 4, 21, 31  # numbers of the CDF types
# Index -> variable, type, factor and fill, as in the text's description.
VARIABLES = {"Dst": ("DST", INT4, 1.0, 99999), "Kp": ("KP", INT4, 10.0, 99), "F10.7": ("F10_INDEX", REAL4, 1.0, 999.9)}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an hourly file; what is to be wrong with it is said by keywords."""

    def hourly(name: str, values: Any, start: str = "2015-01-01T00:00", **wrong: Any) -> Path:
        variable, kind, factor, fill = VARIABLES[name]
        suffix = wrong.get("suffix", "")
        time = np.datetime64(start, "m") + 60 * np.arange(len(values)) + np.asarray(wrong.get("shift", 0))
        parts = np.array([[t.year, t.month, t.day, t.hour, t.minute, 0, 0] for t in time.tolist()])
        raw = np.asarray(values, dtype=float) * wrong.get("factor", factor)
        raw = np.where(np.isnan(raw), wrong.get("fill", fill), raw if kind == REAL4 else np.floor(raw + 0.5))
        path: Path = tmp_path / wrong.get("file", "omni2_h0_mrg1hr_20150101_v01.cdf")
        epoch = "Epoch_1800" if suffix else "Epoch"
        file = CDF(path, delete=True)
        file.write_globalattrs({"Logical_source": {0: "omni2_h0_mrg1hr"}, "Generation_date": {0: wrong.get("generated", "Ongoing")}})
        common = {"Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": []}
        file.write_var({"Variable": epoch, "Data_Type": EPOCH, **common}, {"UNITS": "ms"}, np.atleast_1d(CDFepoch.compute_epoch(parts)))
        said = [wrong.get("said", wrong.get("fill", fill)), "CDF_INT4" if kind == INT4 else "CDF_REAL4"]
        attributes = {"DEPEND_0": wrong.get("depends", epoch), "FILLVAL": said}
        data = raw.astype(np.int32 if kind == INT4 else np.float32)
        file.write_var({"Variable": wrong.get("variable", variable) + suffix, "Data_Type": kind, **common}, attributes, data)
        file.close()
        return path

    return hourly


@pytest.mark.parametrize("name", ["Dst", "Kp", "F10.7"])
def test_half_a_year_reads_as_the_omni2_text_of_the_same_hours(shared_data: Path, write: Write, name: str) -> None:
    text = open_index(shared_data / "omni2_hourly" / "omni2_2015.dat", name)
    parts = [text.sel(time=slice("2015-01-01", "2015-06-30")), text.sel(time=slice("2015-07-01", "2015-12-31"))]
    files = [write(name, part.to_numpy(), str(part["time"].to_numpy()[0])[:16], file=f"{k}.cdf") for k, part in enumerate(parts)]
    index = open_index(files[::-1], name)
    np.testing.assert_array_equal(index["time"], text["time"])
    # F10.7 is held in 4 bytes.
    np.testing.assert_allclose(index, text, rtol=1e-7, atol=0)
    assert index.attrs["time_label"] == text.attrs["time_label"] == "start of the hour"
    assert (index.attrs["vintage"], index.attrs["cadence"]) == ("unknown", "1 h")
    assert index.attrs["source"] == "OMNI2 hourly CDF (omni2_h0_mrg1hr)"
    assert "24 nT" in index.attrs["vintage_rule"]
    assert "source_date" not in index.attrs  # "Ongoing" is no date


def test_values_at_the_centre_of_the_hour_say_so_and_do_not_mix(write: Write) -> None:
    start = write("Dst", [-1.0, -2.0])
    centre = write("Dst", [-3.0, -4.0], "2015-01-01T02:30", suffix="1800", file="centre.cdf", generated="20200131")
    index = open_index(centre, "Dst")
    assert index.attrs["time_label"] == "centre of the hour"
    assert index["time"][0] == np.datetime64("2015-01-01T02:30")
    assert index.attrs["source_date"] == "20200131"
    with pytest.raises(FileError, match="one source at a time"):
        open_index([start, centre], "Dst")


def test_kp_is_exact_and_fills_are_missing(write: Write) -> None:
    kp = open_index(write("Kp", [1 / 3, 8 / 3, np.nan, 9.0]), "Kp")
    np.testing.assert_array_equal(kp, [1 / 3, 8 / 3, np.nan, 9.0])


def test_another_fill_than_described_is_taken_and_told(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        dst = open_index(write("Dst", [-1.0, np.nan], fill=-2147483648), "Dst")
    np.testing.assert_array_equal(dst, [-1.0, np.nan])
    assert "-2.14748e+09" in caplog.text or "-2147483648" in caplog.text
    assert "99999" in caplog.text


@pytest.mark.parametrize(
    ("name", "wrong", "found"),
    [
        ("Dst", {"shift": [0, 0, 60]}, "a step of 2 h after 2015-01-01T01:00 (1 of 2 steps are not 1 h)"),
        ("Dst", {"shift": [0, -60, 0]}, "a step of 0 h after 2015-01-01T00:00"),
        ("Dst", {"shift": 15}, "15 minutes past it"),
        ("Dst", {"shift": [0, 0, 30]}, "0, 30 minutes past it"),
        ("Dst", {"variable": "DST_INDEX"}, "expected DST over Epoch, or DST1800 over Epoch_1800"),
        ("Dst", {"depends": "Epoch_1800"}, "DST over Epoch_1800"),
        ("Dst", {"fill": 9999, "said": 99999}, "9999 (in 1 of 3 values)"),
        ("Kp", {"factor": 1.0}, "Kp in thirds"),
        ("F10.7", {"fill": 9999.0, "said": 999.9}, "9999 (in 1 of 3 values)"),
    ],
)
def test_what_differs_from_the_description_is_named(write: Write, name: str, wrong: dict[str, Any], found: str) -> None:
    path = write(name, [80.0, np.nan, 81.0] if name == "F10.7" else [1.0, np.nan, 2.0], **wrong)
    with pytest.raises(FileError) as caught:
        open_index(path, name)
    assert found in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_an_index_that_the_file_has_not_is_named(shared_data: Path, write: Write, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="SYM_H"):
        open_index(write("Dst", [1.0, 2.0]), "SYM-H")
    hro = shared_data / "omni_hro2_5min_cdf" / "omni_hro2_5min_20130501_v01.cdf"
    with pytest.raises(FileError, match=r"omni_hro2_5min; .* SYM-H, ASY-H and the solar wind only"):
        open_index(hro, "Kp")
    cut = tmp_path / "cut.cdf"
    cut.write_bytes(write("Dst", np.arange(4344.0)).read_bytes()[:9000])
    with pytest.raises(FileError, match=r"cut\.cdf"):
        open_index(cut, "Dst")


def test_high_resolution_values_keep_their_fills_and_say_what_is_not_said(shared_data: Path) -> None:
    index: xr.DataArray = open_index(shared_data / "omni_hro2_5min_cdf" / "omni_hro2_5min_20180801_v01.cdf", "SYM-H")
    assert index.attrs["vintage"] == "unknown"
    assert index.attrs["vintage_rule"].startswith("not said")
