"""Which of several versions of a file is the newest."""

from __future__ import annotations

from collections.abc import Iterable

VersionKey = tuple[tuple[int, ...], int]


def version_key(version: str) -> VersionKey:
    """Sort key of a version X.Y.Z-NN: numbers compare as numbers (1.1.9 < 1.1.12), first those with dots, then NN.

    Missing numbers after a dot count as zero (1.1 equals 1.1.0); a version without -NN is older than the same with -00. An empty
    version, of a name that carries none, is older than all.
    """
    dotted, _, revision = version.partition("-")
    numbers = [int(number) for number in dotted.split(".") if number]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers), int(revision) if revision else -1


def newest(versions: Iterable[tuple[str, str]]) -> tuple[str, list[str], list[str]]:
    """Split the names of one date into the newest, its equals and the superseded.

    Parameters
    ----------
    versions : iterable of (name, version)
        At least one.

    Returns
    -------
    chosen : str
        The newest; of several with an equal version the first in the alphabet.
    equals : list of str
        Other names with the same version as `chosen`.
    superseded : list of str
        Names with an older version.
    """
    keys = {name: version_key(version) for name, version in versions}
    highest = max(keys.values())
    chosen, *equals = sorted(name for name, key in keys.items() if key == highest)
    return chosen, equals, sorted(name for name, key in keys.items() if key < highest)
