"""Choosing the files of a span: dates, versions, layouts, names; and the lock that records them. All from local folders."""

from __future__ import annotations

import datetime
import hashlib
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from archive_server import FOLDER, PAP, make_archive, names, pap_name, put
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from ringdecay.archive import default_cache, fetch, plan
from ringdecay.archive.lock import COLUMNS
from ringdecay.archive.versions import newest, version_key
from ringdecay.errors import ArchiveError, InputError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return make_archive(tmp_path / "archive")


def test_a_span_is_its_days_in_order_with_the_newest_version_of_each(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ringdecay.archive")
    got = fetch(PAP, "a", "2013-01-26", "2013-01-31", archive)
    expected = [pap_name("20130126"), pap_name("20130127", "1.2.12-00"), pap_name("20130128"), pap_name("20130130")]
    assert names(got.files) == expected
    assert all(file.parent == archive / FOLDER for file in got.files), "a folder is used in place"
    assert list(got.missing) == [pd.Timestamp("2013-01-29")]
    assert got.superseded == (pap_name("20130127"), pap_name("20130127", "1.2.4-07"))
    assert "1 of 5 days: 2013-01-29" in caplog.text
    assert "ignored 2 superseded files" in caplog.text
    assert pap_name("20130127", "1.2.4-07") in caplog.text


def test_the_lock_says_what_the_files_are(archive: Path) -> None:
    got = fetch(PAP, "a", "2013-01-26", "2013-01-28", archive)
    assert tuple(got.lock.columns) == COLUMNS
    assert list(got.lock["version"]) == ["1.2.4-03", "1.2.12-00"]
    assert list(got.lock["date"]) == [pd.Timestamp("2013-01-26"), pd.Timestamp("2013-01-27")]
    for file, row in zip(got.files, got.lock.to_dict("records"), strict=True):
        assert (row["product"], row["probe"], row["size"]) == (PAP, "a", 3000)
        assert row["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert row["path"] == f"{FOLDER}/{file.name}"
        assert row["url"] == file.as_uri()
        assert row["modified"] == pd.Timestamp(int(file.stat().st_mtime), unit="s")


@pytest.mark.parametrize(
    ("start", "stop", "days"),
    [
        ("2013-01-26T23:59:59", "2013-01-27T00:00:01", ["20130126", "20130127"]),
        ("2013-01-26T12:00", "2013-01-27T00:00", ["20130126"]),
        (datetime.date(2013, 1, 26), datetime.datetime(2013, 1, 26, 1), ["20130126"]),
        (np.datetime64("2013-01-30"), pd.Timestamp("2013-02-01"), ["20130130", "20130131"]),
        # One o'clock in the morning two hours east of Greenwich is still the day before.
        ("2013-01-28T01:00+02:00", "2013-01-28T03:00+02:00", ["20130127", "20130128"]),
    ],
)
def test_start_is_inclusive_and_stop_exclusive(archive: Path, start: object, stop: object, days: list[str]) -> None:
    files = plan(PAP, "a", start, stop, archive).files
    assert [f"{file.date:%Y%m%d}" for file in files] == days


def test_months_and_years_that_the_span_touches_are_used(tmp_path: Path) -> None:
    for month in (1, 2, 3):
        put(tmp_path, f"omni/omni_cdaweb/hro_5min/2013/omni_hro_5min_2013{month:02d}01_v01.cdf")
    put(tmp_path, "omni/omni_cdaweb/hro_5min/2012/omni_hro_5min_20121201_v01.cdf")
    for year in (2012, 2013, 2014):
        put(tmp_path, f"omni/low_res_omni/omni2_{year}.dat")
    monthly = plan("omni-hro-5min", None, "2012-12-31", "2013-02-01T00:00:01", tmp_path)
    assert [f"{file.date:%Y-%m}" for file in monthly.files] == ["2012-12", "2013-01", "2013-02"]
    assert len(monthly.missing) == 0
    yearly = fetch("omni2-yearly", None, "2013-12-31", "2014-01-02", tmp_path)
    assert names(yearly.files) == ["omni2_2013.dat", "omni2_2014.dat"]
    assert set(yearly.lock["version"]) == {""}
    assert set(yearly.lock["probe"]) == {""}


def test_real_omni_files_are_used_as_they_are(shared_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "omni/low_res_omni"
    folder.parent.mkdir()
    folder.symlink_to(shared_data / "omni2_hourly")
    got = fetch("omni2-yearly", None, "2012-06-01", "2019-01-01", tmp_path)
    assert names(got.files) == [f"omni2_{year}.dat" for year in range(2012, 2019)]
    assert len(got.missing) == 0


def test_the_mixed_case_and_the_underscore_of_the_team_site_are_the_same_file(tmp_path: Path) -> None:
    put(tmp_path, f"{FOLDER}/rbsp-a-rbspice_lev-3-PAP_TOFxEH_20130126_v1.1.2-00.cdf")
    put(tmp_path, f"{FOLDER}/RBSP-A-RBSPICE_lev-3_pap_TOFxEH_20130127_V1.1.2-00.CDF")
    assert len(plan(PAP, "a", "2013-01-26", "2013-01-28", tmp_path).files) == 2


def test_another_probe_or_product_in_the_same_folder_is_not_taken(archive: Path) -> None:
    put(archive, f"{FOLDER}/rbsp-b-rbspice_lev-3-pap_tofxeh_20130129_v9.9.9-09.cdf")
    put(archive, f"{FOLDER}/rbsp-a-rbspice_lev-3-pap_tofxeion_20130129_v9.9.9-09.cdf")
    put(archive, f"{FOLDER}/.{pap_name('20130129')}.partial")
    assert list(plan(PAP, "a", "2013-01-28", "2013-01-31", archive).missing) == [pd.Timestamp("2013-01-29")]


def test_two_names_with_an_equal_version_are_reported_with_the_choice(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = "rbsp-a-rbspice_lev-3_pap_tofxeh_20130126_v1.2.4-03.cdf"
    put(archive, f"{FOLDER}/{other}")
    (file,) = plan(PAP, "a", "2013-01-26", "2013-01-27", archive).files
    assert file.path.endswith(pap_name("20130126"))
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert other in record.getMessage()
    assert f"took {pap_name('20130126')}" in record.getMessage()


def test_a_span_without_any_file_is_a_result_not_an_error(archive: Path) -> None:
    got = fetch(PAP, "a", "2014-03-01", "2014-03-04", archive)
    assert got.files == []
    assert len(got.lock) == 0
    assert len(got.missing) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("hope", "a", "2013-01-26", "2013-01-27"), "did you mean 'hope-pa'"),
        ((PAP, "c", "2013-01-26", "2013-01-27"), "give one of a, b"),
        ((PAP, None, "2013-01-26", "2013-01-27"), "give one of a, b"),
        (("omni2-yearly", "a", "2013-01-26", "2013-01-27"), "has no probe"),
        ((PAP, "a", "2013-01-27", "2013-01-26"), "the wrong way round"),
        ((PAP, "a", "2013-01-27", "2013-01-27"), "the wrong way round"),
        ((PAP, "a", "26 or so", "2013-01-26"), "start '26 or so' is not a time"),
        ((PAP, "a", "2013-01-26", 20130127), "stop 20130127 is not a time"),
        ((PAP, "a", "2013-01-26", "NaT"), "stop 'NaT' is not a time"),
    ],
)
def test_arguments_that_make_no_sense_are_said_to(archive: Path, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        fetch(*arguments, archive)


@pytest.mark.parametrize("bad", ["ftp://example.org/data", "s3://bucket/data", "http://", "", None, 5, "https://example.org/data?x=1"])
def test_an_archive_is_a_folder_or_a_web_address(bad: object) -> None:
    with pytest.raises(InputError, match="neither a folder nor"):
        fetch(PAP, "a", "2013-01-26", "2013-01-27", bad)


def test_a_password_does_not_get_into_a_lock() -> None:
    with pytest.raises(InputError, match="netrc") as caught:
        fetch(PAP, "a", "2013-01-26", "2013-01-27", "https://me:secret@example.org/data")
    assert "secret" not in str(caught.value)


def test_a_folder_that_is_not_there_or_not_the_root_is_named(archive: Path) -> None:
    with pytest.raises(ArchiveError, match=r"nowhere does not exist; create it"):
        fetch(PAP, "a", "2013-01-26", "2013-01-27", archive / "nowhere")
    with pytest.raises(ArchiveError, match=r"has no folder rbsp/rbspa/l3/rbspice/pap_tofxeh; `archive` must be"):
        fetch(PAP, "a", "2013-01-26", "2013-01-27", archive / "rbsp")


def test_the_cache_folder_is_the_environment_variable_or_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RINGDECAY_CACHE", str(tmp_path / "kept"))
    assert default_cache() == tmp_path / "kept"
    monkeypatch.delenv("RINGDECAY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache().name == "ringdecay"


# --- versions -------------------------------------------------------------------------------------------------------------

dotted = st.lists(st.integers(0, 120), min_size=1, max_size=4).map(lambda numbers: ".".join(map(str, numbers)))
versions = st.builds(lambda d, r: d if r is None else f"{d}-{r:02d}", dotted, st.none() | st.integers(0, 120))


def reference(version: str) -> Version:
    """PEP 440 reads "-NN" as a post-release, which is just how SPDF means it; leading zeros are no part of a number."""
    return Version(version)


@settings(max_examples=300, derandomize=True)
@given(versions, versions)
def test_versions_are_ordered_as_the_packaging_library_orders_them(one: str, other: str) -> None:
    assert (version_key(one) < version_key(other)) == (reference(one) < reference(other))
    assert (version_key(one) == version_key(other)) == (reference(one) == reference(other))


@settings(max_examples=100, derandomize=True)
@given(st.lists(versions, min_size=1, max_size=8, unique=True))
def test_the_newest_is_the_greatest_and_no_name_is_lost(given_versions: list[str]) -> None:
    chosen, equals, superseded = newest((f"name_{version}", version) for version in given_versions)
    greatest = max(map(reference, given_versions))
    assert {reference(name.removeprefix("name_")) for name in [chosen, *equals]} == {greatest}
    assert sorted([chosen, *equals, *superseded]) == sorted(f"name_{version}" for version in given_versions)


@pytest.mark.parametrize(("older", "newer"), [("1.1.9-01", "1.1.12-00"), ("1.2.4-03", "1.2.4-07"), ("1.2.4-9", "1.2.4-10"), ("", "01")])
def test_numbers_compare_as_numbers(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)
