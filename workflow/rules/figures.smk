# The figures that look closer: at one storm, at what the fits leave, and at what other choices would have given.
localrules:
    plot_storm_channels,
    plot_residuals,
    plot_rate_distributions,
    plot_pitch_angles,
    plot_probes,
    plot_sensitivity,


# A joint fit has no sums of its own; where series are fitted anew, or shown, it is the merged flux.
ONE_SERIES = (
    "merged"
    if config["lifetimes"]["probe"] == "joint"
    else config["lifetimes"]["probe"]
)
# Figures of one L show the middle one.
MIDDLE_L = sorted(config["figures"]["L"])[len(config["figures"]["L"]) // 2]
CELLS = {name: config["figures"][name] for name in ("energies", "L")}
WINDOWS = {
    name: value for name, value in config["windows"].items() if name != "compare_delays"
}


rule fit_pitch_angles:
    input:
        binned=expand(
            f"{RESOURCES}/binned/{{probe}}_{{period}}.nc",
            probe=config["probes"],
            period=binning_periods(),
        ),
        decays=f"{RESULTS}/decays.nc",
        storms=f"{RESULTS}/storms.csv",
        index=f"{RESOURCES}/index.nc",
        Kp=config["index"]["Kp_files"],
        lock=f"{RESULTS}/inputs.tsv",
        table=config["windows"]["table"] or [],
    output:
        lifetimes=f"{RESULTS}/pitch_angles.nc",
        table=report(
            f"{RESULTS}/pitch_angles.csv",
            caption="../report/pitch_angles_table.rst",
            category="Lifetimes",
            labels={"result": "By pitch angle, table"},
        ),
    log:
        f"{LOGS}/fit_pitch_angles.log",
    benchmark:
        f"{LOGS}/benchmarks/fit_pitch_angles.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("fit_pitch_angles"),
        cells=CELLS,
        windows=WINDOWS,
        fit=config["fit"],
        probe=ONE_SERIES,
    message:
        "Fitting some cells by equatorial pitch angle"
    script:
        "../scripts/fit_pitch_angles.py"


rule vary_choices:
    input:
        binned=f"{RESOURCES}/binned.nc",
        decays=f"{RESULTS}/decays.nc",
        delays=f"{RESULTS}/start_delays.nc",
        storms=f"{RESULTS}/storms.csv",
        index=f"{RESOURCES}/index.nc",
        lock=f"{RESULTS}/inputs.tsv",
        table=config["windows"]["table"] or [],
    output:
        choices=f"{RESULTS}/sensitivity.nc",
        table=report(
            f"{RESULTS}/sensitivity.csv",
            caption="../report/sensitivity_table.rst",
            category="Validation",
            labels={"result": "Other choices, table"},
        ),
    log:
        f"{LOGS}/vary_choices.log",
    benchmark:
        f"{LOGS}/benchmarks/vary_choices.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("vary_choices"),
        cells=CELLS,
        windows=WINDOWS,
        fit=config["fit"],
        probe=ONE_SERIES,
    message:
        "Fitting some cells with other windows, bins and estimators"
    script:
        "../scripts/vary_choices.py"


rule plot_storm_channels:
    input:
        binned=f"{RESOURCES}/binned.nc",
        decays=f"{RESULTS}/decays.nc",
    output:
        png=report(
            f"{RESULTS}/figures/storm_channels.png",
            caption="../report/storm_channels.rst",
            category="Fits",
            labels={"result": "All channels of a storm"},
        ),
        svg=f"{RESULTS}/figures/storm_channels.svg",
    log:
        f"{LOGS}/plot_storm_channels.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_storm_channels.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        code=code("plot_storm_channels"),
        storm=config["figures"]["storm"],
        L=MIDDLE_L,
        probe=config["lifetimes"]["probe"],
    message:
        "Drawing all channels of one storm with their fits"
    script:
        "../scripts/plot_storm_channels.py"


rule plot_residuals:
    input:
        binned=f"{RESOURCES}/binned.nc",
        decays=f"{RESULTS}/decays.nc",
    output:
        png=report(
            f"{RESULTS}/figures/residuals.png",
            caption="../report/residuals.rst",
            category="Validation",
            labels={"result": "Residuals of the fits"},
        ),
        svg=f"{RESULTS}/figures/residuals.svg",
    log:
        f"{LOGS}/plot_residuals.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_residuals.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        code=code("plot_residuals"),
        energies=CELLS["energies"],
        L=MIDDLE_L,
        probe=ONE_SERIES,
    message:
        "Drawing the residuals of the fits"
    script:
        "../scripts/plot_residuals.py"


rule plot_rate_distributions:
    input:
        decays=f"{RESULTS}/decays.nc",
        lifetimes=f"{RESULTS}/lifetimes.nc",
    output:
        png=report(
            f"{RESULTS}/figures/rate_distributions.png",
            caption="../report/rate_distributions.rst",
            category="Lifetimes",
            labels={"result": "Rates of single storms"},
        ),
        svg=f"{RESULTS}/figures/rate_distributions.svg",
    log:
        f"{LOGS}/plot_rate_distributions.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_rate_distributions.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_rate_distributions"),
        cells=CELLS,
        probe=config["lifetimes"]["probe"],
    message:
        "Drawing the rates of single storms"
    script:
        "../scripts/plot_rate_distributions.py"


rule plot_pitch_angles:
    input:
        lifetimes=f"{RESULTS}/pitch_angles.nc",
    output:
        png=report(
            f"{RESULTS}/figures/pitch_angles.png",
            caption="../report/pitch_angles.rst",
            category="Lifetimes",
            labels={"result": "By pitch angle"},
        ),
        svg=f"{RESULTS}/figures/pitch_angles.svg",
    log:
        f"{LOGS}/plot_pitch_angles.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_pitch_angles.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_pitch_angles"),
        cells=CELLS,
    message:
        "Drawing decay times against pitch angle"
    script:
        "../scripts/plot_pitch_angles.py"


rule plot_probes:
    input:
        decays=f"{RESULTS}/decays.nc",
    output:
        png=report(
            f"{RESULTS}/figures/probes.png",
            caption="../report/probes.rst",
            category="Validation",
            labels={"result": "Probe A against probe B"},
        ),
        svg=f"{RESULTS}/figures/probes.svg",
    log:
        f"{LOGS}/plot_probes.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_probes.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_probes"),
        cells=CELLS,
    message:
        "Drawing the rates of one probe against those of the other"
    script:
        "../scripts/plot_probes.py"


rule plot_sensitivity:
    input:
        choices=f"{RESULTS}/sensitivity.nc",
    output:
        png=report(
            f"{RESULTS}/figures/sensitivity.png",
            caption="../report/sensitivity.rst",
            category="Validation",
            labels={"result": "Other choices"},
        ),
        svg=f"{RESULTS}/figures/sensitivity.svg",
    log:
        f"{LOGS}/plot_sensitivity.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_sensitivity.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_sensitivity"),
        energies=CELLS["energies"],
        L=MIDDLE_L,
    message:
        "Drawing decay times under other choices"
    script:
        "../scripts/plot_sensitivity.py"
