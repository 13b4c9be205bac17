"""Counting what was there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.coverage import coverage_page, coverage_table, index_sentence

FILES = pd.DataFrame(
    {
        "name": ["a1", "a2", "b1"],
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


def test_days_files_and_records_are_counted_by_probe_and_month():
    table = coverage_table(FILES, "2015-04-29", "2015-05-03", ["a", "b"]).set_index(["probe", "month"])
    assert table["days"].to_dict() == {("a", "2015-04"): 2, ("a", "2015-05"): 2, ("b", "2015-04"): 2, ("b", "2015-05"): 2}
    assert table["days_missing"].to_dict() == {("a", "2015-04"): 1, ("a", "2015-05"): 1, ("b", "2015-04"): 1, ("b", "2015-05"): 2}
    assert table.loc[("a", "2015-05"), "files_refused"] == 1
    assert table["records_used"].sum() == 20


def test_a_probe_without_any_file_is_all_missing():
    table = coverage_table(FILES.iloc[:0], "2015-04-29", "2015-05-03", ["a"])
    assert table["days_missing"].sum() == table["days"].sum() == 4


def test_the_page_gives_totals_and_reasons():
    table = coverage_table(FILES, "2015-04-29", "2015-05-03", ["a", "b"])
    page = coverage_page(table, FILES, "The index is whole.", title="Data coverage", simulated=True)
    assert "8 days of probes asked for: 2 files used, 1 refused, 5 days without a file" in page
    assert "expected &lt;x&gt;" in page
    assert "SIMULATED" in page
    assert "SIMULATED" not in coverage_page(table, FILES, "The index is whole.", title="Data coverage", simulated=False)


def test_gaps_of_the_index_are_said():
    time = np.datetime64("2015-04-01", "ns") + np.arange(240) * np.timedelta64(1, "h")
    index = xr.DataArray(np.zeros(240), coords={"time": time}, dims="time", name="Dst")
    assert index_sentence(index, "2015-04-01", "2015-04-11") == "The index (Dst) covers 100.0 % of the span; its longest gap is 0.0 h."
    index[24:48] = np.nan
    assert "covers 90.0 % of the span; its longest gap is 24.0 h" in index_sentence(index, "2015-04-01", "2015-04-11")
    assert "covers 45.0 % of the span; its longest gap is 240.0 h" in index_sentence(index, "2015-04-01", "2015-04-21")
