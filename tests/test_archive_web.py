"""Fetching from a web server, from good ones and from bad: the right file or a clear error, and never half a file."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from archive_server import FOLDER, MAGIC, PAP, ArchiveServer, index_page, make_archive, names, pap_name, put, serving, shown_size

from ringdecay.archive import Fetched, fetch, plan, web
from ringdecay.archive.listing import parse_index
from ringdecay.errors import ArchiveError, InputError

DAYS = ("2013-01-26", "2013-01-31")
PATH = f"/{FOLDER}/{pap_name('20130128')}"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveServer]:
    monkeypatch.setattr(web, "BACKOFF", (0.01, 0.01, 0.01))
    monkeypatch.setenv("RINGDECAY_CACHE", str(tmp_path / "locks"))
    with serving(make_archive(tmp_path / "archive")) as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def get(server: ArchiveServer, cache: Path, **more: object) -> Fetched:
    return fetch(PAP, "a", *DAYS, server.url, cache=cache, **more)


def held(cache: Path) -> list[str]:
    """Every file of the cache, hidden ones too."""
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def visible(cache: Path) -> list[str]:
    return [name for name in held(cache) if not name.startswith(".")]


def assert_healed(server: ArchiveServer, cache: Path) -> None:
    """After the fault has gone, the next call has all files, byte for byte, and nothing else."""
    server.faults.clear()
    got = get(server, cache)
    assert len(got.files) == 4
    for file in got.files:
        assert file.read_bytes() == (server.root / file.relative_to(cache)).read_bytes()
    assert held(cache) == sorted(names(got.files))


@pytest.mark.parametrize("table", [False, True])
def test_files_come_as_from_the_folder_itself(server: ArchiveServer, cache: Path, caplog: pytest.LogCaptureFixture, table: bool) -> None:
    caplog.set_level(logging.INFO, logger="ringdecay.archive")
    server.table = table
    got = get(server, cache)
    local = fetch(PAP, "a", *DAYS, server.root)
    assert [file.relative_to(cache) for file in got.files] == [file.relative_to(server.root) for file in local.files]
    pd.testing.assert_frame_equal(got.lock.drop(columns="url"), local.lock.drop(columns="url"))
    assert list(got.lock["url"]) == [f"{server.url}/{path}" for path in got.lock["path"]]
    assert list(got.missing) == list(local.missing) == [pd.Timestamp("2013-01-29")]
    assert got.superseded == local.superseded
    assert "fetched 4 of 4 files, 0.012 MB" in caplog.text
    assert held(cache) == sorted(names(got.files))


def test_nothing_is_loaded_twice_and_a_folder_is_listed_once(server: ArchiveServer, cache: Path) -> None:
    first = get(server, cache)
    assert server.count("GET", ".cdf") == 4
    assert server.count("GET", "/2013/") == server.count("GET") - 4 == 1
    second = get(server, cache)
    assert server.count("GET", ".cdf") == 4
    pd.testing.assert_frame_equal(second.lock, first.lock)
    before = server.requests.total()
    third = get(server, cache, lock=first.lock)
    assert server.requests.total() == before, "with a lock and all files here, the network is not needed"
    pd.testing.assert_frame_equal(third.lock, first.lock)


def test_an_exact_size_in_the_listing_spares_the_question(server: ArchiveServer, cache: Path) -> None:
    for file in (server.root / FOLDER).glob("*.cdf"):
        put(server.root, f"{FOLDER}/{file.name}", size=900)
    get(server, cache)
    get(server, cache)
    assert server.count("HEAD") == 0
    assert server.count("GET", ".cdf") == 4


def test_a_cached_file_that_was_cut_is_loaded_again(server: ArchiveServer, cache: Path) -> None:
    file = get(server, cache).files[0]
    file.write_bytes(file.read_bytes()[:1000])
    assert_healed(server, cache)
    assert server.count("GET", ".cdf") == 5


def test_a_name_without_a_version_is_loaded_again_when_it_was_replaced(server: ArchiveServer, cache: Path) -> None:
    file = server.root / "omni/low_res_omni/omni2_2013.dat"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"2013   1  0 2448 51 51\n" * 50)
    arguments = ("omni2-yearly", None, "2013-03-01", "2013-04-01", server.url)
    first = fetch(*arguments, cache=cache)
    fetch(*arguments, cache=cache)
    assert server.count("GET", ".dat") == 1
    file.write_bytes(b"2013   1  0 2448 52 52\n" * 50)  # the same length, as a table of fixed width
    os.utime(file, (1.5e9, 1.5e9))
    second = fetch(*arguments, cache=cache)
    assert server.count("GET", ".dat") == 2
    assert second.files[0].read_bytes() == file.read_bytes()
    assert list(second.lock["modified"]) == [pd.Timestamp(1_500_000_000, unit="s")]
    with pytest.raises(ArchiveError, match="has changed since the lock was made"):
        fetch(*arguments, cache=cache, lock=first.lock)


def test_a_plan_loads_nothing_and_knows_the_sizes(server: ArchiveServer, cache: Path) -> None:
    files = plan(PAP, "a", *DAYS, server.url).files
    assert len(files) == 4
    assert all(file.sizes is not None and file.sizes[0] <= 3000 <= file.sizes[1] <= 3300 for file in files)
    assert (server.count("GET", ".cdf"), server.count("HEAD")) == (0, 0)
    assert not cache.exists()


def test_at_most_four_connections(server: ArchiveServer, cache: Path) -> None:
    for day in range(1, 25):
        put(server.root, f"{FOLDER}/{pap_name(f'201301{day:02d}')}")
    server.delay = 0.02
    assert len(fetch(PAP, "a", "2013-01-01", "2013-02-01", server.url, cache=cache).files) == 29
    assert 2 <= server.most_at_once <= 4


# --- faults ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["500x2", "503x3", "429x1"])
def test_errors_that_pass_are_waited_out(server: ArchiveServer, cache: Path, fault: str) -> None:
    server.faults = {PATH: fault, f"/{FOLDER}/": fault}
    assert len(get(server, cache).files) == 4
    assert server.requests["GET", PATH] == int(fault[-1]) + 1
    assert_healed(server, cache)


@pytest.mark.parametrize(
    ("fault", "sentence", "attempts"),
    [
        ("404", "answered with status 404", 1),
        ("500x99", r"could not be loaded in 4 attempts \(the server answered with status 500\)", 4),
        ("html", "answered with a web page where a cdf file was expected", 1),
        ("cut", "could not be loaded in 4 attempts", 4),
        ("nolength-cut", "has 1500 bytes, but the archive's listing says about", 1),
        ("long", "has 4000 bytes, but the archive's listing says about", 1),
        ("short", "has 1500 bytes, but the archive's listing says about", 1),
        ("redirect:http://example.org/x.cdf", "redirects to http://example.org/x.cdf, which is not followed", 1),
    ],
)
def test_a_bad_answer_is_a_clear_error_and_no_file(server: ArchiveServer, cache: Path, fault: str, sentence: str, attempts: int) -> None:
    server.faults = {PATH: fault}
    with pytest.raises(ArchiveError, match=sentence) as caught:
        get(server, cache)
    assert "1 of 4 files could not be used" in str(caught.value)
    assert server.url + PATH in str(caught.value)
    assert server.requests["GET", PATH] == attempts
    assert len(visible(cache)) == 3, "the good files are kept, of the bad one nothing is seen"
    loaded = server.count("GET", ".cdf")
    assert_healed(server, cache)
    assert server.count("GET", ".cdf") == loaded + 1


@pytest.mark.parametrize("fault", ["gzip", "gzip!"])
def test_a_server_that_compresses_changes_no_byte(server: ArchiveServer, cache: Path, fault: str) -> None:
    server.faults = {PATH: fault}
    local = fetch(PAP, "a", *DAYS, server.root).lock
    assert list(get(server, cache).lock["sha256"]) == list(local["sha256"])
    assert list(get(server, cache).lock["sha256"]) == list(local["sha256"])
    assert server.requests["GET", PATH] == 1


@pytest.mark.parametrize("body", [b"", b"\xcd\xf3", b"PK\x03\x04" + bytes(3000), bytes.fromhex("cdf3000112345678") + bytes(3000)])
def test_what_does_not_begin_like_a_cdf_is_refused(server: ArchiveServer, cache: Path, body: bytes) -> None:
    file = server.root / PATH.lstrip("/")
    whole = file.read_bytes()
    file.write_bytes(body)
    with pytest.raises(ArchiveError, match="is not a CDF file: it begins with"):
        get(server, cache)
    assert len(held(cache)) == 3
    file.write_bytes(whole)
    assert_healed(server, cache)


def test_every_real_cdf_begins_like_a_cdf(shared_data: Path, server: ArchiveServer, cache: Path) -> None:
    real = sorted(shared_data.glob("*/*.cdf"))
    assert len(real) >= 4
    assert len({file.read_bytes()[:4] for file in real}) == 2, "versions 2.7 and 3 are both there"
    for day, source in enumerate(real[:9], start=1):
        (server.root / FOLDER / pap_name(f"2013010{day}")).symlink_to(source)
    got = fetch(PAP, "a", "2013-01-01", "2013-01-10", server.url, cache=cache)
    assert [file.read_bytes() for file in got.files] == [file.read_bytes() for file in real[:9]]


def test_an_old_file_stays_until_its_successor_is_whole(server: ArchiveServer, cache: Path) -> None:
    local = cache / PATH.lstrip("/")
    local.parent.mkdir(parents=True)
    local.write_bytes(MAGIC + b"an older state")
    server.faults = {PATH: "cut"}
    with pytest.raises(ArchiveError):
        get(server, cache)
    assert local.read_bytes() == MAGIC + b"an older state"
    assert_healed(server, cache)


def test_after_five_failures_the_rest_is_left(server: ArchiveServer, cache: Path) -> None:
    for day in range(1, 26):
        put(server.root, f"{FOLDER}/{pap_name(f'201301{day:02d}')}")
    server.faults = {f"/{FOLDER}/{file.name}": "404" for file in (server.root / FOLDER).iterdir()}
    server.delay = 0.02
    with pytest.raises(ArchiveError, match=r"5 of 30 files could not be used; 25 more were not waited for"):
        fetch(PAP, "a", "2013-01-01", "2013-02-01", server.url, cache=cache)
    assert server.count("GET", ".cdf") < 15


def test_a_server_that_is_not_there_is_named(cache: Path, server: ArchiveServer) -> None:
    server.httpd.server_close()
    server.httpd.shutdown()
    with pytest.raises(ArchiveError, match=rf"{server.url}/.*could not be loaded in 4 attempts"):
        get(server, cache)


def test_a_locked_file_that_the_archive_replaced_is_not_taken(server: ArchiveServer, cache: Path) -> None:
    first = get(server, cache)
    (cache / PATH.lstrip("/")).unlink()
    original = (server.root / PATH.lstrip("/")).read_bytes()
    (server.root / PATH.lstrip("/")).write_bytes(MAGIC + bytes(len(original) - len(MAGIC)))
    with pytest.raises(ArchiveError, match="has changed since the lock was made: its sha256 is"):
        get(server, cache, lock=first.lock)
    assert len(held(cache)) == 3
    (server.root / PATH.lstrip("/")).write_bytes(original)
    assert get(server, cache, lock=first.lock).files == first.files


def test_a_cache_that_cannot_be_written_is_named(server: ArchiveServer, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(ArchiveError, match=r"could not be written .* name another cache folder"):
        get(server, cache)


# --- listing --------------------------------------------------------------------------------------------------------------


def test_a_year_without_a_folder_is_missing_days(server: ArchiveServer, cache: Path) -> None:
    got = fetch(PAP, "a", "2012-12-30", "2013-01-27", server.url, cache=cache)
    assert names(got.files) == [pap_name("20130126")]
    assert len(got.missing) == 27
    assert len(fetch(PAP, "a", "2014-12-30", "2014-12-31", server.url, cache=cache).missing) == 1


def test_a_wrong_address_is_not_an_empty_archive(server: ArchiveServer, cache: Path) -> None:
    with pytest.raises(ArchiveError, match="has no folder rbsp/rbspa/l3/rbspice/pap_tofxeh"):
        fetch(PAP, "a", *DAYS, server.url + "/pub", cache=cache)
    with pytest.raises(InputError, match="neither a folder nor a plain"):
        fetch(PAP, "a", *DAYS, server.url + "/?C=N", cache=cache)


def test_a_page_that_is_no_listing_is_an_error_not_missing_days(server: ArchiveServer, cache: Path) -> None:
    server.faults = {f"/{FOLDER}/": "html"}
    with pytest.raises(ArchiveError, match="a page that is not a list of files"):
        get(server, cache)
    server.faults = {f"/{FOLDER}/": "redirect:https://example.org/login"}
    with pytest.raises(ArchiveError, match=r"redirects to https://example\.org/login, which is not followed"):
        get(server, cache)
    assert_healed(server, cache)


def test_no_link_leads_out_of_the_folder(server: ArchiveServer, cache: Path) -> None:
    name = pap_name("20130126")
    other = put(server.root, f"elsewhere/{name}")
    hrefs = [
        f"http://example.org/{FOLDER}/{name}", f"//example.org/{FOLDER}/{name}", f"file:///{FOLDER}/{name}", f"../{name}", f"..%2F{name}",
        f"/elsewhere/{name}", f"%2e%2e/{name}", f"sub/{name}", f"sub%5C{name}", f"{name}?x=1", "http://[broken", "javascript:x()", "..",
    ]  # fmt: skip
    good = pap_name("20130127")
    links = "".join(f'<a href="{href}">{name}</a> 2018-05-03 12:24 2.9K\n' for href in hrefs)
    server.faults = {
        f"/{FOLDER}/": f'page:<h1>Index of</h1>{links}<a href="/{FOLDER}/{pap_name("20130128")}">x</a><a href="./{good}">x</a>'
    }
    got = get(server, cache)
    assert names(got.files) == [good, pap_name("20130128")], "an absolute link to the very folder is fine"
    assert held(cache) == sorted(names(got.files))
    assert other.name not in held(cache)


@pytest.mark.parametrize("table", [False, True])
def test_an_apache_index_gives_names_and_sizes(tmp_path: Path, table: bool) -> None:
    sizes = {"a.cdf": 12, "b.cdf": 972, "c.cdf": 973, "d.cdf": 9_500, "e.cdf": 123_456, "f and g%.cdf": 2_200_000}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(bytes(size))
    (tmp_path / "2013").mkdir()
    listed = {entry.name: entry.sizes for entry in parse_index(index_page(tmp_path, "/pub/", table=table).decode(), "http://h/pub/")}
    assert list(listed) == list(sizes), "folders, the parent and the column titles are not files"
    for name, size in sizes.items():
        low, high = listed[name]
        assert low <= size <= high
        assert high - low <= 0.25 * size
        assert (low == high) == (size < 973), "short sizes are exact"


def test_sizes_of_other_servers() -> None:
    nginx = "<h1>Index of /</h1><pre><a href='x.cdf'>x.cdf</a>           03-May-2018 12:24             2200017\n</pre>"
    (entry,) = parse_index(nginx, "http://h/")
    assert entry.sizes == (2200017, 2200017)
    (entry,) = parse_index("<title>Directory listing for /</title><a href='x.cdf'>x.cdf</a>", "http://h/")
    assert entry.sizes is None
    (entry,) = parse_index(nginx, "http://h/a/../b//c/")
    assert entry.name == "x.cdf"
    assert parse_index("<title>Index of /empty</title>", "http://h/empty/") == []


@pytest.mark.parametrize(
    "href",
    ["x.cdf", "./x.cdf", "/pub/x.cdf", "../pub/x.cdf", "//h/pub/x.cdf", "http://h/pub/x.cdf", "HTTP://H:80/pub/x.cdf", "https://h/pub/x.cdf",
     "x%2Ecdf", "/%70ub/x.cdf", "x&#46;cdf", "x.cdf#top", " x.cdf\n"],
)  # fmt: skip
def test_a_link_to_the_folder_itself_in_any_spelling(href: str) -> None:
    (entry,) = parse_index(f'<h1>Index of /pub</h1><A HREF="{href}">x</A> 2018-05-03 12:24  972', "http://h/pub/")
    assert (entry.name, entry.sizes) == ("x.cdf", (972, 972))


@pytest.mark.parametrize(
    "href", ["http://g/pub/x.cdf", "http://h:81/pub/x.cdf", "http://h:x/pub/x.cdf", "/x.cdf", "../x.cdf", "%2e%2e%2fx.cdf"]
)
def test_a_listing_of_files_elsewhere_is_not_a_silent_gap(href: str, caplog: pytest.LogCaptureFixture) -> None:
    assert parse_index(f'<h1>Index of /pub</h1><a href="{href}">x</a>', "http://h/pub/") == []
    assert "leads out of the folder" in caplog.text
    caplog.clear()
    assert parse_index('<h1>Index of /pub</h1><a href="?C=N">N</a> <a href="/">Parent Directory</a>', "http://h/pub/") == []
    assert not caplog.text


def test_a_size_before_a_name_is_not_that_of_the_file_before() -> None:
    line = '<br> 03/05/2018 12:24       {} <A HREF="/pub/{}">{}</A>'
    page = "<H1>Index of</H1>" + line.format(1234, "a.cdf", "a.cdf") + line.format(98765, "b.cdf", "b.cdf") + "<br>"
    assert [(one.name, one.sizes) for one in parse_index(page, "http://h/pub/")] == [("a.cdf", None), ("b.cdf", None)]


@pytest.mark.parametrize("status", [405, 403])
def test_without_an_answer_to_the_question_nothing_is_loaded_twice(server: ArchiveServer, cache: Path, status: int) -> None:
    """A server that lists without sizes and refuses HEAD; a name with a version stays what it is."""
    get(server, cache)
    links = "".join(f'<a href="{path.name}">{path.name}</a>\n' for path in sorted((server.root / FOLDER).iterdir()))
    server.faults = {f"/{FOLDER}/{path.name}": str(status) for path in (server.root / FOLDER).iterdir()}
    server.faults[f"/{FOLDER}/"] = f"page:<h1>Index of</h1>{links}"
    before = server.count("GET", ".cdf")
    assert len(get(server, cache).files) == 4
    assert server.count("GET", ".cdf") == before


def test_shown_sizes_are_apaches() -> None:
    assert [shown_size(n) for n in (12, 972, 1024, 9_500, 123_456, 2_200_000)] == ["12", "972", "1.0K", "9.3K", "121K", "2.1M"]
