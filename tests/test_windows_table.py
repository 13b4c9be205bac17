"""Windows of the user's own: read strictly, applied cell by cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from synthetic_decays import Truth, mission

from ringdecay.decays import FLAGS, choose_windows, fit_decays, index_windows, read_windows, table_windows
from ringdecay.errors import FileError, InputError


@pytest.fixture(scope="module")
def world() -> Truth:
    return mission(7, n_e=4, n_l=3)


def table_of(tmp_path: Path, *rows: str, head: str = "start,stop") -> Path:
    path = tmp_path / "windows.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


ALL = "start,stop,storm,probe,energy_min,energy_max,L_min,L_max"


def test_a_table_with_the_windows_of_the_index_gives_the_same_fits(world: Truth, tmp_path: Path):
    windows = index_windows(world.binned, world.storms)
    rows = [f"{a}Z,{b}Z" for a, b in zip(windows["start"].values, windows["stop"].values, strict=True)]
    path = table_of(tmp_path, "# chosen by hand", *rows)
    given = fit_decays(world.binned, world.storms, windows=choose_windows(world.binned, world.storms, source="table", table=path))
    np.testing.assert_array_equal(given["rate"], fit_decays(world.binned, world.storms)["rate"])
    assert given.attrs["window"] == "table"


def test_rows_narrow_to_a_storm_a_probe_and_ranges(world: Truth, tmp_path: Path):
    energy, L = world.binned["energy"].values, world.binned["L"].values
    start = world.storms["last_minimum"] + pd.Timedelta(days=1)
    rows = [
        f"{start[3]:%Y-%m-%dT%H:%M},{start[3] + pd.Timedelta(days=9)},4,merged,,{energy[1]},,{L[1]}",
        f" {start[3]} , {start[3] + pd.Timedelta(days=20)},4,,{energy[2]},,,",
        f"{start[6]},{start[6] + pd.Timedelta(days=5)},,,,,,",
    ]
    found = table_windows(world.binned, world.storms, read_windows(table_of(tmp_path, *rows, head=ALL)))
    length = ((found["stop"] - found["start"]) / np.timedelta64(1, "D")).to_numpy()[:, 0]
    expected = np.full((10, 4, 3), np.nan)
    expected[3, :2, :2] = 9 + start[3].second / 86400
    expected[3, 2:] = 20
    expected[6] = 5
    np.testing.assert_allclose(length, expected, atol=1e-3)
    fit = fit_decays(world.binned, world.storms, windows=found)
    assert ((fit["flag"].to_numpy()[0] & FLAGS["no_window"]) > 0).all()
    assert np.isfinite(fit["rate"].to_numpy()[3, 0, :2, :2]).all()


def test_a_window_past_the_next_onset_ends_there_and_says_so(world: Truth, tmp_path: Path):
    start = world.storms["last_minimum"][2] + pd.Timedelta(days=1)
    table = read_windows(table_of(tmp_path, f"{start},{start + pd.Timedelta(days=60)}"))
    found = table_windows(world.binned, world.storms, table)
    assert (found["stop"].to_numpy()[2] == world.storms["onset"].to_numpy()[3]).all()
    assert (found["flag"].to_numpy()[2] == FLAGS["new_injection"]).all()


def test_gaps_end_windows_of_the_user_too(world: Truth, tmp_path: Path):
    start = world.storms["last_minimum"][3] + pd.Timedelta(days=1)
    table = read_windows(table_of(tmp_path, f"{start},{start + pd.Timedelta(days=25)}"))
    silent = (world.binned["time"] > start + pd.Timedelta(days=10)) & (world.binned["time"] < start + pd.Timedelta(days=15))
    binned = world.binned.assign(n_samples=world.binned["n_samples"].where(~silent, 0)).transpose("probe", "time", "L", "energy")
    found = choose_windows(binned, world.storms, source="table", table=table)
    assert ((found["flag"].to_numpy()[3] & FLAGS["data_gap"]) > 0).all()
    assert (found["stop"].isel(storm=3) < (start + pd.Timedelta(days=10.5)).to_datetime64()).all()


GOOD = "2015-05-05,2015-05-09"


@pytest.mark.parametrize(
    ("head", "rows", "words"),
    [
        ("start,stop", ["2015-05-05,soon"], "a time such as .* as stop, .*'soon' in row 1"),
        ("start,stop", [GOOD, ",2015-05-05"], "as start, .*'' in row 2"),
        ("start,stop", [GOOD, "2015-05-05,2015-05-05"], "a time after the start as stop, .* in row 2"),
        ("start,end", [GOOD], "no column 'stop'"),
        ("start,stop,L_low", [f"{GOOD},3"], "a column 'L_low'"),
        ("start", ["2015-05-05"], "no column 'stop'"),
        ("start,stop", [], "no row"),
        ("start,stop,storm", [f"{GOOD},1.5"], "the number of a storm as storm, .*'1.5' in row 1"),
        ("start,stop,L_min,L_max", [f"{GOOD},3,4", f"{GOOD},5,4"], "a number not below L_min as L_max, .*'4' in row 2"),
        ("start,stop,energy_min", [f"{GOOD},low"], "a positive number as energy_min, .*'low' in row 1"),
        ("start,stop,energy_max", [f"{GOOD},-5"], "a positive number as energy_max"),
        ("start,stop", [GOOD, "2015-05-05,2015-05-09,7"], "2 values, one for each column, .*3 in row 2"),
        ("start,stop,storm", [GOOD], "3 values, .*2 in row 1"),
        ("start,stop,stop", ["2015-05-05,2015-05-09,2015-05-10"], "a column 'stop' twice"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, head: str, rows: list[str], words: str):
    with pytest.raises(FileError, match=words) as caught:
        read_windows(table_of(tmp_path, *rows, head=head))
    assert "windows.csv" in str(caught.value)


def test_what_is_no_table_is_said(tmp_path: Path):
    with pytest.raises(FileError, match="no file"):
        read_windows(tmp_path / "none.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(FileError, match="no column 'start'"):
        read_windows(tmp_path / "empty.csv")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(FileError, match="something else"):
        read_windows(tmp_path / "picture.csv")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2015-01-01,2015-05-01,,,,,,", "row 2 .* before the first storm"),
        ("2015-05-05,2015-05-09,77,,,,,", "row 2 .* storm 77, which the catalogue lacks"),
        ("2015-05-05,2015-05-09,5,,,,,", "row 2 .* not between the onset of its storm 5"),
        ("2015-05-05,2015-05-09,,c,,,,", "row 2 .* probe 'c'"),
        ("2015-05-05,2015-05-09,,,,,7,8", "row 2 .* no cell"),
        ("2015-04-25,2015-04-28,,,,,,", "row 2 .* for which row 1 has one"),
    ],
)
def test_a_row_that_does_not_fit_the_data_is_named(world: Truth, tmp_path: Path, row: str, words: str):
    table = read_windows(table_of(tmp_path, "2015-04-20,2015-04-29,1,,,,,", row, head=ALL))
    with pytest.raises(InputError, match=words):
        table_windows(world.binned, world.storms, table)


def test_cells_of_another_grid_keep_their_windows(world: Truth, tmp_path: Path):
    # A window by L serves data of fewer shells.
    table = read_windows(table_of(tmp_path, "2015-04-20,2015-04-29"))
    windows = table_windows(world.binned, world.storms, table)
    fewer = world.binned.isel(L=[2])
    fit: xr.Dataset = fit_decays(fewer, world.storms, windows=windows)
    assert (fit["n"].isel(storm=0) > 0).all()
