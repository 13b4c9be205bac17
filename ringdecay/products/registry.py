"""All products by their names."""

from __future__ import annotations

from ringdecay.errors import unknown
from ringdecay.products import ect, ephemeris, indices, rbspice
from ringdecay.products.description import Product

PRODUCTS: dict[str, Product] = {
    product.name: product for product in (*rbspice.PRODUCTS, *ect.PRODUCTS, *ephemeris.PRODUCTS, *indices.PRODUCTS)
}
#: Names of the products that `open_flux` opens.
FLUX_PRODUCTS: tuple[str, ...] = tuple(name for name, product in PRODUCTS.items() if product.kind == "flux")


def get_product(name: str) -> Product:
    """Look a product up by its name.

    Raises
    ------
    InputError
        If no product has that name; the message proposes the nearest one.
    """
    try:
        return PRODUCTS[name]
    except KeyError:
        raise unknown("product", name, PRODUCTS) from None
