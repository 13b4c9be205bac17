"""Which products a file may be of: by its name, else by what it says of itself."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ringdecay.flux import date_and_probe
from ringdecay.products import PRODUCTS, Product


def recognise(path: str | Path, attributes: Mapping[str, list[Any]] | None = None) -> tuple[str, ...]:
    """Name the products that a file may be of; several, if a file holds several ions.

    Parameters
    ----------
    path : path-like
        The file. Its name decides, if it is one of a product's.
    attributes : mapping, optional
        Global attributes of a CDF, of which Logical_source decides if the name does not.

    Returns
    -------
    tuple of str
        Names of products; empty if it is of none.
    """
    by_name = tuple(name for name, product in PRODUCTS.items() if date_and_probe(path, product)[0] is not None)
    if by_name or attributes is None:
        return by_name
    own = logical_source(attributes)
    return tuple(name for name, product in PRODUCTS.items() if probe_of_dataset(own, product) is not None)


def logical_source(attributes: Mapping[str, list[Any]]) -> str:
    """Give the identifier of its data set that a file has, or an empty string."""
    return next((str(entry).strip() for entry in attributes.get("Logical_source", []) if str(entry).strip()), "")


def probe_of_dataset(identifier: str, product: Product) -> str | None:
    """Probe whose data set of the product has this identifier, or None; "-0" and so on are NASA's parts of a data set."""
    if not product.dataset:
        return None
    for probe in product.probes or ("",):
        if re.fullmatch(re.escape(product.dataset.format(PROBE=probe.upper())) + r"(-\d+)?", identifier, flags=re.IGNORECASE):
            return probe
    return None


def nearest(path: Path, own: str) -> list[str]:
    """Name the three products whose names of files or data sets look most like those of a file."""

    def likeness(product: Product) -> float:
        pattern = re.sub(r"\(\?P<\w+>[^)]*\)+|\\d\{+\d\}+|\[-_\]|\\", "", product.filename).replace("{probe}", "")
        pairs = [(path.name, pattern), (own, product.dataset.replace("{PROBE}", ""))]
        return max(difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio() for one, other in pairs if other)

    return sorted(PRODUCTS, key=lambda name: likeness(PRODUCTS[name]), reverse=True)[:3]


def pattern_in_words(product: Product, probe: str | None) -> str:
    """Write the pattern of a product's file names as people write it."""
    text = product.filename.format(probe=probe or ("a|b" if product.probes else ""))
    text = re.sub(r"\(\?P<date>\\d\{8\}\)", "YYYYMMDD", text)
    text = re.sub(r"\(\?P<date>\\d\{4\}\)", "YYYY", text)
    text = re.sub(r"\(\?P<version>.*\)", "VERSION", text)
    return text.replace("[-_]", "-").replace("\\", "")
