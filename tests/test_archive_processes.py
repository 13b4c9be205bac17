"""Two processes on one cache, processes that are killed or stopped, and what is shown while files come."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock
import pytest
from archive_server import FOLDER, PAP, ArchiveServer, make_archive, names, pap_name, put, serving
from conftest import ROOT

from ringdecay.archive import fetch, fetching, plan, preview, web
from ringdecay.errors import ArchiveError
from ringdecay.progress import Advance

MONTH = ("2013-01-01", "2013-02-01")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveServer]:
    monkeypatch.setattr(web, "BACKOFF", (0.01, 0.01, 0.01))
    with serving(make_archive(tmp_path / "archive")) as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def start(server: ArchiveServer, cache: Path) -> subprocess.Popen[str]:
    """Fetch in a process of its own, which prints the names it got."""
    code = f"""
        from ringdecay.archive import fetch
        print(*(file.name for file in fetch({PAP!r}, "a", *{MONTH!r}, {server.url!r}, cache={str(cache)!r}).files))
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=environment, stdout=subprocess.PIPE, text=True)


def wait_for(condition: object, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


# --- two processes --------------------------------------------------------------------------------------------------------


def test_two_processes_load_each_file_once(server: ArchiveServer, cache: Path) -> None:
    for day in range(1, 26):
        put(server.root, f"{FOLDER}/{pap_name(f'201301{day:02d}')}")
    server.delay = 0.1
    processes = [start(server, cache) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == 30
    loads = {path: n for (verb, path), n in server.requests.items() if verb == "GET" and path.endswith(".cdf")}
    assert len(loads) == 30
    assert set(loads.values()) == {1}
    assert server.count("GET", "/2013/") == 2, "they did run side by side"
    for name in outputs[0]:
        assert (cache / FOLDER / name).read_bytes() == (server.root / FOLDER / name).read_bytes()


def test_a_killed_process_keeps_no_lock(server: ArchiveServer, cache: Path) -> None:
    server.delay = 0.5
    process = start(server, cache)
    wait_for(lambda: server.count("GET", ".cdf"))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.delay = 0
    begin = time.monotonic()
    got = fetch(PAP, "a", *MONTH, server.url, cache=cache)
    assert len(got.files) == 5
    assert time.monotonic() - begin < 5


def test_a_file_that_another_process_loads_is_waited_for(server: ArchiveServer, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ringdecay.archive")
    fetch(PAP, "a", *MONTH, server.url, cache=cache)
    local = cache / FOLDER / pap_name("20130126")
    content = local.read_bytes()
    local.unlink()
    before = server.count("GET", ".cdf")
    # Locks of the operating system are those of an open file, so another thread stands for another process.
    with filelock.FileLock(local.with_name(f".{local.name}.part.lock")):
        thread = threading.Thread(target=fetch, args=(PAP, "a", *MONTH, server.url), kwargs={"cache": cache})
        thread.start()
        wait_for(lambda: "another process loads this file" in caplog.text)
        local.write_bytes(content)  # what the other process does
        os.utime(local, ((server.root / FOLDER / local.name).stat().st_mtime,) * 2)
    thread.join(30)
    assert not thread.is_alive()
    assert server.count("GET", ".cdf") == before


def test_ctrl_c_ends_soon_and_leaves_no_half_file(server: ArchiveServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(1, 26):
        put(server.root, f"{FOLDER}/{pap_name(f'201301{day:02d}')}")
    server.delay = 0.02

    def stop_at_fifth(futures: object) -> Iterator[object]:
        for done, future in enumerate(fetching.as_completed.original(futures)):
            if done == 5:
                raise KeyboardInterrupt
            yield future

    stop_at_fifth.original = fetching.as_completed
    monkeypatch.setattr(fetching, "as_completed", stop_at_fifth)
    with pytest.raises(KeyboardInterrupt):
        fetch(PAP, "a", *MONTH, server.url, cache=cache)
    kept = sorted(path for path in cache.rglob("*.cdf") if not path.name.startswith("."))
    assert 5 <= len(kept) < 15
    assert all(path.read_bytes() == (server.root / path.relative_to(cache)).read_bytes() for path in kept)
    monkeypatch.undo()
    before = server.count("GET", ".cdf")
    assert len(fetch(PAP, "a", *MONTH, server.url, cache=cache).files) == 30
    assert server.count("GET", ".cdf") == before + 30 - len(kept)


@contextmanager
def interrupted_when(condition: object) -> Iterator[None]:
    """Ctrl-C a moment after something has happened; the block must end within two seconds of it."""
    pressed: list[float] = []

    def press() -> None:
        wait_for(condition)
        time.sleep(0.2)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
        assert time.monotonic() - pressed[0] < 2
    finally:
        thread.join()
        signal.signal(signal.SIGINT, handler)


@pytest.mark.parametrize("fault", ["503:60", "drip:9", "headers:9", "silent"])
def test_ctrl_c_waits_for_no_server(server: ArchiveServer, cache: Path, fault: str) -> None:
    threads = threading.active_count()
    done = threading.Event()
    for path in (server.root / FOLDER).iterdir():
        server.faults[f"/{FOLDER}/{path.name}"] = [lambda: str(done.wait(30))] if fault == "silent" else fault
    with interrupted_when(lambda: server.count("GET", ".cdf") == 4):
        fetch(PAP, "a", *MONTH, server.url, cache=cache)
    done.set()
    assert not list(cache.rglob("rbsp-*.cdf"))
    server.faults.clear()
    assert len(fetch(PAP, "a", *MONTH, server.url, cache=cache).files) == 5
    wait_for(lambda: threading.active_count() <= threads + 8)  # the server's own, which still send


def test_ctrl_c_waits_for_no_answer_before_the_first_file(server: ArchiveServer, cache: Path) -> None:
    links = "".join(f'<a href="{path.name}">{path.name}</a>\n' for path in sorted((server.root / FOLDER).iterdir()))
    server.faults = {f"/{FOLDER}/{path.name}": "503:60" for path in (server.root / FOLDER).iterdir()}
    server.faults[f"/{FOLDER}/"] = f"page:<h1>Index of</h1>{links}"
    with interrupted_when(lambda: server.count("HEAD") == 4):
        preview(plan(PAP, "a", *MONTH, server.url, cache=cache))


def test_ctrl_c_waits_for_no_other_process(server: ArchiveServer, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ringdecay.archive")
    local = cache / FOLDER / pap_name("20130126")
    local.parent.mkdir(parents=True)
    with filelock.FileLock(local.with_name(f".{local.name}.part.lock")), interrupted_when(lambda: "another process loads" in caplog.text):
        fetch(PAP, "a", *MONTH, server.url, cache=cache)
    locks = Path(os.environ["RINGDECAY_CACHE"]) / ".connections"
    host = server.url.removeprefix("http://").replace(":", "_")
    with ExitStack() as held:
        for number in range(4):
            held.enter_context(filelock.FileLock(locks / f"{host}-{number}.lock"))
        with interrupted_when(lambda: "waiting for a connection" in caplog.text):
            fetch(PAP, "a", *MONTH, server.url, cache=cache)


# --- before and while files come ------------------------------------------------------------------------------------------


def test_a_preview_tells_states_and_sizes_without_loading(server: ArchiveServer, cache: Path) -> None:
    fetch(PAP, "a", "2013-01-26", "2013-01-28", server.url, cache=cache)
    (cache / FOLDER / pap_name("20130126")).write_bytes(b"cut")
    before = server.count("GET", ".cdf")
    seen = preview(plan(PAP, "a", *MONTH, server.url, cache=cache))
    assert [one.local is not None for one in seen] == [False, True, False, False, False]
    assert seen[1].sizes == (3000, 3000), "of a file that is here the size is exact"
    assert all(low <= 3000 <= high for low, high in (one.sizes for one in seen))
    assert server.count("GET", ".cdf") == before
    assert server.count("HEAD") == 0, "a name with a version, a size that fits and the same minute leave nothing to ask"


def test_a_listing_without_sizes_is_filled_by_asking(server: ArchiveServer, cache: Path) -> None:
    links = "".join(f'<a href="{path.name}">{path.name}</a>\n' for path in sorted((server.root / FOLDER).iterdir()))
    server.faults = {f"/{FOLDER}/": f"page:<h1>Index of</h1>{links}"}
    seen = preview(plan(PAP, "a", *MONTH, server.url, cache=cache))
    assert [one.sizes for one in seen] == [(3000, 3000)] * 5
    server.faults[f"/{FOLDER}/{pap_name('20130128')}"] = "404"
    assert [one.sizes for one in preview(plan(PAP, "a", *MONTH, server.url, cache=cache))].count(None) == 1


@pytest.mark.parametrize("hours", [0, -5, 5.75, 14])
def test_the_zone_of_a_server_is_allowed_for(server: ArchiveServer, cache: Path, hours: float) -> None:
    for path in (server.root / FOLDER).iterdir():
        os.utime(path, (1.4e9, 1.4e9))
    got = fetch(PAP, "a", *MONTH, server.url, cache=cache)
    for file in got.files:
        os.utime(file, (1.4e9 + hours * 3600,) * 2)
    fetch(PAP, "a", *MONTH, server.url, cache=cache)
    assert server.count("HEAD") == 0
    for file in got.files:
        os.utime(file, (1.4e9 + hours * 3600 + 360,) * 2)
    fetch(PAP, "a", *MONTH, server.url, cache=cache)
    assert server.count("HEAD") == 5, "another minute, and the server is asked"
    assert server.count("GET", ".cdf") == 5, "the size is the same, and so is the version"


@dataclass
class Work:
    """What was told of some work."""

    what: str
    total: float | None
    unit: str
    done: float = 0


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Work]:
    works: list[Work] = []
    guard = threading.Lock()

    @contextmanager
    def progress(what: str, total: float | None, unit: str = "") -> Iterator[Advance]:
        work = Work(what, total, unit)
        works.append(work)

        def advance(done: float = 1, *, more: float = 0) -> None:
            with guard:
                work.done += done
                work.total = None if work.total is None else work.total + more

        yield advance

    monkeypatch.setattr(fetching, "progress", progress)
    return works


def test_progress_is_of_the_bytes_that_are_loaded(
    server: ArchiveServer, cache: Path, told: list[Work], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="ringdecay.archive")
    fetch(PAP, "a", *MONTH, server.url, cache=cache)
    # The total is exact in the end, though the listing rounds.
    assert told == [Work("fetching", 15_000, "B", 15_000)]
    assert caplog.text.count("fetched 5 of 5 files, 0.015 MB") == 1
    fetch(PAP, "a", *MONTH, server.url, cache=cache)
    assert told[1:] == [Work("checking", 5, "files", 5)], "nothing to load"


def test_progress_counts_bytes_that_come_twice_once(
    server: ArchiveServer, cache: Path, told: list[Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = web.download

    def twice(*arguments: object, on_bytes: object, **more: object) -> object:
        on_bytes(1500)  # an attempt that failed half-way
        return real(*arguments, on_bytes=on_bytes, **more)

    monkeypatch.setattr(web, "download", twice)
    fetch(PAP, "a", *MONTH, server.url, cache=cache)
    assert told == [Work("fetching", 15_000, "B", 15_000)]


def test_a_cache_on_another_disk_by_links_is_used(server: ArchiveServer, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    cache.mkdir()
    (cache / "rbsp").symlink_to(tmp_path / "disk")
    precious = tmp_path / "precious.cdf"
    precious.write_bytes(b"not of the archive")
    target = cache / FOLDER / pap_name("20130126")
    target.parent.mkdir(parents=True)
    target.symlink_to(precious)
    got = fetch(PAP, "a", *MONTH, server.url, cache=cache)
    assert got.files[0].resolve().is_relative_to(tmp_path / "disk")
    assert precious.read_bytes() == b"not of the archive", "a link to a file is replaced, not written through"
    assert len(names(got.files)) == 5


def test_one_bad_file_does_not_keep_the_others(server: ArchiveServer, cache: Path) -> None:
    bad = f"/{FOLDER}/{pap_name('20130128')}"
    server.faults = {bad: "html"}
    with pytest.raises(ArchiveError, match="1 of 5 files could not be used"):
        fetch(PAP, "a", *MONTH, server.url, cache=cache)
    server.faults.clear()
    before = server.count("GET", ".cdf")
    assert len(fetch(PAP, "a", *MONTH, server.url, cache=cache).files) == 5
    assert server.count("GET", ".cdf") == before + 1, "the next run loads only the rest"
