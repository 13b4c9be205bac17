"""Connections: at most four to a host at once, over all processes of the user, and each of them can be stopped."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import filelock
import platformdirs
import requests
import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

logger = logging.getLogger(__name__)

# Data centres block clients that open many connections or retry at once.
MAX_CONNECTIONS = 4
# Seconds between two looks for a free slot; a file takes longer than that.
_LOOK = 0.1
# Seconds in which the head of an answer must have come, from the end of the question on. The timeouts of a socket are those between
# two bytes, so that a head that comes byte by byte would hold a connection for days.
HEAD_SECONDS = 90.0
# Folders of which it was said that no locks can be had there.
_without_locks: set[Path] = set()


class StoppedError(Exception):
    """The session was stopped, by Ctrl-C for example."""


class Session(requests.Session):
    """A session that can be stopped from another thread: whatever its threads wait for then ends at once.

    Attributes
    ----------
    stopped : threading.Event
        Whether it was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stopped, self._sockets, self._guard = threading.Event(), WeakSet[socket.socket](), threading.Lock()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _PatientAdapter(self))

    def watch(self, sock: socket.socket) -> None:
        """Remember a connection that is to be ended if the session is stopped."""
        with self._guard:
            self._sockets.add(sock)
        self.check()

    def stop(self) -> None:
        """End every wait: for an answer, its rest, a lock or the next attempt."""
        self.stopped.set()
        with self._guard:
            for sock in self._sockets:
                _shut(sock)

    def check(self) -> None:
        """Raise StoppedError if the session was stopped."""
        if self.stopped.is_set():
            raise StoppedError

    def wait(self, seconds: float) -> None:
        """Wait; raise StoppedError if the session is stopped meanwhile."""
        if self.stopped.wait(seconds):
            raise StoppedError


@contextmanager
def threads(session: Session) -> Iterator[ThreadPoolExecutor]:
    """Open as many threads as connections; if the block is left by an error or by Ctrl-C they end soon, and none outlives it."""
    pool = ThreadPoolExecutor(MAX_CONNECTIONS)
    try:
        yield pool
    except BaseException:
        session.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def connection_slot(session: Session, url: str) -> Iterator[None]:
    """Hold one of the host's slots; wait for as long as it takes if none is free, and say so once.

    A slot is a file lock that the operating system frees with its process, however that ends. The locks lie in the folder
    `.connections` of the cache (the environment variable RINGDECAY_CACHE, else the platform's), so processes with another
    cache folder are not seen. Where no locks can be had, this process keeps to its own four and the log says so.
    """
    folder = _folder()
    host = re.sub(r"[^\w.-]", "_", urlsplit(url).netloc.lower())
    held: filelock.BaseFileLock | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = _first_free(session, [folder / f"{host}-{number}.lock" for number in range(MAX_CONNECTIONS)], host)
    except (OSError, NotImplementedError) as error:
        level = logging.DEBUG if folder in _without_locks else logging.WARNING
        _without_locks.add(folder)
        logger.log(level, "%s: no lock could be had (%s); other processes may connect to %s at the same time", folder, error, host)
    try:
        yield
    finally:
        if held is not None:
            held.release()


def _first_free(session: Session, paths: list[Path], host: str) -> filelock.BaseFileLock:
    waiting = False
    while True:
        for path in random.sample(paths, len(paths)):
            # A lock that is only a file would outlive a killed process.
            lock = filelock.FileLock(path, fallback_to_soft=False)
            try:
                return lock.acquire(timeout=0).lock
            except filelock.Timeout:
                continue
        if not waiting:
            logger.info("waiting for a connection to %s: all %d are in use", host, len(paths))
            waiting = True
        session.wait(_LOOK)


def _folder() -> Path:
    given = os.environ.get("RINGDECAY_CACHE")
    return (Path(given).expanduser().absolute() if given else platformdirs.user_cache_path("ringdecay")) / ".connections"


class _PatientAdapter(requests.adapters.HTTPAdapter):
    """Transport whose wait for the head of an answer has an end, and whose connections the session can end."""

    def __init__(self, session: Session) -> None:
        self._pools = _pools(session)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Let the pools make connections that watch the time."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Do the same for connections through an HTTP proxy; one by SOCKS makes its own."""
        manager = super().proxy_manager_for(*args, **kwargs)
        if isinstance(manager, urllib3.ProxyManager):
            manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(session: Session) -> dict[str, type[HTTPConnectionPool]]:
    """Make the pools of a session, by scheme."""

    class Connection(HTTPConnection):
        def getresponse(self) -> Any:
            session.watch(self.sock)
            with _shut_after(self.sock, HEAD_SECONDS):
                return super().getresponse()

    class SecureConnection(HTTPSConnection):
        def getresponse(self) -> Any:
            session.watch(self.sock)
            with _shut_after(self.sock, HEAD_SECONDS):
                return super().getresponse()

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


def _shut(sock: socket.socket) -> None:
    """End a connection; a read that waits then ends at once."""
    with contextlib.suppress(OSError):  # it may have been closed in the meantime
        # Not the method of a TLS socket, which would take the encryption away under the reader.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


@contextmanager
def _shut_after(sock: socket.socket, seconds: float) -> Iterator[None]:
    """End the connection if the block takes longer.

    Raises
    ------
    TimeoutError
        Whatever the block made of the end: half a head would pass for a whole one.
    """
    late = threading.Event()

    def shut() -> None:
        late.set()
        _shut(sock)

    timer = threading.Timer(seconds, shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if late.is_set():
            raise TimeoutError(f"the head of the answer did not come within {seconds:g} s")
