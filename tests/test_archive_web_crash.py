"""Killed, crowded or with a full disk: no wrong file is ever seen, and the next run heals. With real processes."""

from __future__ import annotations

import errno
import io
import logging
import multiprocessing
import os
import resource
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
from archive_server import ArchiveServer, cdf_bytes, put, serving

from ringdecay.archive import partial, web
from ringdecay.errors import ArchiveError

SIZE, MARK = 300_000, 1 << 13
PATH = "/data/x.cdf"
# Processes are forked from one that has imported what they need, which saves a second or two each.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["ringdecay.archive.web", "test_archive_web_crash"])


def child(pairs: list[tuple[str, Path]], locks: str, limit: int, answer: Connection) -> None:
    """Load all at once; send what came of each, and the log. The size of files can be limited, as by a full disk."""
    log = io.StringIO()
    logging.basicConfig(stream=log, level=logging.INFO)
    os.environ["RINGDECAY_CACHE"] = locks
    partial.CHECKPOINT = MARK
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    def one(pair: tuple[str, Path]) -> str:
        try:
            return " ".join(map(str, web.download(session, *pair, "cdf", None, None)))
        except ArchiveError as error:
            return f"ArchiveError: {error}"

    with web.open_session() as session, ThreadPoolExecutor(len(pairs)) as pool:
        answer.send((list(pool.map(one, pairs)), log.getvalue()))


def start(pairs: list[tuple[str, Path]], limit: int = 0) -> tuple[BaseProcess, Connection]:
    ours, theirs = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=child, args=(pairs, os.environ["RINGDECAY_CACHE"], limit, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def outcome(process: BaseProcess, answer: Connection) -> tuple[list[str], str]:
    assert answer.poll(60)
    outcomes, log = answer.recv()
    process.join(10)
    assert process.exitcode == 0
    return outcomes, log


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveServer]:
    monkeypatch.setattr(web, "BACKOFF", (0.01, 0.01, 0.01))
    monkeypatch.setattr(partial, "CHECKPOINT", MARK)
    monkeypatch.setenv("RINGDECAY_CACHE", str(tmp_path / "locks"))
    put(tmp_path / "archive", PATH.lstrip("/"), size=SIZE)
    with serving(tmp_path / "archive") as running:
        running.piece = 2048
        yield running


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "x.cdf"


def load(server: ArchiveServer, target: Path) -> tuple[int, str]:
    with web.open_session() as session:
        return web.download(session, server.url + PATH, target, "cdf", None, None)


def source(server: ArchiveServer) -> Path:
    return server.root / PATH.lstrip("/")


def hidden(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()} - {target.name} if target.parent.exists() else set()


def assert_heals(server: ArchiveServer, target: Path) -> None:
    server.faults.clear()
    load(server, target)
    assert target.read_bytes() == source(server).read_bytes()
    assert hidden(target) == set()


def wait_until(condition: object, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


def kill_after(server: ArchiveServer, target: Path, sent: int) -> None:
    """Begin to load in another process and kill it when the server has sent so many bytes more."""
    server.faults = {PATH: "drip:0.002"}
    begin = server.sent
    process, _ = start([(server.url + PATH, target)])
    try:
        wait_until(lambda: server.sent - begin >= sent)
    finally:
        process.kill()
        process.join()


def test_killed_again_and_again_a_file_still_comes(server: ArchiveServer, target: Path) -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        kill_after(server, target, int(rng.integers(2_000, 25_000)))
        assert not target.exists()
        assert hidden(target) <= {".x.cdf.part", ".x.cdf.part.journal", ".x.cdf.part.lock"}
    begin = server.sent
    assert_heals(server, target)
    assert len(server.ranges) >= 5, "later ones went on where the killed ones were"
    assert server.sent - begin < SIZE - 40_000


@pytest.mark.parametrize("place", np.random.default_rng(6).integers(1, SIZE - 20_000, size=6).tolist())
def test_killed_at_any_byte_the_old_file_stays(server: ArchiveServer, target: Path, place: int) -> None:
    target.parent.mkdir()
    old = cdf_bytes(5000, 1)
    target.write_bytes(old)
    kill_after(server, target, place)
    assert target.read_bytes() == old
    assert_heals(server, target)


def test_processes_that_load_one_file_take_turns(server: ArchiveServer, target: Path) -> None:
    server.faults = {PATH: "drip:0.002"}
    processes = [start([(server.url + PATH, target)]) for _ in range(3)]
    outcomes = [outcome(*process)[0] for process in processes]
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert outcomes[0][0].startswith(f"{SIZE} ")
    assert server.most_at_once == 1
    assert target.read_bytes() == source(server).read_bytes()
    assert hidden(target) == set()


def test_four_connections_over_all_processes(server: ArchiveServer, target: Path) -> None:
    paths = [f"/data/y{number}.cdf" for number in range(12)]
    for path in paths:
        put(server.root, path.lstrip("/"), size=40_000)
        server.faults[path] = "drip:0.01"
    pairs = [(server.url + path, target.with_name(path[6:])) for path in paths]
    processes = [start(pairs[first : first + 4]) for first in (0, 4, 8)]
    results = [outcome(*process) for process in processes]
    assert [text.split()[0] for outcomes, _ in results for text in outcomes] == ["40000"] * 12
    assert server.most_at_once == 4
    assert any("waiting for a connection" in log for _, log in results)


def test_a_killed_process_frees_its_connections(server: ArchiveServer, target: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ringdecay.archive")
    paths = [f"/data/y{number}.cdf" for number in range(4)]
    for path in paths:
        put(server.root, path.lstrip("/"), size=40_000)
        server.faults[path] = "drip:5"
    process, _ = start([(server.url + path, target.with_name(path[6:])) for path in paths])
    thread = threading.Thread(target=load, args=(server, target))
    try:
        wait_until(lambda: server.at_once == 4)
        thread.start()
        wait_until(lambda: "waiting for a connection" in caplog.text)
        time.sleep(0.5)
        assert server.requests["GET", PATH] == 0
        assert caplog.text.count("waiting for a connection") == 1
    finally:
        process.kill()
        process.join()
    thread.join(timeout=5)
    assert target.read_bytes() == source(server).read_bytes()


def test_without_locks_it_goes_on_and_says_so(server: ArchiveServer, target: Path, caplog: pytest.LogCaptureFixture) -> None:
    (Path(os.environ["RINGDECAY_CACHE"])).write_text("a file where the folder should be")
    load(server, target)
    load(server, target)
    assert caplog.text.count("no lock could be had") == 1, "once, not for each file"
    assert target.read_bytes() == source(server).read_bytes()


def test_on_a_file_system_without_locks_files_come_all_the_same(
    server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("filelock.FileLock.acquire", none)
    server.faults = {PATH: ["cut@50000"] * 5}
    with pytest.raises(ArchiveError, match="in 4 attempts"):
        load(server, target)
    assert "no lock could be had" in caplog.text
    assert hidden(target) == set(), "nothing waits that two processes could both take up"
    assert_heals(server, target)


# --- the disk -------------------------------------------------------------------------------------------------------------


# 200,000 bytes are more than are ever read at once, so that some are written before the error.
@pytest.mark.parametrize("limit", [1, 200_000])
def test_a_file_that_may_not_grow_is_an_error_and_goes_on_later(server: ArchiveServer, target: Path, limit: int) -> None:
    (error,), _ = outcome(*start([(server.url + PATH, target)], limit))
    assert error.startswith("ArchiveError")
    assert "could not be written ([Errno 27] File too large); make room or name another cache folder" in error
    assert not target.exists()
    assert_heals(server, target)
    assert len(server.ranges) == (limit > 1)


@pytest.mark.parametrize("etags", ["strong", "weak"])
def test_a_full_disk_is_an_error_and_heals(server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch, etags: str) -> None:
    server.etags = etags
    append = partial.Partial.append

    def full(self: partial.Partial, piece: bytes) -> None:
        if self.size + len(piece) > 150_000:
            # As the system does it: what fits is written, then the error comes.
            self._out.write(piece[: 150_000 - self.size])  # type: ignore[union-attr]
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(self, piece)

    with monkeypatch.context() as patch:
        patch.setattr(partial.Partial, "append", full)
        for _ in range(2):
            with pytest.raises(ArchiveError, match=r"No space left on device.*make room or name another cache folder"):
                load(server, target)
            assert not target.exists()
            assert bool(hidden(target)) == (etags == "strong"), "only what can be gone on with takes room"
    assert_heals(server, target)


def test_room_that_ends_with_the_last_byte(server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(partial.os, "fsync", full)
        with pytest.raises(ArchiveError, match="No space left on device"):
            load(server, target)
    assert not target.exists()
    assert_heals(server, target)


def test_a_folder_in_the_place_of_the_file_is_named(server: ArchiveServer, target: Path) -> None:
    target.mkdir(parents=True)
    with pytest.raises(ArchiveError, match=r"x\.cdf is a folder"):
        load(server, target)


def test_ctrl_c_keeps_what_has_come(server: ArchiveServer, target: Path) -> None:
    total = 0

    def stop(came: int) -> None:
        nonlocal total
        total += came
        if total > 100_000:
            raise KeyboardInterrupt

    server.faults = {PATH: "drip:0.0005"}
    with web.open_session() as session, pytest.raises(KeyboardInterrupt):
        web.download(session, server.url + PATH, target, "cdf", None, None, stop)
    assert hidden(target) == {".x.cdf.part", ".x.cdf.part.journal"}
    assert_heals(server, target)
    assert len(server.ranges) == 1
