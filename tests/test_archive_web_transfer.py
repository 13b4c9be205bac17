"""Loading one file from a server that lies: the right bytes or a clear error, resumed only where that is safe."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import urllib3
from archive_server import MAGIC, ArchiveServer, cdf_bytes, put, serving

from ringdecay.archive import answers, asking, connections, partial, transfer, web
from ringdecay.errors import ArchiveError

SIZE = 300_000
PATH = "/data/x.cdf"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveServer]:
    monkeypatch.setattr(web, "BACKOFF", (0.01, 0.01, 0.01))
    monkeypatch.setattr(partial, "CHECKPOINT", 1 << 16)
    monkeypatch.setenv("RINGDECAY_CACHE", str(tmp_path / "locks"))
    put(tmp_path / "archive", PATH.lstrip("/"), size=SIZE)
    with serving(tmp_path / "archive") as running:
        yield running


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "x.cdf"


def load(server: ArchiveServer, target: Path, path: str = PATH, **more: object) -> tuple[int, str]:
    arguments: dict[str, object] = {"file_format": "cdf", "sizes": None, "sha256": None, **more}
    with web.open_session() as session:
        return web.download(session, server.url + path, target, **arguments)


def source(server: ArchiveServer) -> Path:
    return server.root / PATH.lstrip("/")


def held(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()} if target.parent.exists() else set()


def assert_right(server: ArchiveServer, target: Path) -> None:
    assert target.read_bytes() == source(server).read_bytes()
    assert held(target) == {target.name}, "nothing hidden is left"


def assert_fails_then_heals(server: ArchiveServer, target: Path, sentence: str, kind: type[ArchiveError] = ArchiveError) -> None:
    """A clear error, no visible file; without the fault, the next call has the right one."""
    with pytest.raises(ArchiveError, match=sentence) as caught:
        load(server, target)
    assert type(caught.value) is kind or kind is ArchiveError
    assert server.url in str(caught.value)
    assert held(target) <= {f".{target.name}.part", f".{target.name}.part.journal"}
    server.faults.clear()
    load(server, target)
    assert_right(server, target)


# --- statuses and waits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_that_passes_is_asked_again(server: ArchiveServer, target: Path, status: int) -> None:
    server.faults = {PATH: f"{status}x3"}
    assert load(server, target) == (SIZE, hashlib.sha256(source(server).read_bytes()).hexdigest())
    assert_right(server, target)
    assert server.requests["GET", PATH] == 4


@pytest.mark.parametrize(
    ("status", "kind", "attempts"),
    [
        (400, ArchiveError, 1), (401, ArchiveError, 1), (403, ArchiveError, 1), (404, web.NotThereError, 1), (410, web.NotThereError, 1),
        (206, ArchiveError, 1), (416, ArchiveError, 1), (501, ArchiveError, 1), (500, ArchiveError, 4), (429, web.UnreachableError, 4),
        (503, web.UnreachableError, 4),
    ],
)  # fmt: skip
def test_a_status_that_stays_is_an_error_of_its_kind(
    server: ArchiveServer, target: Path, status: int, kind: type[ArchiveError], attempts: int
) -> None:
    server.faults = {PATH: f"{status}x9"}
    assert_fails_then_heals(server, target, rf"status {status}", kind)
    assert server.requests["GET", PATH] == attempts + 1


@pytest.mark.parametrize(("said", "least"), [("1", 1.0), ("+2", 1.0), ("soon", 0.0), ("-5", 0.0), ("+-60", 0.0)])
def test_the_server_is_left_alone_for_as_long_as_it_asks(server: ArchiveServer, target: Path, said: str, least: float) -> None:
    server.faults = {PATH: f"503x1:{said}"}
    begin = time.monotonic()
    load(server, target)
    assert least <= time.monotonic() - begin < least + 1.9
    assert_right(server, target)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_date_to_wait_for_is_by_the_servers_clock(
    server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    # Not time.time itself, which the server looks at too.
    monkeypatch.setattr(answers, "time", SimpleNamespace(time=lambda: time.time() + hours * 3600))
    server.faults = {PATH: "503x1:+2"}
    begin = time.monotonic()
    load(server, target)
    assert 1.0 <= time.monotonic() - begin < 2.9


@pytest.mark.parametrize("said", ["3600", "+3600", "9" * 400])
def test_a_longer_wait_than_the_limit_is_said_at_once(server: ArchiveServer, target: Path, said: str) -> None:
    server.faults = {PATH: f"503x9:{said}"}
    begin = time.monotonic()
    assert_fails_then_heals(server, target, r"asks to wait (3600|3599|9{12}) s\); 300 s are left", web.UnreachableError)
    assert time.monotonic() - begin < 5.0
    assert server.requests["GET", PATH] == 2


def test_waits_grow_and_differ(server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BACKOFF", (1.0, 4.0, 15.0))
    waits: list[float] = []
    monkeypatch.setattr(connections.Session, "wait", lambda _, seconds: waits.append(seconds))
    for _ in range(20):
        server.faults = {PATH: "500x3"}
        load(server, target)
    for position, wait in enumerate((1.0, 4.0, 15.0)):
        drawn = waits[position::3]
        assert wait <= min(drawn) < max(drawn) <= 1.5 * wait
        assert max(drawn) - min(drawn) > 0.2 * wait, "twenty draws spread over the half"


def test_a_host_that_is_not_there_is_unreachable(server: ArchiveServer, target: Path) -> None:
    server.httpd.server_close()
    server.httpd.shutdown()
    with web.open_session() as session:
        for call in (web.list_index, web.remote_state):
            with pytest.raises(web.UnreachableError, match=f"{server.url}.* in 4 attempts"):
                call(session, server.url + PATH)
        with pytest.raises(web.UnreachableError, match=f"{server.url}.* in 4 attempts"):
            load(server, target)
    assert held(target) == set()


# --- time -----------------------------------------------------------------------------------------------------------------


def test_a_slow_drip_has_an_end_and_is_gone_on_with(server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.5)
    monkeypatch.setattr(web, "SLOWEST", 1e6)
    server.faults = {PATH: "drip:0.05"}
    begin = time.monotonic()
    with pytest.raises(ArchiveError, match=r"comes too slowly: \d+ bytes in [01] s"):
        load(server, target)
    assert time.monotonic() - begin < 2.0
    monkeypatch.setattr(web, "PATIENCE", 5.0)
    server.faults = {PATH: ""}
    load(server, target)
    assert_right(server, target)
    assert len(server.ranges) == 1


def test_a_file_may_take_the_longer_the_more_of_it_comes(server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.3)
    monkeypatch.setattr(web, "SLOWEST", 1e5)
    server.piece = 20_000
    server.faults = {PATH: "drip:0.1"}  # 200 kB/s for 1.5 s
    load(server, target)
    assert_right(server, target)


def test_a_head_that_drips_has_an_end(server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    server.faults = {PATH: "headers:0.02"}
    begin = time.monotonic()
    assert_fails_then_heals(server, target, r"in 4 attempts .*timed out|head of the answer", web.UnreachableError)
    assert time.monotonic() - begin < 4.0


def test_silence_is_a_timeout(server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "TIMEOUT", (0.5, 0.1))
    server.faults = {PATH: ["drip:0.5", "drip:0.5", "drip:0.5", "drip:0.5"]}
    assert_fails_then_heals(server, target, r"in 4 attempts .*timed out")


# --- bodies ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["cut", "reset", "cut@0", "reset@1", "cut@299999", "chunked-cut", "cut@100000", "reset@200000"])
def test_a_broken_body_is_loaded_again(server: ArchiveServer, target: Path, fault: str) -> None:
    server.faults = {PATH: [fault, fault, fault]}
    load(server, target)
    assert_right(server, target)


@pytest.mark.parametrize("fault", ["nolength", "chunked", "gzip", "gzip!"])
def test_bodies_of_every_shape_are_the_file(server: ArchiveServer, target: Path, fault: str) -> None:
    server.faults = {PATH: fault}
    load(server, target)
    assert_right(server, target)
    assert server.requests["GET", PATH] == 1


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("nolength-cut", "cut short in the archive: its header says 300000 bytes, 150000 came"),
        ("short", "cut short in the archive: its header says 300000 bytes, 150000 came"),
        ("long", r"in 4 attempts \(.*300000 bytes"),
        ("chunked-cut", "in 4 attempts"),
        ("gzip-cut", "in 4 attempts .*compressed body breaks off"),
        ("br", r"comes compressed \(br\)"),
        ("html", "answered with a web page"),
        ("html!", "answered with a web page"),
        ("type:text/html; charset=UTF-8", "answered with a web page"),
        ("type:image/png", "answered with image/png where a cdf file"),
        ("type:application/json", "answered with application/json"),
        ("bytes:nonsense", "is not a CDF file: it begins with 6e 6f"),
        ("bytes:", "is not a CDF file: it begins with nothing"),
        ("nolength-cut@0", r"in 4 attempts \(nothing came\)"),
        ("redirect:/data/y.cdf", "redirects to /data/y.cdf, which is not followed"),
        ("redirect://example.org/x.cdf", "redirects to //example.org/x.cdf"),
    ],
)
def test_what_is_not_the_file_is_refused(server: ArchiveServer, target: Path, fault: str, sentence: str) -> None:
    server.faults = {PATH: fault}
    assert_fails_then_heals(server, target, sentence)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/octet-stream", "application/x-cdf", "application/x-netcdf", "?"])
def test_a_type_that_may_be_data_is_left_to_the_bytes(server: ArchiveServer, target: Path, content_type: str) -> None:
    server.faults = {PATH: f"type:{content_type}"}
    load(server, target)
    assert_right(server, target)


def test_a_body_that_does_not_end_does_not_fill_the_disk(server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "LARGEST_UNANNOUNCED", 1_000_000)
    server.faults = {PATH: "endless"}
    assert_fails_then_heals(server, target, "does not end: more than 1000000 bytes came")
    server.faults = {PATH: "endless"}
    with pytest.raises(ArchiveError, match="does not end: more than 400000 bytes"):
        load(server, target, sizes=(200_000, 400_000))
    assert_right(server, target)
    assert source(server).stat().st_size == SIZE, "the old file is still there"


def test_a_small_body_that_unpacks_to_much_is_stopped(server: ArchiveServer, target: Path) -> None:
    source(server).write_bytes(cdf_bytes(1000, 1) + bytes(50_000_000))
    server.faults = {PATH: "gzip!"}
    with pytest.raises(ArchiveError, match="does not end: more than 2000 bytes came"):
        load(server, target, sizes=(1000, 2000))
    assert server.sent < 100_000
    assert held(target) == set()


def test_a_page_of_two_compressed_members_is_both() -> None:
    first, second = os.urandom(1000) + bytes(5_000_000), b"and the end"
    raw = urllib3.HTTPResponse(io.BytesIO(gzip.compress(first) + gzip.compress(second)), preload_content=False)
    response = requests.Response()
    response.raw, response.headers = raw, requests.structures.CaseInsensitiveDict({"Content-Encoding": "gzip"})
    assert b"".join(answers.body(response)) == first + second


# --- listings -------------------------------------------------------------------------------------------------------------


def test_a_listing_that_does_not_end_is_refused(server: ArchiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LARGEST_LISTING", 1_000_000)
    server.faults = {"/data/": "endless"}
    with web.open_session() as session, pytest.raises(ArchiveError, match="a page of more than 1000000 bytes"):
        web.list_index(session, server.url + "/data/")


@pytest.mark.parametrize("fault", ["drip:0.05", "headers:0.02"])
def test_a_listing_that_drips_has_an_end(server: ArchiveServer, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.3)
    monkeypatch.setattr(web, "SLOWEST", 1e6)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    server.faults = {"/data/": fault}
    begin = time.monotonic()
    with web.open_session() as session, pytest.raises(ArchiveError, match=r"comes too slowly|could not be loaded in"):
        web.list_index(session, server.url + "/data/")
    assert time.monotonic() - begin < 2.0


@pytest.mark.parametrize("fault", ["cut", "reset", "chunked-cut", "500", "chunked", "nolength", "nolength-cut", "nolength-cut@900", ""])
def test_a_listing_comes_whole(server: ArchiveServer, fault: str) -> None:
    for day in range(9):
        put(server.root, f"data/{day}.cdf", size=1000)
    server.faults = {"/data/": [fault, fault]}
    with web.open_session() as session:
        listed = web.list_index(session, server.url + "/data/") or []
        assert [one.name for one in listed] == [*(f"{day}.cdf" for day in range(9)), "x.cdf"]
        assert web.list_index(session, server.url + "/none/") is None


def test_the_wait_for_a_connection_is_not_the_servers(server: ArchiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.3)
    server.delay = 0.2
    with web.open_session() as session, ThreadPoolExecutor(20) as pool:
        listings = pool.map(lambda _: web.list_index(session, server.url + "/data/"), range(20))
        assert [len(listed or []) for listed in listings] == [1] * 20


def test_the_state_of_a_file(server: ArchiveServer) -> None:
    os.utime(source(server), (1.5e9, 1.5e9))
    with web.open_session() as session:
        assert web.remote_state(session, server.url + PATH) == (SIZE, 1.5e9)
        server.faults = {PATH: "405x1"}
        assert web.remote_state(session, server.url + PATH) == (None, None), "a server that does not answer HEAD"
        with pytest.raises(web.NotThereError):
            web.remote_state(session, server.url + "/data/none.cdf")


def test_a_text_file_is_no_cdf_and_the_other_way_round(server: ArchiveServer, target: Path) -> None:
    source(server).with_name("x.dat").write_text("2013 1 0 2448\n")
    assert load(server, target.with_name("x.dat"), "/data/x.dat", file_format="text")[0] == 14
    with pytest.raises(ArchiveError, match="is not a CDF file"):
        load(server, target, "/data/x.dat")
    source(server).write_bytes(MAGIC + bytes(100))
    load(server, target)
