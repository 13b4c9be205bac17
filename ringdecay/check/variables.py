"""Whether the described variables are there, of the shapes, units and fills of the description."""

from __future__ import annotations

from itertools import permutations
from itertools import product as choices

import numpy as np

from ringdecay.cdf import StoredVariable
from ringdecay.cdf.types import TIME_TYPES
from ringdecay.check.container import shape_of
from ringdecay.check.expectation import Row, Subject, Verdict, holds_if, is_number
from ringdecay.flux.units import IN_WORDS, factor_of
from ringdecay.products import Product, Variable


def variable_rows(subject: Subject) -> list[Row]:
    """One line for each described variable, and one each for fills, valid ranges and what is not described."""
    described = {one.name for one in subject.product.variables.values()}
    present = subject.present
    rows = [_variable_row(role, one, present.get(role), subject.product) for role, one in subject.product.variables.items()]
    more = [name for name in subject.stored.variables if name not in described]
    found = f"{len(present)} of {len(described)} described variables, {len(more)} more that are not described"
    complete = all(role in present for role, one in subject.product.variables.items() if one.required)
    rows.append(Row("structure", "variables", "at least those that are required", found, "holds" if complete else "fails"))
    rows += _fill_rows(subject)
    bare = [
        one.name
        for role, one in present.items()
        if subject.product.variables[role].quantity != "time" and not {"VALIDMIN", "VALIDMAX"} <= one.attributes.keys()
    ]
    found = f"not for {', '.join(bare)}" if bare else "for all"
    # NASA's records give none for the flux of RBSPICE.
    rows.append(Row("variables", "valid ranges", "VALIDMIN and VALIDMAX", found, "unknown" if bare else "holds"))
    return rows


def _variable_row(role: str, expected: Variable, found: StoredVariable | None, product: Product) -> Row:
    words = [f"{' or '.join(map(str, _lengths(product, axis)))} ({axis.replace('_', ' ')})" for axis in expected.axes]
    shape = " x ".join((["records"] if expected.record_varying else []) + words) or "one value"
    what = f"{'times' if expected.quantity == 'time' else 'numbers'}, {shape}, {'required' if expected.required else 'optional'}"
    name = expected.name
    if found is None:
        return Row("variables", name, what, f"not there: no {role}", "fails" if expected.required else "differs")
    said, verdict = shape_of(found), _shape_verdict(expected, found, product)
    depends = [str(found.attributes.get(f"DEPEND_{axis}", "")).strip() or "?" for axis in range(1, len(found.sizes) + 1)]
    if any(one != "?" for one in depends):
        said += f", over {' and '.join(depends)}"
    return Row("variables", name, what, said, verdict)


def _shape_verdict(expected: Variable, found: StoredVariable, product: Product) -> Verdict:
    is_time = found.type in TIME_TYPES
    right_type = is_time if expected.quantity == "time" else found.dtype.kind in "fiu" and not is_time
    sizes = found.sizes if expected.axes else tuple(size for size in found.sizes if size != 1)
    allowed = [_lengths(product, axis) or ("any",) for axis in expected.axes]

    def fits(order: tuple[tuple[int | str, ...], ...]) -> bool:
        wanted: list[tuple[int | str, ...]] = list(choices(*order))
        return any(len(one) == len(sizes) and all(w in ("any", size) for w, size in zip(one, sizes, strict=True)) for one in wanted)

    if not right_type or not any(fits(order) for order in permutations(tuple(allowed))):
        return "fails" if expected.required else "differs"
    return holds_if(fits(tuple(allowed)) and found.record_varying == expected.record_varying)


def _lengths(product: Product, axis: str) -> tuple[int, ...]:
    """Lengths that an axis may have; that of the energies may have changed with their table."""
    lengths = [product.sizes[axis]] if axis in product.sizes else []
    if axis == "energy" and product.channels is None and "telescope" not in product.sizes:
        lengths += [len(table.energies) for table in product.energy_tables]
    return tuple(dict.fromkeys(lengths))


def _fill_rows(subject: Subject) -> list[Row]:
    """Compare the fills; another one than described does no harm, because the file's own is used."""
    odd, n = [], 0
    for role, stored in subject.present.items():
        expected = subject.product.variables[role].fill
        if expected is None:
            continue
        n += 1
        own = stored.attributes.get("FILLVAL")
        if own is None:
            odd.append(f"none for {stored.name}")
        elif not is_number(own) or not np.isclose(float(own), expected, rtol=1e-6):
            odd.append(f"{own!s:.20} for {stored.name}, described {expected:g}")
    if not n:
        return []
    found = "; ".join(odd) or f"as described, for {n} variables"
    return [Row("variables", "fills", "FILLVAL as described (the file's own is used)", found, holds_if(not odd))]


def unit_rows(subject: Subject) -> list[Row]:
    """One line for each variable whose unit matters, with the spelling of the file."""
    rows = []
    for role, stored in subject.present.items():
        quantity = subject.product.variables[role].quantity
        if quantity not in IN_WORDS:
            continue
        units = str(stored.attributes.get("UNITS", "")).strip()
        good = factor_of(quantity, units) is not None
        verdict: Verdict = "holds" if good else "fails" if quantity in ("flux", "energy") else "differs"
        rows.append(Row("units", stored.name, IN_WORDS[quantity], repr(units) if units else "none", verdict))
    return rows
