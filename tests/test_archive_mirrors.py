"""Several places of one archive, files that go between listing and loading, and no network at all."""

from __future__ import annotations

import logging
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from archive_server import FOLDER, MAGIC, PAP, ArchiveServer, make_archive, names, pap_name, put, serving

from ringdecay.archive import fetch, plan, web
from ringdecay.errors import ArchiveError, InputError

DAYS = ("2013-01-26", "2013-01-29")
PATHS = [f"/{FOLDER}/{pap_name('20130126')}", f"/{FOLDER}/{pap_name('20130127', '1.2.12-00')}", f"/{FOLDER}/{pap_name('20130128')}"]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BACKOFF", (0.01, 0.01, 0.01))


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[ArchiveServer, ArchiveServer]]:
    make_archive(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    with serving(tmp_path / "one") as one, serving(tmp_path / "two") as two:
        yield one, two


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def places_of(lock: pd.DataFrame, server: ArchiveServer) -> list[bool]:
    return [url.startswith(server.url + "/") for url in lock["url"]]


# --- mirrors --------------------------------------------------------------------------------------------------------------


def test_the_first_place_is_enough(servers: tuple[ArchiveServer, ArchiveServer], cache: Path) -> None:
    one, two = servers
    got = fetch(PAP, "a", *DAYS, [one.url, two.url], cache=cache)
    assert len(got.files) == 3
    assert all(places_of(got.lock, one))
    assert two.requests.total() == 0


@pytest.mark.parametrize("fault", ["500x99", "html"])
def test_a_place_that_cannot_be_listed_is_passed_over(
    servers: tuple[ArchiveServer, ArchiveServer], cache: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    one, two = servers
    one.faults = {f"/{FOLDER}/": fault}
    got = fetch(PAP, "a", *DAYS, [one.url, two.url], cache=cache)
    assert all(places_of(got.lock, two))
    assert f"passed over: {one.url}/{FOLDER}/" in caplog.text


@pytest.mark.parametrize("fault", ["404", "500x99", "html", "cut"])
def test_a_file_that_one_place_does_not_give_comes_from_the_next(
    servers: tuple[ArchiveServer, ArchiveServer], cache: Path, fault: str
) -> None:
    one, two = servers
    one.faults = {PATHS[1]: fault}
    got = fetch(PAP, "a", *DAYS, [one.url, two.url], cache=cache)
    assert [file.read_bytes() for file in got.files] == [(two.root / path[1:]).read_bytes() for path in PATHS]
    assert places_of(got.lock, two) == [False, True, False], "the lock says where each file really came from"
    assert two.count("GET") == 1, "the other place is not even listed"


def test_a_file_that_no_place_gives_is_told_with_every_reason(servers: tuple[ArchiveServer, ArchiveServer], cache: Path) -> None:
    one, two = servers
    one.faults, two.faults = {PATHS[1]: "html"}, {PATHS[1]: "404"}
    with pytest.raises(ArchiveError, match="1 of 3 files could not be used") as caught:
        fetch(PAP, "a", *DAYS, [one.url, two.url], cache=cache)
    assert "web page" in str(caught.value)
    assert f"{two.url}{PATHS[1]}: the server answered with status 404" in str(caught.value)
    two.faults.clear()
    assert len(fetch(PAP, "a", *DAYS, [one.url, two.url], cache=cache).files) == 3


def test_a_copy_of_another_size_does_not_stand_in(servers: tuple[ArchiveServer, ArchiveServer], cache: Path, tmp_path: Path) -> None:
    one, _ = servers
    one.faults = {PATHS[1]: "html"}
    own = put(tmp_path / "own", PATHS[1][1:], size=1000)
    with pytest.raises(ArchiveError, match=r"web page.*has 1000 bytes, but the listing says about 3"):
        fetch(PAP, "a", *DAYS, [one.url, tmp_path / "own"], cache=cache)
    own.write_bytes((one.root / PATHS[1][1:]).read_bytes())
    assert fetch(PAP, "a", *DAYS, [one.url, tmp_path / "own"], cache=cache).files[1] == own


def test_the_place_that_lists_a_day_decides_its_version(servers: tuple[ArchiveServer, ArchiveServer], cache: Path) -> None:
    one, two = servers
    put(two.root, f"{FOLDER}/{pap_name('20130126', '9.0.0-00')}")
    assert names(fetch(PAP, "a", *DAYS, [one.url, two.url], cache=cache).files)[0] == pap_name("20130126")
    assert names(fetch(PAP, "a", *DAYS, [two.url, one.url], cache=cache).files)[0] == pap_name("20130126", "9.0.0-00")


def test_a_folder_of_ones_own_stands_before_a_server_with_the_rest(
    servers: tuple[ArchiveServer, ArchiveServer], cache: Path, tmp_path: Path
) -> None:
    one, _ = servers
    own = put(tmp_path / "own", PATHS[0][1:])
    got = fetch(PAP, "a", *DAYS, [tmp_path / "own", one.url], cache=cache)
    assert got.files[0] == own
    assert places_of(got.lock, one) == [False, True, True]
    assert got.lock["url"][0] == own.as_uri()
    assert len(got.missing) == 0


def test_a_server_before_a_folder_uses_what_the_folder_has(
    servers: tuple[ArchiveServer, ArchiveServer], cache: Path, tmp_path: Path
) -> None:
    one, _ = servers
    own = put(tmp_path / "own", PATHS[0][1:])
    got = fetch(PAP, "a", *DAYS, [one.url, tmp_path / "own"], cache=cache)
    assert got.files[0] == own
    assert one.count("GET", ".cdf") == 2
    own.write_bytes(own.read_bytes()[:1000])
    assert fetch(PAP, "a", *DAYS, [one.url, tmp_path / "own"], cache=cache).files[0] == cache / PATHS[0][1:]


def test_days_are_not_missing_because_a_server_is_down(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=f"{NOWHERE}.*can be used with offline"):
        fetch(PAP, "a", *DAYS, NOWHERE, cache=cache)
    put(tmp_path / "own", f"rbsp/rbspa/l3/rbspice/pap_tofxeh/2014/{pap_name('20140101')}")
    with pytest.raises(ArchiveError, match=NOWHERE):
        fetch(PAP, "a", *DAYS, [tmp_path / "own", NOWHERE], cache=cache)


def test_a_folder_that_is_not_mounted_is_warned_of(
    servers: tuple[ArchiveServer, ArchiveServer], cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(fetch(PAP, "a", *DAYS, [tmp_path / "gone", servers[0].url], cache=cache).files) == 3
    assert f"{tmp_path / 'gone'} does not exist" in caplog.text
    with pytest.raises(ArchiveError, match=r"gone and .*away do not exist; create it"):
        fetch(PAP, "a", *DAYS, [tmp_path / "gone", tmp_path / "away"], cache=cache)
    with pytest.raises(InputError, match="empty list"):
        fetch(PAP, "a", *DAYS, [], cache=cache)


def test_a_place_that_dies_half_way_is_not_asked_for_every_file(servers: tuple[ArchiveServer, ArchiveServer], cache: Path) -> None:
    one, two = servers
    for server in servers:
        for day in range(1, 26):
            put(server.root, f"{FOLDER}/{pap_name(f'201301{day:02d}')}")
    one.faults = {f"/{FOLDER}/{file.name}": "500x9999" for file in (one.root / FOLDER).iterdir()}
    got = fetch(PAP, "a", "2013-01-01", "2013-01-29", [one.url, two.url], cache=cache)
    assert len(got.files) == 28
    assert all(places_of(got.lock, two))
    # Five failures, those of three other threads on their way, four attempts each.
    assert one.count("GET", ".cdf") <= (5 + 3) * 4


# --- gone since it was listed ---------------------------------------------------------------------------------------------


def test_a_file_that_was_replaced_since_the_listing_is_looked_for_once_more(
    servers: tuple[ArchiveServer, ArchiveServer], cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, _ = servers
    real, listed = web.list_index, []

    def list_index(session: object, url: str) -> object:
        found = real(session, url)
        if not listed:  # after the listing, all three days get a new version
            for path, version in zip(PATHS, ("1.2.5-00", "1.2.13-00", "2.0.0-00"), strict=True):
                date = path.partition("tofxeh_201301")[2][:2]
                (one.root / path[1:]).rename(one.root / FOLDER / pap_name(f"201301{date}", version))
        listed.append(url)
        return found

    monkeypatch.setattr(web, "list_index", list_index)
    got = fetch(PAP, "a", *DAYS, one.url, cache=cache)
    assert list(got.lock["version"]) == ["1.2.5-00", "1.2.13-00", "2.0.0-00"]
    assert listed == [f"{one.url}/{FOLDER}/"] * 2, "once more for all files of the directory"
    assert "is not there any more; took" in caplog.text


def test_a_file_that_is_gone_for_good_is_told(
    servers: tuple[ArchiveServer, ArchiveServer], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = servers
    real = web.list_index

    def list_index(session: object, url: str) -> object:
        found = real(session, url)
        (one.root / PATHS[0][1:]).unlink(missing_ok=True)
        one.faults = {f"/{FOLDER}/": "html"}  # nor can it be listed again
        return found

    monkeypatch.setattr(web, "list_index", list_index)
    with pytest.raises(ArchiveError, match=rf"1 of 3 files could not be used:\n{one.url}{PATHS[0]}: the server answered with status 404"):
        fetch(PAP, "a", *DAYS, one.url, cache=cache)


def test_a_listing_that_lacks_a_file_of_the_lock_does_no_harm(servers: tuple[ArchiveServer, ArchiveServer], cache: Path) -> None:
    one, _ = servers
    lock = fetch(PAP, "a", *DAYS, one.root).lock
    one.faults = {f"/{FOLDER}/": "page:<h1>Index of</h1>"}
    got = fetch(PAP, "a", *DAYS, one.url, cache=cache, lock=lock)
    assert list(got.lock["sha256"]) == list(lock["sha256"])
    assert one.count("GET", "/") == 0


# --- offline --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_offline_uses_the_newest_of_what_is_here_and_names_the_rest(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(cache, f"{FOLDER}/{pap_name('20130126', '1.1.9-00')}")
    newest = put(cache, f"{FOLDER}/{pap_name('20130126', '1.1.12-00')}")
    put(cache, f"{FOLDER}/.{pap_name('20130127')}.partial")
    got = fetch(PAP, "a", *DAYS, NOWHERE, cache=cache, offline=True)
    assert got.files == [newest]
    assert list(got.lock["url"]) == [newest.as_uri()]
    assert [f"{date:%d}" for date in got.missing] == ["27", "28"]
    assert got.superseded == (pap_name("20130126", "1.1.9-00"),)
    assert "no file for 2 of 3 days: 2013-01-27, 2013-01-28; offline is on" in caplog.text


@pytest.mark.usefixtures("no_network")
def test_offline_takes_folders_too_and_names_without_a_version(cache: Path, tmp_path: Path) -> None:
    own = put(tmp_path / "own", f"{FOLDER}/{pap_name('20130127')}")
    kept = put(cache, f"{FOLDER}/{pap_name('20130126')}")
    assert fetch(PAP, "a", *DAYS, [NOWHERE, tmp_path / "own"], cache=cache, offline=True).files == [kept, own]
    index = put(cache, "omni/low_res_omni/omni2_2013.dat")
    assert fetch("omni2-yearly", None, "2013-01-01", "2013-02-01", NOWHERE, cache=cache, offline=True).files == [index]
    assert len(fetch(PAP, "b", *DAYS, NOWHERE, cache=tmp_path / "empty", offline=True).missing) == 3


@pytest.mark.usefixtures("no_network")
def test_offline_with_a_lock_lists_what_is_missing(cache: Path, tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive")
    lock = fetch(PAP, "a", *DAYS, archive).lock
    shutil.copytree(archive, cache)
    assert len(fetch(PAP, "a", *DAYS, NOWHERE, cache=cache, offline=True, lock=lock).files) == 3
    (cache / PATHS[0][1:]).unlink()
    (cache / PATHS[2][1:]).write_bytes(MAGIC + b"x")
    with pytest.raises(ArchiveError, match="2 of 3 files could not be used") as caught:
        fetch(PAP, "a", *DAYS, NOWHERE, cache=cache, offline=True, lock=lock)
    text = str(caught.value)
    assert f"{PATHS[0][1:]} is not there" in text
    assert "9 bytes, the lock has 3000" in text
    assert "offline is on" in text
    assert "name another place that has them" in text


def test_offline_after_online_is_the_same(servers: tuple[ArchiveServer, ArchiveServer], cache: Path) -> None:
    one, _ = servers
    online = fetch(PAP, "a", *DAYS, one.url, cache=cache)
    before = one.requests.total()
    offline = fetch(PAP, "a", *DAYS, one.url, cache=cache, offline=True)
    assert one.requests.total() == before
    pd.testing.assert_frame_equal(offline.lock.drop(columns="url"), online.lock.drop(columns="url"))


def test_two_names_with_an_equal_version_are_in_the_result(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    archive = make_archive(tmp_path / "archive")
    other = "rbsp-a-rbspice_lev-3_pap_tofxeh_20130126_v1.2.4-03.cdf"
    put(archive, f"{FOLDER}/{other}")
    assert plan(PAP, "a", *DAYS, archive).undecided == (other,)
    assert fetch(PAP, "a", *DAYS, archive).undecided == (other,)
    assert any(record.levelno == logging.WARNING and other in record.getMessage() for record in caplog.records)
