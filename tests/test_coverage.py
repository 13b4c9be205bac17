"""What was there: every day of every product has its row, every gap its name, every record its place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from test_binned import random_flux

import ringdecay as rd
from ringdecay import coverage
from ringdecay.archive.lock import make_lock
from ringdecay.errors import FileError, InputError
from ringdecay.tables import write_csv

FLUX, INDEX = "rbspice-pap-tofxeh", "omni-hro-5min"
START, STOP = "2015-04-29", "2015-05-03"
# Probe a: used, refused, and two days without a file; probe b: used, and three without.
FILES = pd.DataFrame(
    {
        "name": ["a1.cdf", "a2.cdf", "b1.cdf"],
        "probe": ["a", "a", "b"],
        "date": ["20150430", "20150501", "20150430"],
        "status": ["used", "refused", "used"],
        "reason": ["", "a2.cdf: expected <x>", ""],
        "records": [10, 0, 20],
        "records_used": [8, 0, 12],
        "values_bad_quality": [1, 0, 2],
        "values_excluded": [0, 0, 3],
    }
)


def row(product, probe, date, name, size=1_000_000, version="1.2.3"):
    given = {"product": product, "probe": probe, "date": date, "version": version, "size": size, "path": f"x/y/{name}"}
    return given | {"sha256": "0", "url": "", "modified": "2016-01-01"}


def lock(*more):
    names = zip(FILES["name"], FILES["probe"], FILES["date"], strict=True)
    return make_lock([*(row(FLUX, probe, date, name) for name, probe, date in names), *more])


APRIL, MAY = (row(INDEX, "", f"2015-0{month}-01", f"omni{month}.cdf", 500_000, "01") for month in (4, 5))


def index(start="2015-04-29", n_days=4):
    time = np.datetime64(start, "ns") + np.arange(n_days * 24) * np.timedelta64(1, "h")
    return xr.DataArray(np.zeros(time.size), coords={"time": time}, dims="time", name="Dst")


def table(index_=None, *more, files=FILES, probes=("a", "b")):
    locked = lock(*(more or (APRIL, MAY)))
    return coverage.coverage_days(
        files, locked, index() if index_ is None else index_, START, STOP, product=FLUX, probes=probes, index_product=INDEX
    )


def test_every_product_probe_and_day_has_one_row():
    days = table()
    dates = ["2015-04-29", "2015-04-30", "2015-05-01", "2015-05-02"]
    for product, probe, expected in (
        (FLUX, "a", ["no file", "used", "refused", "no file"]),
        (FLUX, "b", ["no file", "used", "no file", "no file"]),
        (INDEX, "", ["known"] * 4),
    ):
        rows = days[(days["product"] == product) & (days["probe"] == probe)]
        assert rows["date"].tolist() == dates
        assert rows["status"].tolist() == expected
        assert rows["fetched"].tolist() == [status != "no file" for status in expected]
    assert len(days) == 12
    used = days.iloc[1]
    assert (used["file"], used["version"], used["bytes"], used["records"], used["records_used"]) == ("a1.cdf", "1.2.3", 1_000_000, 10, 8)
    assert days.iloc[2]["reason"] == "a2.cdf: expected <x>"
    assert days.iloc[0][["bytes", "records", "records_used"]].tolist() == [0, 0, 0]
    # A flux file has no share that is known, the index no records.
    assert days["share_known"].isna().tolist() == [True] * 8 + [False] * 4
    assert days["records"].isna().tolist() == [False] * 8 + [True] * 4
    assert days.iloc[8:]["file"].tolist() == ["omni4.cdf", "omni4.cdf", "omni5.cdf", "omni5.cdf"]


def test_the_index_is_known_in_part_unknown_or_has_no_file():
    series = index()
    series[6:12] = np.nan
    series[24:48] = np.nan
    days = table(series, APRIL).iloc[8:]
    assert days["share_known"].tolist() == [0.75, 0.0, 1.0, 1.0]
    # The values of May come from a file of April that runs on, as yearly ones do; only days without any value have no file.
    assert days["status"].tolist() == ["known", "unknown", "known", "known"]
    cut = table(index(n_days=2), APRIL).iloc[8:]
    assert cut["status"].tolist() == ["known", "known", "no file", "no file"]
    files = lock(row("own file", "", "2020-01-01", "dst.txt"))
    own = coverage.coverage_days(FILES, files, series, START, STOP, product=FLUX, probes=["a"], index_product=None)
    assert own.iloc[4:]["product"].unique().tolist() == ["own file"]
    assert own.iloc[4:]["status"].tolist() == ["known", "unknown", "known", "known"]
    assert (table(index().isel(time=[])).iloc[8:]["status"] == "unknown").all()
    # A quarter of a day is some of it, and hours that the series leaves out are as unknown as those that it gives as missing.
    series[48:66] = np.nan
    given = table(series).iloc[8:]
    assert given["share_known"].tolist() == [0.75, 0.0, 0.25, 1.0]
    assert given["status"].tolist() == ["known", "unknown", "known", "known"]
    pd.testing.assert_frame_equal(table(series.dropna("time")).iloc[8:], given)
    # Four values a day of 7 h each are a day, not more.
    assert table(index(n_days=14)[::7]).iloc[8:]["share_known"].max() == 1.0


def test_a_probe_or_a_run_without_any_file_is_all_missing():
    days = table(files=FILES[FILES["probe"] == "a"], probes=("a",))
    assert days["probe"].tolist() == ["a"] * 4 + [""] * 4
    nothing = coverage.coverage_days(
        FILES.iloc[:0], make_lock([APRIL]), index(), START, STOP, product=FLUX, probes=["a", "b"], index_product=INDEX
    )
    assert nothing["status"].iloc[:8].tolist() == ["no file"] * 8
    page = coverage.coverage_page(nothing, places(), "", title="Data coverage", simulated=False)
    assert "8 days of probes asked for: 0 used, 0 refused, 8 without a file" in page


def test_tables_of_two_runs_are_not_mixed():
    with pytest.raises(InputError, match=r"b1\.cdf is in the lock, but not in the table of files"):
        table(files=FILES[FILES["probe"] == "a"])


def test_totals_add_up_and_a_file_of_many_days_is_counted_once():
    totals = coverage.coverage_totals(table()).set_index(["product", "probe"])
    assert totals.index.tolist() == [(FLUX, "a"), (FLUX, "b"), (INDEX, "")]
    assert totals["days"].tolist() == [4, 4, 4]
    assert totals["used"].tolist() == [1, 1, 4]
    assert totals["refused"].tolist() == [1, 0, 0]
    assert totals["no_file"].tolist() == [2, 3, 0]
    assert totals["files"].tolist() == [2, 1, 2]
    assert totals["megabytes"].tolist() == [2.0, 1.0, 1.0]
    assert totals["records_used"].tolist()[:2] == [8, 12]
    # The index has no records, which is not the same as none.
    assert totals["records"].isna().tolist() == [False, False, True]
    months = coverage.coverage_months(table()).set_index(["product", "probe", "month"])
    assert months.loc[(FLUX, "a", "2015-05"), ["days", "refused", "no_file"]].tolist() == [2, 1, 1]
    assert months.loc[(FLUX, "b", "2015-04"), "records"] == 20


def test_days_are_written_as_ranges():
    assert coverage.day_ranges([]) == []
    given = ["2015-05-05", "2015-05-03", "2015-05-04", "2015-12-31", "2016-01-01", "2015-06-01"]
    assert coverage.day_ranges(given) == ["2015-05-03 to 2015-05-05", "2015-06-01", "2015-12-31 to 2016-01-01"]


@pytest.mark.parametrize("simulated", [True, False])
def test_the_table_survives_its_file(tmp_path, simulated):
    days = table()
    path = tmp_path / "coverage.csv"
    write_csv(days, path, coverage.days_header(simulated=simulated))
    again = coverage.read_coverage(path)
    pd.testing.assert_frame_equal(again, days)
    assert again.attrs["simulated"] == ("yes" if simulated else "no")
    # Anyone's pandas reads it too.
    assert pd.read_csv(path, comment="#")["records"].sum() == 30
    with pytest.raises(FileError, match="no file"):
        coverage.read_coverage(tmp_path / "other.csv")
    path.write_text("a,b\n1,2\n")
    with pytest.raises(FileError, match="the columns product"):
        coverage.read_coverage(path)


def places():
    return coverage.sector_coverage(
        rd.merge_binned([rd.bin_flux(random_flux(300, 1, probe="a")), rd.bin_flux(random_flux(300, 2, probe="b"))])
    )


def test_the_page_gives_totals_gaps_and_reasons():
    page = coverage.coverage_page(table(), places(), "The index is whole.", title="Data coverage", simulated=True)
    assert "8 days of probes asked for: 2 used, 1 refused, 5 without a file" in page
    assert "20 of 30 records" in page
    assert "<code>a2.cdf</code>: expected &lt;x&gt;" in page
    assert f"{FLUX}, probe b (3): 2015-04-29, 2015-05-01 to 2015-05-02" in page
    assert "<h2>Days on which the index is not known</h2><p>None.</p>" in page
    assert "SIMULATED" in page
    assert "<NA>" not in page
    assert "&lt;NA&gt;" not in page
    assert "SIMULATED" not in coverage.coverage_page(table(), places(), "", title="Data coverage", simulated=False)


def test_places_of_records_are_those_of_the_files():
    flux = random_flux(600, 4)
    near = np.flatnonzero((flux["L"] >= 3) & (flux["L"] < 3.1))[:2]
    flux["MLAT"][[*range(5), *near]] = np.nan
    found = coverage.sector_coverage(rd.bin_flux(flux))
    L, MLT, MLAT = (flux[name].to_numpy() for name in ("L", "MLT", "MLAT"))
    shell = (L >= 3) & (L < 3.1)
    one = found.sel(L=3.05, probe="a")
    assert one["n_records"] == shell.sum() > 5
    np.testing.assert_array_equal(one["n_records_by_MLT"], np.histogram(MLT[shell], np.arange(0, 25, 3))[0])
    np.testing.assert_array_equal(one["n_records_by_MLAT"], np.histogram(MLAT[shell], [-90, *range(-20, 21, 5), 90])[0])
    unknown = np.isnan(MLT[shell]).mean()
    np.testing.assert_allclose(one["share_without_MLT"], unknown)
    np.testing.assert_allclose(one["share_by_MLT"].sum(), 1 - unknown)
    assert np.isnan(MLAT[shell]).sum() >= 2
    np.testing.assert_allclose(one["share_without_MLAT"], np.isnan(MLAT[shell]).mean())
    assert (found["n_time_bins_by_MLAT"] <= found["n_records_by_MLAT"]).all()
    assert (
        one["n_time_bins"]
        == np.unique(np.floor((flux["time"].to_numpy()[shell] - np.datetime64("2012-01-01")) / np.timedelta64(32292, "s"))).size
    )
    with pytest.raises(InputError, match="do not count records"):
        coverage.sector_coverage(rd.bin_flux(flux).drop_vars("n_records"))


def test_the_table_of_places_holds_every_record_twice():
    found = places()
    cells = coverage.cell_table(found)
    assert len(cells) == 2 * 40 * (8 + 1 + 10 + 1)
    total = found["n_records"].to_series()
    for name in ("MLT", "MLAT"):
        sums = cells[cells["coordinate"] == name].groupby(["probe", "L"])["records"].sum()
        assert sums.to_numpy().tolist() == total.to_numpy().tolist()
    noon = cells[(cells["probe"] == "b") & np.isclose(cells["L"], 4.05) & (cells["coordinate"] == "MLT") & (cells["from"] == 12)]
    assert noon["records"].item() == found["n_records_by_MLT"].sel(probe="b", L=4.05, MLT=13.5)
    assert noon["to"].item() == 15
    assert noon["time_bins"].item() == found["n_time_bins_by_MLT"].sel(probe="b", L=4.05, MLT=13.5)
    lost = cells[cells["from"].isna() & (cells["coordinate"] == "MLT")]
    assert lost["records"].sum() > 0
    assert lost["time_bins"].isna().all()
    assert "SIMULATED" in " ".join(coverage.cells_header(found.assign_attrs(simulated="yes")))


def test_gaps_of_the_index_are_said():
    series = index("2015-04-01", 10)
    say = coverage.index_sentence
    assert say(series, "2015-04-01", "2015-04-11") == "The index (Dst) covers 100.0 % of the span; its longest gap is 0.0 h."
    series[24:48] = np.nan
    assert "covers 90.0 % of the span; its longest gap is 24.0 h" in say(series, "2015-04-01", "2015-04-11")
    # A value between two others fills no gap elsewhere.
    between = series[[1]].assign_coords(time=series["time"][[1]] + np.timedelta64(30, "m"))
    assert "covers 90.0 % of the span" in say(xr.concat([series, between], "time").sortby("time"), "2015-04-01", "2015-04-11")
    assert "covers 45.0 % of the span; its longest gap is 240.0 h" in say(series, "2015-04-01", "2015-04-21")
