"""What can go wrong, said in one sentence each.

Every error of the package is a `RingdecayError`, so that a program which uses it can tell "the input is at fault" from a defect.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from os import PathLike


class RingdecayError(Exception):
    """Base of every error that the package raises on purpose.

    A message quotes names, units and answers of files and servers; what cannot be printed in it is escaped, so that no damaged file
    can write to the terminal.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class InputError(RingdecayError, ValueError):
    """An argument or a setting does not make sense; the message says which and what would."""


class ArchiveError(RingdecayError):
    """The archive could not be listed or a file not fetched whole."""


class FileError(RingdecayError):
    """A file is not what it should be.

    Parameters
    ----------
    path : path-like
        The file.
    expected, found : str
        What should be there and what is.
    advice : str
        What the reader of the message can do.
    """

    def __init__(self, path: str | PathLike[str], expected: str, found: str, advice: str) -> None:
        self.path, self.expected, self.found, self.advice = str(path), expected, found, advice
        super().__init__(self.path, expected, found, advice)

    def __str__(self) -> str:
        return printable(f"{self.path}: expected {self.expected}, found {self.found}; {self.advice}.")


def printable(text: str) -> str:
    """Escape what cannot be printed, such as the control characters of a terminal; ends of lines stay."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text)


def unknown(kind: str, given: str, known: Iterable[str]) -> InputError:
    """Make the error for a name that is not one of a set, with the nearest known name."""
    known = sorted(known)
    near = difflib.get_close_matches(str(given), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "choose one of them."
    return InputError(f"{kind} {given!r} is not known (known: {', '.join(known)}); {hint}")
