"""The solar wind in OMNI's files: the real ones against their own plasma and field, and what has none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cdflib.cdfwrite import CDF
from cdflib.epochs import CDFepoch

from ringdecay.errors import FileError
from ringdecay.indices import open_index, open_solar_wind


def test_the_real_text_agrees_with_its_own_density_speed_and_field(shared_data: Path) -> None:
    path = shared_data / "omni2_hourly" / "omni2_2015.dat"
    wind = open_solar_wind(path)
    words = np.array([[float(word) for word in line.split()] for line in path.read_text().splitlines()])
    n, v, alpha, bz = (
        np.where(words[:, k] == fill, np.nan, words[:, k]) for k, fill in ((23, 999.9), (24, 9999.0), (27, 9.999), (16, 999.9))
    )
    # SPDF's description: (1.67/10^6) N V^2 (1 + 4 Na/Np) nPa, and -V Bz 10^-3 mV/m; N and Bz are given to 0.1.
    pressure, field = 1.67e-6 * n * v**2 * (1 + 4 * alpha), -v * bz * 1e-3
    known = np.isfinite(pressure) & np.isfinite(wind["Pdyn"].to_numpy()) & (n > 3)
    assert known.sum() > 5000
    np.testing.assert_allclose(np.median(wind["Pdyn"].to_numpy()[known] / pressure[known]), 1.0, atol=0.005)
    known = np.isfinite(field) & np.isfinite(wind["Ey"].to_numpy())
    np.testing.assert_allclose(wind["Ey"].to_numpy()[known], field[known], atol=0.046)
    assert wind["Pdyn"].attrs["units"] == "nPa"
    assert wind["Ey"].attrs["units"] == "mV/m"
    assert float(wind["Ey"].max()) > 10  # the storm of June 2015; southward is positive
    # 999.99 and 99.99 are fills.
    assert float(wind["Pdyn"].max()) < 60
    assert open_solar_wind(shared_data / "omni2_hourly" / "omni2_2018.dat")["Ey"].isnull().any()


def test_the_real_cdf_files_agree_with_the_text_of_the_same_hours(shared_data: Path) -> None:
    files = sorted((shared_data / "omni_hro2_5min_cdf").glob("*.cdf"))
    fine = open_solar_wind(files)
    assert fine["Pdyn"].attrs["source"] == "OMNI high-resolution CDF (omni_hro2_5min)"
    hourly = open_solar_wind([shared_data / "omni2_hourly" / f"omni2_{year}.dat" for year in (2013, 2018)])
    for name in ("Pdyn", "Ey"):
        one = fine[name].resample(time="1h").mean().dropna("time")
        other = hourly[name].dropna("time")
        times = np.intersect1d(one["time"], other["time"])
        assert times.size > 2000
        # Time is shifted to the bow shock by other ways and other spacecraft: alike, not equal.
        assert np.corrcoef(one.sel(time=times), other.sel(time=times))[0, 1] > 0.9
    assert list(fine["time"].to_numpy()) == list(open_index(files, "SYM-H")["time"].to_numpy())


@pytest.mark.parametrize("suffix", ["", "1800"])
def test_the_hourly_cdf_has_it_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "omni2_h0_mrg1hr_20150101_v01.cdf"
    file = CDF(path, delete=True)
    file.write_globalattrs({"Logical_source": {0: "omni2_h0_mrg1hr"}})
    epoch = f"Epoch_{suffix}" if suffix else "Epoch"
    common = {"Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": []}
    minute = 30 if suffix else 0
    times = np.atleast_1d(CDFepoch.compute_epoch([[2015, 1, 1, hour, minute, 0, 0] for hour in range(3)]))
    file.write_var({"Variable": epoch, "Data_Type": 31, **common}, {"UNITS": "ms"}, times)
    for name, fill, values in (("Pressure", 99.99, [2.0, 99.99, 4.0]), ("E", 999.99, [-1.0, 3.5, 999.99])):
        said = {"DEPEND_0": epoch, "FILLVAL": [fill, "CDF_REAL4"]}
        file.write_var({"Variable": name + suffix, "Data_Type": 21, **common}, said, np.array(values, dtype=np.float32))
    file.close()
    wind = open_solar_wind(path)
    np.testing.assert_array_equal(wind["Pdyn"], [2.0, np.nan, 4.0])
    np.testing.assert_array_equal(wind["Ey"], [-1.0, 3.5, np.nan])
    assert wind["Pdyn"].attrs["time_label"] == ("centre of the hour" if suffix else "start of the hour")


def test_files_without_solar_wind_give_none_and_say_why(shared_data: Path, tmp_path: Path) -> None:
    wind = open_solar_wind(shared_data / "dst_kyoto" / "WDC_Kyoto.dat")
    assert wind.sizes["time"] == 0
    assert wind["Pdyn"].dtype == np.float64
    assert "Pdyn" in wind.attrs["missing"]
    assert str(shared_data) not in wind.attrs["missing"]
    # A pressure that no solar wind has is another unit, or damage.
    line = (shared_data / "omni2_hourly" / "omni2_2015.dat").read_text().splitlines()[0].split()
    line[28] = "1500.0"
    (tmp_path / "wild.dat").write_text(" ".join(line) + "\n")
    with pytest.raises(FileError, match="Pdyn from 0 to 200"):
        open_index(tmp_path / "wild.dat", "Pdyn")
