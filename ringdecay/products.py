"""What is known of each data product before a file is opened: where it lies, how it is named, what is inside.

A description is data, not code. The reader compares each file with it and says what differs. Sources: NASA's SPASE records of
the Van Allen Probes and OMNI data sets (variable names, sizes, units, fills, bin centres) and SPDF's directory layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ringdecay.errors import unknown

Period = Literal["day", "month", "year"]


@dataclass(frozen=True)
class FluxVariables:
    """The variables of a flux file, by their role.

    Attributes
    ----------
    time, flux, energy, pitch_angle : str
        Names of the variables with the record time, the differential flux and its two axes.
    counting_error : str or None
        Counting error in percent, 100 / sqrt(counts).
    counts : str or None
        Counts, where the file gives them instead of an error.
    quality : str or None
        Flag of each flux value; a value is used only if its flag is in `good_quality`.
    L, L_star, L_eq, MLT, position_SM, position : str or None
        Dipole L, Roederer L*, McIlwain L, magnetic local time and positions.
    time_is : {"start", "centre"}
        Whether the record time is the start or the centre of the accumulation.
    """

    time: str
    flux: str
    energy: str
    pitch_angle: str
    time_is: Literal["start", "centre"]
    pitch_angle_range: str | None = None
    counting_error: str | None = None
    counts: str | None = None
    quality: str | None = None
    good_quality: tuple[int, ...] = ()
    L: str | None = None
    L_eq: str | None = None
    L_star: str | None = None
    MLT: str | None = None
    position_SM: str | None = None
    position: str | None = None
    position_quality: str | None = None


@dataclass(frozen=True)
class Product:
    """One data product: where its files lie, and for a flux product what they hold.

    Attributes
    ----------
    name, title : str
        Our name and a line for people.
    directory : str
        Directory below the root of the archive; `{probe}` and `{year}` are filled in.
    filename : str
        Regular expression (matched without regard to case) with `{probe}` and the named groups `date` (YYYYMMDD or YYYY) and
        `version`.
    period : {"day", "month", "year"}
        How much time one file holds.
    probes : tuple of str
        Probes that have it; empty for a product without a probe, such as an index.
    format : {"cdf", "text"}
        What a file must begin like.
    flux : FluxVariables or None
        The contents, for a flux product.
    energies : tuple of float
        Nominal channel energies, keV; compared with the file's own table.
    energy_tolerance : float
        Largest relative difference between the file's table and the nominal one before a warning is given.
    """

    name: str
    title: str
    directory: str
    filename: str
    period: Period
    probes: tuple[str, ...]
    format: Literal["cdf", "text"]
    flux: FluxVariables | None = None
    energies: tuple[float, ...] = ()
    energy_tolerance: float = 0.05


_VERSION = r"v(?P<version>\d+(?:\.\d+)*(?:-\d+)?)"

PRODUCTS: dict[str, Product] = {
    product.name: product
    for product in (
        Product(
            name="rbspice-pap-tofxeh",
            title="RBSPICE level 3 pitch-angle and pressure: protons 45-598 keV by time of flight and energy",
            directory="rbsp/rbsp{probe}/l3/rbspice/pap_tofxeh/{year}",
            # SPDF separates "lev-3-pap" with a hyphen, the team site writes PAP and TOFxEH in mixed case.
            filename=r"rbsp-{probe}-rbspice_lev-3[-_]pap_tofxeh_(?P<date>\d{{8}})_" + _VERSION + r"\.cdf",
            period="day",
            probes=("a", "b"),
            format="cdf",
            flux=FluxVariables(
                time="Epoch",
                time_is="start",
                flux="FPDU",
                energy="FPDU_Energy",
                pitch_angle="PA_Midpoint",
                pitch_angle_range="PA_Range",
                counting_error="FPDU_Error",
                quality="FPDU_Quality",
                # The L3 record says "10=OK"; what other values mean is not documented where we could read it.
                good_quality=(10,),
                L="L",
                L_eq="L_Eq",
                L_star="L_Star",
                MLT="MLT",
                position_SM="Position_SM",
                position="Position",
                position_quality="Position_Quality",
            ),
            # SPASE record of RBSP-A-RBSPICE_LEV-3-PAP_TOFXEH, bin centres.
            energies=(44.7, 54.7, 67.1, 81.6, 99.4, 121.0, 148.0, 181.0, 220.0, 269.0, 328.0, 400.0, 489.0, 598.0),
        ),
        Product(
            name="hope-pa",
            title="ECT HOPE level 3 pitch angle: protons 1 eV-52 keV",
            directory="rbsp/rbsp{probe}/l3/ect/hope/pitchangle/rel04/{year}",
            filename=r"rbsp{probe}_rel04_ect-hope-pa-l3_(?P<date>\d{{8}})_" + _VERSION + r"\.cdf",
            period="day",
            probes=("a", "b"),
            format="cdf",
            flux=FluxVariables(
                time="Epoch_Ion",
                time_is="centre",
                flux="FPDU",
                energy="HOPE_ENERGY_Ion",
                pitch_angle="PITCH_ANGLE",
                counts="Counts_P",
                L="L_Ion",
                L_star="L_star_Ion",
                MLT="MLT_Ion",
                position="Position_Ion",
            ),
        ),
        Product(
            name="omni-hro-1min",
            title="OMNI high-resolution, 1 min: SYM-H",
            directory="omni/omni_cdaweb/hro_1min/{year}",
            filename=r"omni_hro_1min_(?P<date>\d{{8}})_v(?P<version>\d+)\.cdf",
            period="month",
            probes=(),
            format="cdf",
        ),
        Product(
            name="omni-hro-5min",
            title="OMNI high-resolution, 5 min: SYM-H",
            directory="omni/omni_cdaweb/hro_5min/{year}",
            filename=r"omni_hro_5min_(?P<date>\d{{8}})_v(?P<version>\d+)\.cdf",
            period="month",
            probes=(),
            format="cdf",
        ),
        Product(
            name="omni2-yearly",
            title="OMNI2 hourly, yearly text files: Dst, Kp, F10.7",
            directory="omni/low_res_omni",
            # These names carry no version: SPDF replaces the file in place.
            filename=r"omni2_(?P<date>\d{{4}})\.dat",
            period="year",
            probes=(),
            format="text",
        ),
    )
}


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
