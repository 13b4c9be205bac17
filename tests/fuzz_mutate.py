"""The damage: mutant number n of a seed, always the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from fuzz_map import CLASSES
from fuzz_seeds import Seed

PAGE = 4096
KINDS = ("cut", "cut_block", "bits", "header_bits", "number", "number", "zero_page", "swap", "append", "compressed", "compressed", "splice")
_BODY = [CLASSES.index(name) for name in ("value", "compressed", "after")]
_COMPRESSED = CLASSES.index("compressed")


@dataclass(frozen=True)
class Mutant:
    """A damaged file; `what` says what was done."""

    number: int
    seed: Seed
    kind: str
    what: str
    content: bytes

    @property
    def file_name(self) -> str:
        """A name that a file of the product has, so that it can be opened as flux."""
        return "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.1.0-00.cdf" if self.seed.name == "pap" else f"{self.seed.name}.cdf"


def mutate(seeds: list[Seed], seed: int, number: int) -> Mutant:
    """Make mutant `number` of the random seed `seed`."""
    rng = np.random.default_rng([seed, number])
    place, other = (int(i) for i in rng.integers(0, len(seeds), size=2))
    sound = seeds[place]
    kind = KINDS[number % len(KINDS)]
    content = bytearray(sound.content)
    if kind in ("cut", "cut_block", "append", "splice"):
        what = _resize(rng, kind, content, sound, seeds[other])
    elif kind == "number":
        what = _number(rng, content, sound)
    elif kind in ("zero_page", "swap"):
        what = _pages(rng, kind, content)
    else:
        what = _flip(rng, kind, content, sound)
    return Mutant(number, sound, kind, what, bytes(content))


def _resize(rng: np.random.Generator, kind: str, content: bytearray, sound: Seed, other: Seed) -> str:
    size = len(content)
    if kind == "append":
        more = rng.bytes(int(rng.integers(1, 5000))) if rng.random() < 0.5 else bytes(int(rng.integers(1, 5000)))
        content += more
        return f"{len(more)} bytes more"
    if kind == "splice":
        # The front of one file and the end of another, as a resumed download makes them.
        at = int(rng.integers(1, min(size, len(other.content))))
        content[at:] = other.content[at:]
        return f"from byte {at} on {other.name}"
    if kind == "cut_block":
        places = [*sound.map.records[1:], *range(512, size, 512)]
        at = int(rng.choice(np.array(places))) if places else size // 2
    else:
        at = int(rng.integers(0, size))
    del content[at:]
    return f"cut at byte {at} of {size}"


def _number(rng: np.random.Generator, content: bytearray, sound: Seed) -> str:
    at, length = sound.map.fields[int(rng.integers(len(sound.map.fields)))]
    earlier = [record for record in sound.map.records if record <= at]
    known = [0, 1, -1, 2, 7, 255, 2**15, 2**31 - 1, -(2**31), len(content), len(content) - 1, int(rng.integers(0, len(content)))]
    known += [int(rng.choice(np.array(earlier or [8]))), int(rng.choice(np.array(sound.map.records)))] * 2
    known += [2**63 - 1, 2**62, -(2**63), 2**40] if length == 8 else [2**30, 2**24]
    value = known[int(rng.integers(len(known)))]
    content[at : at + length] = (value % 2 ** (8 * length)).to_bytes(length, "big")
    return f"bytes {at} to {at + length - 1} are {value}"


def _pages(rng: np.random.Generator, kind: str, content: bytearray) -> str:
    if kind == "zero_page":
        # Small files would be all zeros.
        size = PAGE if len(content) > 4 * PAGE else 512
        at = size * int(rng.integers(0, max(len(content) // size, 1)))
        content[at : at + size] = bytes(len(content[at : at + size]))
        return f"zeros from byte {at} to {at + size}"
    size = int(rng.choice([64, 512, PAGE]))
    size = min(size, len(content) // 4)
    one, other = (size * int(i) for i in rng.integers(0, len(content) // size, size=2))
    content[one : one + size], content[other : other + size] = content[other : other + size], content[one : one + size]
    return f"{size} bytes at {one} and at {other} in each other's place"


def _flip(rng: np.random.Generator, kind: str, content: bytearray, sound: Seed) -> str:
    classes = sound.map.classes
    places = np.arange(len(content))
    if kind == "header_bits":
        places = np.flatnonzero(~np.isin(classes, _BODY))
    elif kind == "compressed" and (classes == _COMPRESSED).any():
        places = np.flatnonzero(classes == _COMPRESSED)
    chosen = [int(at) for at in rng.choice(places, size=int(rng.integers(1, 9)))]
    for at in chosen:
        content[at] ^= 1 << int(rng.integers(0, 8))
    return f"bits flipped in bytes {sorted(chosen)}"
