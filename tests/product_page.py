"""The page docs/products.md, made from the descriptions of products; `python tests/product_page.py` writes it anew."""

from __future__ import annotations

from pathlib import Path

from ringdecay.products import PRODUCTS, EnergyTable, Product

PAGE = Path(__file__).resolve().parents[1] / "docs/products.md"
_HEAD = """# Products

Every data product that ringdecay knows, as `ringdecay/products/` describes it; one test holds this page to the descriptions, and
another the descriptions to NASA's SPASE records. `ringdecay check FILE` compares a file with its description. A file's own channel
energies are the ones that are used; those below are what is expected.
"""
_KINDS = {
    "flux": "Flux: `open_flux`, `bin_flux`, `product:` in the config",
    "ephemeris": "Ephemeris: `open_ephemeris`",
    "index": "Indices that can be fetched: `open_index`, `index.product` in the config",
}


def page() -> str:
    parts = [_HEAD]
    for kind, title in _KINDS.items():
        parts.append(f"## {title}\n")
        parts += [_product(product) for product in PRODUCTS.values() if product.kind == kind]
    return "\n".join(parts)


def _product(product: Product) -> str:
    lines = [f"### {product.name}\n", f"{product.title}.\n"]
    if product.dataset:
        lines.append(f"- Data set: `{product.dataset}`")
    lines.append(f"- At SPDF: `{product.directory}`, a file a {product.period}")
    lines += [f"- Probe {probe}: {first} to {last}" for probe, (first, last) in product.span.items()]
    lines += [_table(table) for table in product.energy_tables]
    if product.kind == "flux":
        flags = f"; values with the quality flag {', '.join(map(str, product.good_quality))} are used" if product.good_quality else ""
        lines.append(f"- The record's time is the {product.time_is} of its accumulation{flags}")
    lines += [f"- **Note:** {caveat.text} ({caveat.source})" for caveat in product.caveats]
    return "\n".join(lines) + "\n"


def _table(table: EnergyTable) -> str:
    span = (f" from {table.start}" if table.start else "") + (f" until {table.stop}" if table.stop else "")
    return f"- Energies{span}, keV: {', '.join(f'{energy:g}' for energy in table.energies)} ({table.source})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
