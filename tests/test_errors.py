"""What every message of the package keeps to, whatever it quotes."""

from __future__ import annotations

import pytest

from ringdecay.check import one_line, report
from ringdecay.check.expectation import Row, table_of
from ringdecay.errors import ArchiveError, FileError, InputError, RingdecayError

# Clears a terminal, rings its bell, and a byte of a file name that is no UTF-8.
HOSTILE, SHOWN = "\x1b[2J\x07\udcff", r"\x1b[2J\x07\udcff"


@pytest.mark.parametrize("kind", [RingdecayError, InputError, ArchiveError])
def test_a_message_cannot_write_to_the_terminal(kind):
    assert str(kind(f"no {HOSTILE} here\nbut there: 5 µs")) == f"no {SHOWN} here\nbut there: 5 µs"


@pytest.mark.parametrize("place", range(4))
def test_neither_can_any_part_of_that_of_a_file(place):
    parts = ["x.cdf", "this", "that", "look again"]
    sound = str(FileError(*parts))
    parts[place] += HOSTILE
    assert str(FileError(*parts)) == sound.replace(parts[place].removesuffix(HOSTILE), parts[place].replace(HOSTILE, SHOWN))
    assert FileError(*parts).path == parts[0]


def test_nor_a_report_on_a_file():
    row = Row("file", "Logical_source", "RBSP", f"none{HOSTILE}", "differs")
    table = table_of([row], file=f"x{HOSTILE}.cdf", product="", probe="", date="", simulated=False, sentence=f"cannot: {HOSTILE}")
    for text in (report(table), one_line(table)):
        assert text.replace("\n", "").isprintable()
        assert SHOWN in text
