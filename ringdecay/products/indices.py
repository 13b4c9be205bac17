"""Geomagnetic and solar indices as SPDF distributes them, in NASA's OMNI data set."""

from ringdecay.products.description import Product

PRODUCTS = (
    Product(
        name="omni-hro-1min",
        title="OMNI high-resolution, 1 min: SYM-H",
        kind="index",
        directory="omni/omni_cdaweb/hro_1min/{year}",
        filename=r"omni_hro_1min_(?P<date>\d{{8}})_v(?P<version>\d+)\.cdf",
        period="month",
        probes=(),
        format="cdf",
    ),
    Product(
        name="omni-hro-5min",
        title="OMNI high-resolution, 5 min: SYM-H",
        kind="index",
        directory="omni/omni_cdaweb/hro_5min/{year}",
        filename=r"omni_hro_5min_(?P<date>\d{{8}})_v(?P<version>\d+)\.cdf",
        period="month",
        probes=(),
        format="cdf",
    ),
    Product(
        name="omni2-hourly",
        title="OMNI2 hourly, CDF: Dst, Kp, F10.7",
        kind="index",
        directory="omni/omni_cdaweb/hourly/{year}",
        filename=r"omni2_h0_mrg1hr_(?P<date>\d{{8}})_v(?P<version>\d+)\.cdf",
        period="half-year",
        probes=(),
        format="cdf",
    ),
    Product(
        name="omni2-yearly",
        title="OMNI2 hourly, yearly text files: Dst, Kp, F10.7",
        kind="index",
        directory="omni/low_res_omni",
        # These names carry no version: SPDF replaces the file in place.
        filename=r"omni2_(?P<date>\d{{4}})\.dat",
        period="year",
        probes=(),
        format="text",
    ),
)
