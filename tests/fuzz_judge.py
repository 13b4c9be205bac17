"""What must become of a damaged file: an error that names it, or the values it had, or others that no reader could have known of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_map import CLASSES, NOBODY
from fuzz_mutate import Mutant
from fuzz_seeds import Seed

from ringdecay.cdf import CdfFile, read_cdf, verify_cdf
from ringdecay.errors import FileError
from ringdecay.flux import open_flux

FLUX = "rbspice-pap-tofxeh"


@dataclass(frozen=True)
class Original:
    """Digests of what the sound file says: of the values of each variable, and of all attributes."""

    values: dict[str, str]
    attributes: str

    @classmethod
    def read(cls, path: Path, seed: Seed) -> Original:
        """Read a sound file."""
        content = read_cdf(path, seed.variables)
        return cls(_values(content, seed), _attributes(content, seed))


def _values(content: CdfFile, seed: Seed) -> dict[str, str]:
    found = {}
    for name in seed.variables:
        variable = content[name]
        array = np.asarray(variable.values)
        raw = repr(array.tolist()).encode() if array.dtype.kind in "OU" else np.ascontiguousarray(array).tobytes()
        found[name] = hashlib.sha1(
            f"{variable.type}|{variable.record_varying}|{array.shape}|{array.dtype.kind}".encode() + raw, usedforsecurity=False
        ).hexdigest()
    return found


def _attributes(content: CdfFile, seed: Seed) -> str:
    parts = [("", sorted((key, _plain(value)) for key, value in content.attributes.items()))]
    parts += [(name, sorted((key, _plain(value)) for key, value in content[name].attributes.items())) for name in seed.variables]
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()


def _plain(value: Any) -> str:
    return repr([_plain(one) for one in value]) if isinstance(value, list | tuple) else repr(np.asarray(value).tolist())


def judge(path: Path, original: Original, mutant: Mutant) -> tuple[str, str]:
    """Read a damaged file.

    Returns
    -------
    outcome : {"error", "same", "other", "FAILURE"}
    text : str
        For an error, its sentence; for other values, the classes of the bytes that were changed; for a failure, what is wrong.
    """
    try:
        content = read_cdf(path, mutant.seed.variables)
        values, attributes = _values(content, mutant.seed), _attributes(content, mutant.seed)
    except Exception as error:  # noqa: BLE001 - any other error than ours is what is looked for
        outcome = _judge_error(path, error)
    else:
        outcome = _judge_values(original, mutant, values, attributes)
    if outcome[0] == "elsewhere":
        refused, failure = _failure_of(path, lambda: verify_cdf(path))
        known = refused and not failure
        outcome = ("other", "values: offset, which verifying the whole file refuses") if known else ("FAILURE", outcome[1])
    if outcome[0] == "FAILURE":
        return outcome
    failure = _judge_verifying(path, mutant, outcome)
    if not failure and mutant.seed.name == "pap":
        failure = _failure_of(path, lambda: open_flux(path, FLUX))[1]
    return ("FAILURE", failure) if failure else outcome


def _failure_of(path: Path, action: Callable[[], object]) -> tuple[bool, str]:
    """Do something with a damaged file: whether it was refused, and what is wrong with how it was refused."""
    try:
        action()
    except Exception as error:  # noqa: BLE001 - any other error than ours is what is looked for
        outcome, text = _judge_error(path, error)
        return True, text if outcome == "FAILURE" else ""
    return False, ""


def _judge_verifying(path: Path, mutant: Mutant, read: tuple[str, str]) -> str:
    """Say what is wrong with how the whole file is verified, if anything is: it must refuse all that reading refuses, and more."""
    refused, failure = _failure_of(path, lambda: verify_cdf(path))
    if failure or refused:
        return failure
    sound, damaged, end = mutant.seed.content, mutant.content, mutant.seed.map.end
    head = mutant.seed.map.head
    if len(damaged) < end and damaged[:head] == sound[:head]:
        return f"a file of {len(damaged)} instead of {end} bytes is said to be whole"
    if _has_checksum(mutant) and damaged[: len(sound)] != sound:
        return f"the checksum of the whole file was not looked at ({mutant.what})"
    # That a variable is missing is no fault of the file.
    if read[0] == "error" and "none called" not in read[1]:
        return f"a file that is refused when it is read is said to be whole: {read[1]}"
    return ""


def _judge_error(path: Path, error: BaseException) -> tuple[str, str]:
    chain, cause = [error], error.__cause__ or error.__context__
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    if any(isinstance(one, MemoryError) for one in chain):
        return "FAILURE", f"more memory than allowed was asked for: {type(error).__name__}: {error}"
    if not isinstance(error, FileError):
        return "FAILURE", f"{type(error).__name__}: {error}"
    text = str(error)
    # The longest sentences list the variables of a file, of which there can be hundreds.
    if str(path) not in text or not text.isprintable() or len(text) > 10_000:
        return "FAILURE", f"not one sentence that names the file and can be shown on a terminal: {text[:1000]!r}"
    return "error", text


def _judge_values(original: Original, mutant: Mutant, values: dict[str, str], attributes: str) -> tuple[str, str]:
    sound, damaged, byte_map = mutant.seed.content, mutant.content, mutant.seed.map
    shared = min(len(sound), len(damaged))
    changed = np.flatnonzero(np.frombuffer(sound, np.uint8, shared) != np.frombuffer(damaged, np.uint8, shared))
    classes = {CLASSES[kind] for kind in np.unique(byte_map.classes[changed])}
    touched = " ".join(sorted(classes)) or "none"
    if len(damaged) < byte_map.end and not (changed < byte_map.head).any():
        return "FAILURE", f"cut at {len(damaged)} of {byte_map.end} bytes, and read without an error"
    # What a variable says may change with bytes of its own, or with those of the file's descriptors, which have no owner.
    meaning = np.isin(byte_map.classes[changed], [CLASSES.index(name) for name in ("value", "pad", "meaning", "name")])
    owners = set(byte_map.owners[changed[meaning]].tolist())
    names = byte_map.names
    # Names that come from elsewhere can make one variable pass for another, and a signature can bring the whole of another sound file.
    elsewhere = mutant.kind in ("swap", "splice") and bool(classes & {"name", "magic"})
    for name, digest in original.values.items():
        own = names.index(name) if name in names else NOBODY
        free = bool(owners & {own, NOBODY}) or elsewhere
        if values[name] != digest and not free:
            # A pointer to another variable's block of the same size is seen only by who looks at all variables.
            outcome = "elsewhere" if "offset" in classes else "FAILURE"
            return outcome, f"other values of {name}, although only bytes of {touched} were changed ({mutant.what})"
    if attributes != original.attributes and not (elsewhere or classes & {"attribute", "meaning", "name"}):
        return "FAILURE", f"other attributes, although only bytes of {touched} were changed ({mutant.what})"
    if values == original.values and attributes == original.attributes:
        return "same", ""
    kind = "attributes" if values == original.values else "values"
    return "other", f"{kind}: {' '.join(sorted(classes & {'magic', 'value', 'pad', 'meaning', 'name', 'attribute'}))}"


def _has_checksum(mutant: Mutant) -> bool:
    """Tell whether the file has a checksum of all its bytes, which was not switched off by the damage itself."""
    # After the signature (8 bytes) size, type, offset, version, release and encoding of the file descriptor.
    flags = 8 + 8 + 4 + 8 + 4 + 4 + 4
    return mutant.seed.name == "nasa-md5" and mutant.content[flags : flags + 4] == mutant.seed.content[flags : flags + 4]
