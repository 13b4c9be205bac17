"""Kp and F10.7 in the formats of GFZ, CelesTrak and OMNI2: each against the others' copies of the same values, and against damage."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ringdecay.errors import FileError
from ringdecay.indices import open_index

MISSION = slice("2012-01-01", "2018-12-31")


@pytest.fixture(scope="module")
def omni2(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "omni2_hourly").glob("omni2_*.dat"))


@pytest.fixture(scope="module")
def celestrak(shared_data: Path) -> Path:
    return shared_data / "f107" / "SW-All.txt"


@pytest.fixture(scope="module")
def kp_table(shared_data: Path) -> xr.DataArray:
    """GFZ's definitive Kp as a third party took it down: a reference that none of our readers had a part in."""
    table = pd.read_csv(shared_data / "kp_gfz" / "GFZ_Potsdam_Kp.csv", index_col="Date", parse_dates=True).drop(columns="Kp_Sum")
    time = table.index.to_numpy("datetime64[ns]")[:, None] + np.arange(0, 24, 3).astype("timedelta64[h]")
    return xr.DataArray(np.round(table.to_numpy().ravel() * 3) / 3, coords={"time": time.ravel()}, dims="time")


def gfz_hours(days: xr.DataArray, states: str) -> str:
    """Kp_ap_*.txt by GFZ's description of its columns, from three-hourly Kp."""
    lines = ["# PURPOSE: three-hourly Kp", "#YYY MM DD hh.h hh._m        days      days_m     Kp   ap D"]
    for time, kp, state in zip(days["time"].to_numpy(), days.to_numpy(), states, strict=True):
        stamp = pd.Timestamp(time)
        count = (stamp - pd.Timestamp("1932-01-01")) / pd.Timedelta(days=1)
        hours = f"{stamp:%Y %m %d} {stamp.hour:04.1f} {stamp.hour + 1.5:05.2f}"
        lines.append(f"{hours} {count:11.5f} {count + 0.0625:11.5f} {-1.0 if np.isnan(kp) else kp:6.3f} {0:4d} {state}")
    return "\n".join(lines) + "\n"


# --- GFZ -----------------------------------------------------------------------------------------------------------------------


def test_gfz_daily_file_has_kp_in_exact_thirds_and_is_definitive(shared_data: Path) -> None:
    kp = open_index(shared_data / "gfz_formats" / "Kp_ap_Ap_SN_F107_since_2024.txt", "Kp")
    # 0.667 0.333 0.667 1.333 2.000 3.000 3.333 4.000 in the file's first line.
    np.testing.assert_array_equal(kp[:8], np.array([2, 1, 2, 4, 6, 9, 10, 12]) / 3)
    np.testing.assert_array_equal(kp["time"][:2], np.array(["2024-01-01T00", "2024-01-01T03"], dtype="datetime64[ns]"))
    assert kp.sizes["time"] == 31 * 8
    assert (kp.attrs["vintage"], kp.attrs["cadence"], kp.attrs["units"]) == ("final", "3 h", "1")
    assert "column D" in kp.attrs["vintage_rule"]


def test_gfz_nowcast_is_quicklook_from_the_day_that_d_is_zero(shared_data: Path) -> None:
    path = shared_data / "gfz_formats" / "Kp_ap_Ap_SN_F107_nowcast.txt"
    kp = open_index(path, "Kp")
    assert kp.attrs["vintage"] == "mixed"
    assert kp.attrs["vintage_spans"] == (
        "final: 88 values from 2024-01-21T00:00 to 2024-01-31T21:00; quicklook: 104 values from 2024-02-01T00:00 to 2024-02-13T21:00"
    )
    # The day was not over when the file was made: its last six hours are -1.
    assert kp["time"][np.isnan(kp)].dt.strftime("%m-%dT%H").to_numpy().tolist() == ["02-13T18", "02-13T21"]
    f107 = open_index(path, "F10.7")
    assert f107.attrs["vintage"] == "unknown"
    assert "sunspot" in f107.attrs["vintage_rule"]
    assert (f107.sizes["time"], f107.attrs["cadence"]) == (24, "24 h")
    assert np.isnan(f107[-1])
    assert f107[0] == 172.9  # adjusted; the observed one of the line is 178.5


def test_gfz_files_overlap_and_join_without_a_contradiction(shared_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = shared_data / "gfz_formats"
    with caplog.at_level(logging.WARNING):
        kp = open_index([folder / "Kp_ap_Ap_SN_F107_nowcast.txt", folder / "Kp_ap_Ap_SN_F107_since_2024.txt"], "Kp")
    assert kp.sizes["time"] == 44 * 8
    assert not caplog.records


def test_gfz_three_hour_file_has_the_kp_of_the_daily_one(shared_data: Path, tmp_path: Path) -> None:
    daily = open_index(shared_data / "gfz_formats" / "Kp_ap_Ap_SN_F107_nowcast.txt", "Kp")
    path = tmp_path / "Kp_ap_nowcast.txt"
    path.write_text(gfz_hours(daily, "2" * 80 + "1" * 8 + "0" * 103 + "7"))
    kp = open_index(path, "Kp")
    xr.testing.assert_equal(kp, daily)
    assert [span.split(":")[0] for span in kp.attrs["vintage_spans"].split("; ")] == ["final", "quicklook", "unknown"]
    with pytest.raises(FileError, match="Kp only"):
        open_index(path, "F10.7")


def test_gfz_hp60_is_no_kp_but_has_the_layout_of_the_three_hour_file(shared_data: Path, tmp_path: Path) -> None:
    """No real Kp_ap_*.txt is at hand; Hp60's, of the same family, shows that the columns are where the description has them."""
    real = shared_data / "gfz_formats" / "Hp60_ap60_complete_series.txt"
    with pytest.raises(FileError, match="Hp60 ap60 D"):
        open_index(real, "Kp")
    every_third = [line for line in real.read_text().splitlines() if line.startswith("#") or int(line[11:13]) % 3 == 0]
    path = tmp_path / "hours.txt"
    path.write_text("\n".join(every_third).replace("  Hp60 ap60 D", "    Kp   ap D") + "\n")
    kp = open_index(path, "Kp")
    expected = [float(line.split()[7]) for line in every_third if not line.startswith("#")]
    np.testing.assert_allclose(kp, expected, atol=5e-4)
    assert kp["time"][0] == np.datetime64("2025-06-17")
    assert kp.attrs["vintage"] == "quicklook"


def test_gfz_and_celestrak_agree_where_kp_is_definitive(shared_data: Path, celestrak: Path) -> None:
    names = ("Kp_ap_Ap_SN_F107_nowcast.txt", "Kp_ap_Ap_SN_F107_since_2024.txt")
    files = [shared_data / "gfz_formats" / name for name in names]
    kp, theirs = open_index(files, "Kp"), open_index(celestrak, "Kp")
    final = kp.sel(time="2024-01")
    np.testing.assert_array_equal(final, theirs.sel(time="2024-01"))
    f107, theirs = open_index(files, "F10.7")[:-1], open_index(celestrak, "F10.7")
    np.testing.assert_array_equal(f107, theirs.sel(time=f107["time"]))


# --- CelesTrak -----------------------------------------------------------------------------------------------------------------


def test_celestrak_ends_with_the_last_observed_day(celestrak: Path) -> None:
    f107, kp = open_index(celestrak, "F10.7"), open_index(celestrak, "Kp")
    # The file goes on with predictions to 2041-10.
    assert (f107.sizes["time"], kp.sizes["time"]) == (24_765, 24_765 * 8)
    assert (f107["time"][0], f107["time"][-1]) == (np.datetime64("1957-10-01"), np.datetime64("2025-07-20"))
    assert kp["time"][-1] == np.datetime64("2025-07-20T21")
    assert np.all(np.diff(f107["time"]) == np.timedelta64(1, "D"))
    assert f107[-1] == 155.1  # adjusted; 150.3 observed
    assert (f107.attrs["vintage"], f107.attrs["source_date"]) == ("unknown", "2025-07-21T10:37:15")
    assert "adjusted to 1 AU" in f107.attrs["long_name"]


def test_celestrak_kp_is_gfzs_in_all_three_hours_of_17_years(celestrak: Path, kp_table: xr.DataArray) -> None:
    kp = open_index(celestrak, "Kp").sel(time=kp_table["time"])
    assert kp.sizes["time"] == 49_672
    np.testing.assert_array_equal(kp, kp_table)


def test_f107_that_was_interpolated_is_missing_as_it_is_in_omni2(celestrak: Path, omni2: list[Path]) -> None:
    f107 = open_index(celestrak, "F10.7")
    assert f107.isnull().sum() == 59
    daily = open_index(omni2, "F10.7")[::24]
    for series in (daily, f107.sel(time=MISSION)):
        missing = series["time"][np.isnan(series)].dt.strftime("%Y-%m-%d").to_numpy().tolist()
        assert missing == ["2012-01-01", "2015-01-13"]


# --- OMNI2 ---------------------------------------------------------------------------------------------------------------------


def test_omni2_f107_is_the_adjusted_one_of_the_same_day(celestrak: Path, omni2: list[Path]) -> None:
    hourly, ours = open_index(omni2, "F10.7"), open_index(celestrak, "F10.7").sel(time=MISSION)
    by_day = hourly.to_numpy().reshape(-1, 24)
    np.testing.assert_array_equal(by_day, np.repeat(by_day[:, :1], 24, axis=1))
    days = by_day[:, 0]
    held = np.isfinite(days)
    assert held.sum() == 2555
    difference = np.abs(ours.to_numpy() - days)[held]
    # 12 days differ, all by less than 3 sfu, ten of them in February 2018.
    assert (difference > 0.01).sum() == 12
    assert difference.max() < 3
    rows = [line for line in celestrak.read_text().split("END OBSERVED")[0].splitlines() if re.match(r"201[2-8] ", line)]
    observed = np.array([float(line.split()[-3]) for line in rows])
    assert (np.abs(observed - days)[held] < 0.01).sum() == 26
    # A day late would not do.
    assert (np.abs(ours.to_numpy()[1:] - days[:-1])[held[:-1]] < 0.01).sum() < 100


def test_omni2_kp_is_gfzs_except_for_december_2018(omni2: list[Path], celestrak: Path, kp_table: xr.DataArray) -> None:
    kp = open_index(omni2, "Kp").dropna("time")
    assert kp.sizes["time"] == 60_984
    start = kp["time"].to_numpy().astype("datetime64[h]").astype(np.int64) // 3 * 3
    hours = start.astype("datetime64[h]").astype("datetime64[ns]")
    for reference in (kp_table, open_index(celestrak, "Kp")):
        wrong = kp.to_numpy() != reference.sel(time=hours).to_numpy()
        # 11 three-hour values that were not definitive when this copy was made.
        assert wrong.sum() == 33
        assert kp["time"].to_numpy()[wrong].min() >= np.datetime64("2018-12-01")


def test_extended_omni2_of_57_words(shared_data: Path, celestrak: Path) -> None:
    path = shared_data / "gfz_formats" / "omni2t_2000.dat"
    dst, kp, f107 = (open_index(path, name) for name in ("Dst", "Kp", "F10.7"))
    assert (dst[0], kp[0], dst.sizes["time"]) == (-45, 16 / 3, 25)
    assert f107[0] == open_index(celestrak, "F10.7").sel(time="2000-01-01").item()


# --- line ends, wrong names, damage --------------------------------------------------------------------------------------------


@pytest.fixture
def small(shared_data: Path, celestrak: Path) -> dict[str, str]:
    """Real files, short: CelesTrak's with its last three observed days."""
    whole = celestrak.read_text()
    before, observed = whole.split("BEGIN OBSERVED\n")
    days, after = observed.split("END OBSERVED")
    short = before.replace("24765", "3") + "BEGIN OBSERVED\n" + "\n".join(days.splitlines()[-3:]) + "\nEND OBSERVED" + after
    gfz = (shared_data / "gfz_formats" / "Kp_ap_Ap_SN_F107_nowcast.txt").read_text()
    kp = xr.DataArray([8 / 3, np.nan], coords={"time": np.array(["2013-01-01T00", "2013-01-01T03"], dtype="datetime64[ns]")}, dims="time")
    return {"celestrak": short, "gfz": gfz, "gfz-hours": gfz_hours(kp, "21")}


@pytest.mark.parametrize(
    ("kind", "name"), [("celestrak", "F10.7"), ("celestrak", "Kp"), ("gfz", "F10.7"), ("gfz", "Kp"), ("gfz-hours", "Kp")]
)
def test_windows_line_ends_change_nothing(small: dict[str, str], tmp_path: Path, kind: str, name: str) -> None:
    unix, windows = tmp_path / "unix.txt", tmp_path / "windows.txt"
    unix.write_bytes(small[kind].encode())
    windows.write_bytes(small[kind].replace("\n", "\r\n").encode())
    assert open_index(unix, name).identical(open_index(windows, name))


@pytest.mark.parametrize(
    ("kind", "name", "change", "found"),
    [
        ("celestrak", "Dst", ("", ""), "a file with Dst"),
        ("celestrak", "F10.7", ("END OBSERVED", "END"), "no END OBSERVED"),
        ("celestrak", "F10.7", ("BEGIN OBSERVED", "BEGIN"), "no BEGIN OBSERVED"),
        ("celestrak", "F10.7", ("_POINTS 3", "_POINTS"), "no NUM_OBSERVED_POINTS"),
        ("celestrak", "F10.7", ("_POINTS 3", "_POINTS 4"), "4 observed days"),
        ("celestrak", "F10.7", ("2025 07 19", "2025 07 32"), "2025-07-32 in line 19"),
        ("celestrak", "F10.7", ("2025 07 19", "2025 07 18"), "2025-07-18 in line 19"),
        ("celestrak", "F10.7", ("2025 07 19", "9025 07 19"), "9025-07-19 in line 19"),
        ("celestrak", "F10.7", (" 157.5 ", " 157.x "), "157.x' in line 19"),
        ("celestrak", "F10.7", (" 157.5 ", " 157.5"), "129 characters in line 19"),
        ("celestrak", "Kp", ("  7 20 10 17", "  7 20 11 17"), "Kp in thirds"),
        ("celestrak", "Kp", ("  7 20 10 17", "  7 20 xx 17"), "in line 19"),
        ("gfz", "SYM-H", ("", ""), "a file with SYM-H"),
        ("gfz", "Kp", (" 2.667 -1.000", " 2.667 -2.000"), "-2 (in 1 of"),
        ("gfz", "Kp", ("2024 01 22 33624", "2024 01 22 33625"), "33625 in line 42"),
        ("gfz", "Kp", ("2024 01 22", "2024 13 22"), "2024-13-22 in line 42"),
        ("gfz", "Kp", ("  0.667  0.333  1.000  1.333", "  0.667  0.333  1.100  1.333"), "1.1 (in 1 of 192 values)"),
        ("gfz", "Kp", ("  0.667  0.333  1.000  1.333", "  0.667  0.333    nan  1.333"), "nan"),
        ("gfz", "F10.7", ("189.9 1", "189.9"), "156 characters in line 42"),
        ("gfz", "F10.7", ("F10.7adj D", "F10.7 D"), "F10.7 D"),
        ("gfz-hours", "Kp", ("01 03.0", "01 04.0"), "4 in line 4"),
        ("gfz-hours", "Kp", ("01 03.0", "02 03.0"), "line 4"),
        ("gfz-hours", "Dst", ("", ""), "a file with Dst"),
    ],
)
def test_damage_is_named_in_one_sentence(
    small: dict[str, str], tmp_path: Path, kind: str, name: str, change: tuple[str, str], found: str
) -> None:
    assert change[0] in small[kind]
    path = tmp_path / "bad.txt"
    path.write_text(small[kind].replace(*change, 1) if change[0] else small[kind])
    with pytest.raises(FileError) as caught:
        open_index(path, name)
    message = str(caught.value)
    assert found in message
    assert message.startswith(str(path))
    assert "\n" not in message


@pytest.mark.parametrize(("kind", "name"), [("celestrak", "F10.7"), ("gfz", "Kp"), ("gfz-hours", "Kp")])
def test_a_cut_within_a_line_is_seen(small: dict[str, str], tmp_path: Path, kind: str, name: str) -> None:
    text = small[kind] if kind != "celestrak" else small[kind].split("\nEND OBSERVED")[0]
    for cut in (3, 30, 55):
        path = tmp_path / "cut.txt"
        path.write_text(text[: text.rindex("\n20") + 1 + cut])
        with pytest.raises(FileError, match=r"cut short|no line of data"):
            open_index(path, name)


def test_a_format_that_is_not_known_says_which_are(tmp_path: Path) -> None:
    path = tmp_path / "kp2001.wdc"
    path.write_text("20010125 5 7 3 7 7 3101013 60  3  2  3  3  2  4  4  5  30.10\n")
    with pytest.raises(FileError) as caught:
        open_index(path, "Kp")
    for word in ("Kyoto Dst", "IAGA-2002", "OMNI2 text", "OMNI CDF", "GFZ", "SW-All"):
        assert word in str(caught.value)


def test_blank_fields_of_celestrak_are_missing(small: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "blank.txt"
    path.write_text(small["celestrak"].replace("  7 20 10 17", "  7    10 17", 1).replace(" 157.5 0", "        ", 1))
    kp, f107 = open_index(path, "Kp"), open_index(path, "F10.7")
    assert np.flatnonzero(np.isnan(kp)).tolist() == [9]
    assert np.isnan(f107).to_numpy().tolist() == [False, True, False]
