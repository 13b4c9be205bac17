"""The lock: written and read again, held to byte for byte, and never a way out of the archive."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pandas as pd
import pytest
from archive_server import FOLDER, MAGIC, PAP, make_archive, names, pap_name, put, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from ringdecay.archive import (
    check_same_bytes,
    fetch,
    fetch_locked,
    join_locks,
    lock_files,
    plan_locked,
    read_lock,
    web,
    write_lock,
)
from ringdecay.archive.places import file_url, local_path
from ringdecay.errors import ArchiveError, FileError, InputError

SPAN = ("2013-01-26", "2013-02-01")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return make_archive(tmp_path / "archive")


def test_a_lock_is_read_as_it_was_written_and_written_the_same_each_time(archive: Path, tmp_path: Path) -> None:
    put(archive, "omni/low_res_omni/omni2_2013.dat")
    indices = fetch("omni2-yearly", None, "2013-01-01", "2013-02-01", archive).lock
    lock = pd.concat([fetch(PAP, "a", "2013-01-26", "2013-02-01", archive).lock, indices])
    write_lock(lock, tmp_path / "lock.tsv")
    again = read_lock(tmp_path / "lock.tsv")
    pd.testing.assert_frame_equal(again, lock.sort_values(["product", "probe", "date"], ignore_index=True))
    write_lock(again.sample(frac=1, random_state=1), tmp_path / "again.tsv")
    assert (tmp_path / "again.tsv").read_bytes() == (tmp_path / "lock.tsv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.tsv", "archive", "lock.tsv"]


def test_a_lock_of_the_same_run_sees_every_change_but_hashes_no_file_twice(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fetch(PAP, "a", *SPAN, archive)
    hashed = []
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda stream, name: hashed.append(stream.name) or digest(stream, name))
    settings = {"lock": made.lock, "lock_is_fresh": True}
    pd.testing.assert_frame_equal(fetch(PAP, "a", *SPAN, archive, **settings).lock, made.lock)
    assert not hashed
    fetch(PAP, "a", *SPAN, archive, lock=made.lock)
    assert len(hashed) == len(made.files)
    file = made.files[0]
    content, modified = file.read_bytes(), file.stat().st_mtime
    # Touched only: it is hashed, and found to be the same.
    os.utime(file, (modified + 5, modified + 5))
    hashed.clear()
    fetch(PAP, "a", *SPAN, archive, **settings)
    assert hashed == [str(file)]
    # Another content of the same length, and another length at the same time.
    for changed, when in ((content[:-1] + b"x", modified + 5), (content + b"x", modified)):
        file.write_bytes(changed)
        os.utime(file, (when, when))
        with pytest.raises(ArchiveError, match="has changed since the lock was made"):
            fetch(PAP, "a", *SPAN, archive, **settings)


def test_an_empty_lock_is_a_lock(archive: Path, tmp_path: Path) -> None:
    write_lock(fetch(PAP, "a", "2014-01-26", "2014-01-27", archive).lock, tmp_path / "lock.tsv")
    assert len(read_lock(tmp_path / "lock.tsv")) == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-50],
        lambda text: text.replace("sha256", "md5"),
        lambda text: text + text.splitlines(keepends=True)[-1],
        lambda text: text.replace("file:", "\n"),
        lambda _: "",
    ],
)
def test_a_damaged_lock_is_refused_by_name(archive: Path, tmp_path: Path, damage: object) -> None:
    path = tmp_path / "lock.tsv"
    write_lock(fetch(PAP, "a", "2013-01-26", "2013-01-28", archive).lock, path)
    path.write_text(damage(path.read_text()))
    with pytest.raises(FileError, match=r"lock\.tsv: expected a lock"):
        read_lock(path)
    with pytest.raises(FileError, match="found no file"):
        read_lock(tmp_path / "none.tsv")


def test_a_lock_holds_a_later_run_to_the_same_files(archive: Path) -> None:
    first = fetch(PAP, "a", "2013-01-26", "2013-01-29", archive)
    put(archive, f"{FOLDER}/{pap_name('20130126', '2.0.0-00')}")
    second = fetch(PAP, "a", "2013-01-26", "2013-01-31", archive, lock=first.lock)
    assert second.files == first.files
    pd.testing.assert_frame_equal(second.lock, first.lock)
    assert list(second.missing) == [pd.Timestamp("2013-01-29"), pd.Timestamp("2013-01-30")]
    assert fetch(PAP, "a", "2013-01-26", "2013-01-27", archive).files != first.files[:1]


def test_every_file_that_differs_from_the_lock_is_named(archive: Path) -> None:
    got = fetch(PAP, "a", "2013-01-26", "2013-02-01", archive)
    same_size, longer, gone, *_ = got.files
    same_size.write_bytes(MAGIC + bytes(3000 - len(MAGIC)))
    longer.write_bytes(longer.read_bytes() + b"x")
    gone.unlink()
    with pytest.raises(ArchiveError, match="3 of 5 files could not be used") as caught:
        fetch(PAP, "a", "2013-01-26", "2013-02-01", archive, lock=got.lock)
    lines = str(caught.value).splitlines()
    assert any(same_size.name in line and "same size, other sha256" in line for line in lines)
    assert any(longer.name in line and "3001 bytes, the lock has 3000" in line for line in lines)
    assert any(gone.name in line and "is not there" in line for line in lines)


@pytest.mark.parametrize("path", ["/etc/hostname", "../secret.cdf", "rbsp/../../secret.cdf", "rbsp//x.cdf", "C:\\x.cdf", ""])
def test_a_lock_cannot_name_a_file_outside_of_the_archive(archive: Path, path: str) -> None:
    lock = fetch(PAP, "a", "2013-01-26", "2013-01-27", archive).lock.assign(path=path)
    with pytest.raises(InputError, match="not below the root"):
        fetch(PAP, "a", "2013-01-26", "2013-01-27", archive, lock=lock)


# --- all that has changed -------------------------------------------------------------------------------------------------


def test_every_remote_file_that_differs_is_named_and_what_to_do(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BACKOFF", (0.01, 0.01, 0.01))
    for day in range(1, 26):
        put(archive, f"{FOLDER}/{pap_name(f'201301{day:02d}')}")
    lock = fetch(PAP, "a", "2013-01-01", "2013-02-01", archive).lock
    changed = [archive / path for path in lock["path"][:12]]
    for file in changed[:10]:
        file.write_bytes(MAGIC + bytes(3000 - len(MAGIC)))
    for file in changed[10:]:
        file.unlink()
    with serving(archive) as server:
        with pytest.raises(ArchiveError, match="12 of 30 files could not be used:") as caught:
            fetch(PAP, "a", "2013-01-01", "2013-02-01", server.url, cache=tmp_path / "cache", lock=lock)
        # What is damaged in the cache is loaded again, if the archive still has the bytes of the lock.
        local = tmp_path / "cache" / lock["path"][20]
        local.write_bytes(MAGIC + bytes(3000 - len(MAGIC)))
        got = fetch(PAP, "a", "2013-01-13", "2013-02-01", server.url, cache=tmp_path / "cache", lock=lock)
    assert local.read_bytes() == (archive / lock["path"][20]).read_bytes()
    assert len(got.files) == 18
    text = str(caught.value)
    assert all(file.name in text for file in changed)
    assert text.count("has changed since the lock was made") == 10
    assert "restore them, name another place that has them with `archive`, or fetch without the lock" in text


def test_a_lock_is_filled_from_whatever_place_has_its_bytes(archive: Path, tmp_path: Path) -> None:
    lock = fetch(PAP, "a", *SPAN, archive).lock
    changed = make_archive(tmp_path / "changed")
    for path in lock["path"]:
        (changed / path).write_bytes(MAGIC + b"newer")
    with serving(changed) as one, serving(archive) as two:
        got = fetch(PAP, "a", *SPAN, [changed, one.url, two.url], cache=tmp_path / "cache", lock=lock)
    assert list(got.lock["sha256"]) == list(lock["sha256"])
    assert all(url.startswith(two.url) for url in got.lock["url"])


def test_a_lock_of_another_product_is_refused(archive: Path) -> None:
    lock = fetch(PAP, "a", *SPAN, archive).lock
    with pytest.raises(InputError, match="no file of rbspice-pap-tofxeh, probe b, only of rbspice-pap-tofxeh a; give the lock"):
        fetch(PAP, "b", *SPAN, archive, lock=lock)
    assert len(fetch(PAP, "b", *SPAN, archive, lock=lock[:0]).missing) == 6, "a lock of a month without files has none"


# --- a whole lock ---------------------------------------------------------------------------------------------------------


def test_a_whole_lock_is_fetched_but_for_files_of_ones_own(archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(archive, "omni/low_res_omni/omni2_2013.dat")
    (tmp_path / "storms.csv").write_text("onset\n")
    parts = [fetch(PAP, "a", *SPAN, archive).lock, fetch("omni2-yearly", None, *SPAN, archive).lock, lock_files([tmp_path / "storms.csv"])]
    lock = join_locks(parts)
    got = fetch_locked(lock, archive)
    assert len(got.files) == 6
    assert "omni2_2013.dat" in names(got.files)
    assert "1 files of the user's own, which are not fetched: storms.csv" in caplog.text
    assert len(plan_locked(lock, archive).files) == 6


def test_two_files_of_ones_own_on_one_day_are_no_damage(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(name)
    write_lock(lock_files([tmp_path / "a.csv", tmp_path / "b.csv"]), tmp_path / "lock.tsv")
    assert list(read_lock(tmp_path / "lock.tsv")["path"]) == ["a.csv", "b.csv"]


def test_a_run_is_held_against_an_earlier_lock(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "storms.csv").write_text("onset\n")
    lock = join_locks([fetch(PAP, "a", *SPAN, archive).lock, lock_files([tmp_path / "storms.csv"])])
    check_same_bytes(lock[2:], lock)
    (tmp_path / "storms.csv").write_text("another table\n")
    with pytest.raises(InputError, match=r"1 of 1 input files are not those of the lock: storms\.csv"):
        check_same_bytes(lock_files([tmp_path / "storms.csv"]), lock)


def test_a_lock_of_simulated_files_says_so_in_its_first_line(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "lock.tsv"
    real = fetch(PAP, "a", *SPAN, archive).lock
    (archive / "truth.nc").touch()
    simulated = fetch(PAP, "a", *SPAN, archive).lock
    write_lock(simulated, path)
    assert path.read_text().startswith("# SIMULATED data")
    again = read_lock(path)
    assert again.attrs == {"simulated": "yes"}
    pd.testing.assert_frame_equal(again, real)
    assert join_locks([real, again]).attrs == {"simulated": "yes"}
    write_lock(real, path)
    assert path.read_text().startswith("product\t")
    assert read_lock(path).attrs == {}
    path.write_text("# a remark of one's own\n" + path.read_text())
    with pytest.raises(FileError, match="expected a lock"):
        read_lock(path)


# --- no way out -----------------------------------------------------------------------------------------------------------

parts = st.sampled_from(["..", ".", "", "a", "x.cdf", "..\\x", "C:\\x", "\0", "~", "%2e%2e", "a b", "rbsp?x", "#", "é"])


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(parts, min_size=1, max_size=5).map("/".join))
def test_a_path_is_below_its_root_or_refused(path: str) -> None:
    root, place = Path("/cache"), "http://host/pub/"
    if {"..", ".", ""} & set(path.split("/")) or set("\\\0") & set(path):
        for refuse in (lambda: local_path(root, path), lambda: file_url(place, path), lambda: file_url(root, path)):
            with pytest.raises(InputError, match="not below the root"):
                refuse()
        return
    local, url = local_path(root, path), file_url(place, path)
    assert local.parts[:2] == ("/", "cache")
    assert ".." not in local.parts
    assert url.startswith(place)
    rest = url.removeprefix(place)
    assert not set("?#\\") & set(rest)
    assert ".." not in rest.split("/")


@pytest.mark.parametrize("path", ["/etc/hostname", "../secret.cdf", "rbsp/../../secret.cdf", "rbsp//x.cdf", "C:\\x.cdf", "rbsp/..\\x.cdf"])
def test_a_lock_leads_neither_out_of_the_cache_nor_of_the_server(archive: Path, tmp_path: Path, path: str) -> None:
    secret = put(tmp_path, "secret.cdf")
    lock = fetch(PAP, "a", "2013-01-26", "2013-01-27", archive).lock.assign(path=path)
    with serving(archive) as server:
        for places in (server.url, [archive, server.url], archive):
            with pytest.raises(InputError, match="not below the root"):
                fetch_locked(lock, places, cache=tmp_path / "cache")
            with pytest.raises(InputError, match="not below the root"):
                fetch_locked(lock, places, cache=tmp_path / "cache", offline=True)
        assert server.requests.total() == 0
    assert secret.stat().st_size == 3000
    assert not (tmp_path / "cache").exists()
