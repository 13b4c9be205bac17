"""What is known of each data product before a file is opened: where it lies, how it is named, what is inside.

A description is data, not code. The reader compares each file with it and says what differs. Sources: NASA's SPASE records of the
Van Allen Probes and OMNI data sets (variable names, sizes, units, fills, bin centres) and SPDF's directory layout.
"""

from ringdecay.products.description import ION_NAMES, Caveat, EnergyTable, Period, Product, Quantity, Variable, ion_name
from ringdecay.products.registry import FLUX_PRODUCTS, PRODUCTS, get_product

__all__ = [
    "FLUX_PRODUCTS",
    "ION_NAMES",
    "PRODUCTS",
    "Caveat",
    "EnergyTable",
    "Period",
    "Product",
    "Quantity",
    "Variable",
    "get_product",
    "ion_name",
]
