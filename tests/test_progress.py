"""How far work has come: bars on a terminal, some lines elsewhere, nothing from a library."""

from __future__ import annotations

import io
import logging
import re
import sys
import threading

import dask
import pytest

from ringdecay import progress as room
from ringdecay.progress import BYTES, progress, showing
from ringdecay.schedule import dask_on, dask_progress


@pytest.fixture
def lines(monkeypatch, caplog):
    """Give the lines that were logged so far; also of work that is over at once."""
    monkeypatch.setattr(room, "PATIENCE", 0.0)
    caplog.set_level(logging.INFO, logger="ringdecay.progress")
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_log_gets_a_line_a_quarter(lines):
    with progress("binning", 40, "files") as advance:
        for _ in range(40):
            advance()
    assert lines() == [f"binning: {share} % ({share * 40 // 100} of 40 files), 0 s" for share in (25, 50, 75, 100)]


def test_a_long_silence_is_broken(lines, monkeypatch):
    clock = iter([0.0, 10.0, 31.0, 40.0, 62.0])
    monkeypatch.setattr(room.time, "monotonic", lambda: next(clock))
    with progress("fetching", None, BYTES) as advance:
        for _ in range(4):
            advance(1_500_000)
    assert lines() == ["fetching: 3.0 MB, 31 s", "fetching: 6.0 MB, 62 s"]


def test_what_is_over_soon_says_nothing(caplog):
    caplog.set_level(logging.INFO, logger="ringdecay.progress")
    with progress("binning", 2) as advance:
        advance(2)
    assert not caplog.records


def test_a_library_writes_nothing(monkeypatch, capfd):
    monkeypatch.setattr(room, "PATIENCE", 0.0)
    with progress("binning", 2) as advance:
        advance(2)
    assert capfd.readouterr() == ("", "")


def test_the_whole_may_turn_out_larger(lines):
    with progress("fetching", 10e6, BYTES) as advance:
        advance(5e6, more=10e6)
        advance(15e6)
    assert lines() == ["fetching: 25 % (5.0 of 20.0 MB), 0 s", "fetching: 100 % (20.0 of 20.0 MB), 0 s"]


def test_work_inside_other_work_says_nothing(lines):
    with progress("measuring", 2, "worlds") as advance:
        for _ in range(2):
            with progress("fitting", 1) as inner:
                inner()
            advance()
    assert [line.split(":")[0] for line in lines()] == ["measuring", "measuring"]


@pytest.mark.parametrize(("where", "workers"), [("synchronous", 1), ("threads", 2)])
def test_every_task_of_dask_is_counted_once(lines, where, workers):
    tasks = [dask.delayed(sum, pure=False)([i, 1]) for i in range(4)]
    with dask_on(where, workers), dask_progress("adding", len(tasks), "sums"):
        assert dask.compute(*tasks) == (1, 2, 3, 4)
    assert lines()[-1].startswith("adding: 100 % (4 of 4 sums)")
    assert len(lines()) == 4


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("unit", ["files", BYTES])
def test_a_terminal_gets_a_bar_that_leaves_nothing_behind(monkeypatch, capsys, lines, unit):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with showing("bars"), progress("fetching", 4e6, unit) as advance:
        threads = [threading.Thread(target=advance, args=(1e6,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sys.stdout.write("a result\n")
    shown = terminal.getvalue()
    words = re.sub(r"\x1b\[[0-9?;]*[A-Za-z]", "", shown)
    assert "fetching" in words
    assert ("4.0/4.0 MB" if unit == BYTES else "4000000/4000000 files") in words
    # Results do not go where the bar is, and the last thing of the bar is that its line is erased.
    assert capsys.readouterr().out == "a result\n"
    assert "a result" not in shown
    assert shown.rstrip().endswith("\x1b[2K")
    assert lines() == []
