# On a cluster these run where Snakemake runs: each takes some seconds, and waiting in a queue longer.
localrules:
    write_tables,
    write_estimators,
    write_coverage,
    plot_coverage,
    plot_coverage_cells,
    write_provenance,
    plot_overview,
    plot_storm_fits,
    plot_estimators,
    plot_energy_content,
    plot_lifetime_map,
    plot_lifetime_curves,
    plot_lifetime_surface,


rule write_tables:
    input:
        decays=f"{RESULTS}/decays.nc",
        lifetimes=f"{RESULTS}/lifetimes.nc",
    output:
        decays=f"{RESULTS}/decays.csv",
        lifetimes=report(
            f"{RESULTS}/lifetimes.csv",
            caption="../report/lifetimes.rst",
            category="Lifetimes",
            labels={"result": "Decay times (table)"},
        ),
        latex=f"{RESULTS}/lifetimes.tex",
    log:
        f"{LOGS}/write_tables.log",
    benchmark:
        f"{LOGS}/benchmarks/write_tables.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("write_tables"),
        L=config["figures"]["L"],
    message:
        "Writing the tables"
    script:
        "../scripts/write_tables.py"


rule write_estimators:
    input:
        decays=f"{RESULTS}/decays.nc",
    output:
        estimators=f"{RESULTS}/estimators.csv",
        ratios=report(
            f"{RESULTS}/estimator_ratios.csv",
            caption="../report/estimator_ratios.rst",
            category="Validation",
            labels={"result": "Estimators by energy (table)"},
        ),
    log:
        f"{LOGS}/write_estimators.log",
    benchmark:
        f"{LOGS}/benchmarks/write_estimators.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("write_estimators"),
    message:
        "Writing the estimators side by side"
    script:
        "../scripts/write_estimators.py"


rule write_coverage:
    input:
        files=f"{RESULTS}/files.csv",
        lock=f"{RESULTS}/inputs.tsv",
        index=f"{RESOURCES}/index.nc",
        binned=f"{RESOURCES}/binned.nc",
    output:
        page=report(
            f"{RESULTS}/coverage.html",
            caption="../report/coverage.rst",
            category="Coverage",
            labels={"result": "Days and files (page)"},
        ),
        days=f"{RESULTS}/coverage.csv",
        cells=f"{RESULTS}/coverage_cells.csv",
    log:
        f"{LOGS}/write_coverage.log",
    benchmark:
        f"{LOGS}/benchmarks/write_coverage.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("write_coverage"),
        span=(config["start"], config["stop"]),
        products=dict(
            product=config["product"],
            probes=config["probes"],
            index_product=(
                None if config["index"]["files"] else config["index"]["product"]
            ),
        ),
    message:
        "Writing which days were there"
    script:
        "../scripts/write_coverage.py"


rule plot_coverage:
    input:
        days=f"{RESULTS}/coverage.csv",
        storms=f"{RESULTS}/storms.csv",
    output:
        png=report(
            f"{RESULTS}/figures/coverage.png",
            caption="../report/coverage_calendar.rst",
            category="Coverage",
            labels={"result": "Calendar of the days"},
        ),
        svg=f"{RESULTS}/figures/coverage.svg",
    log:
        f"{LOGS}/plot_coverage.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_coverage.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_coverage"),
    message:
        "Drawing which days were there"
    script:
        "../scripts/plot_coverage.py"


rule plot_coverage_cells:
    input:
        binned=f"{RESOURCES}/binned.nc",
    output:
        png=report(
            f"{RESULTS}/figures/coverage_cells.png",
            caption="../report/coverage_cells.rst",
            category="Coverage",
            labels={"result": "Where records were taken"},
        ),
        svg=f"{RESULTS}/figures/coverage_cells.svg",
    log:
        f"{LOGS}/plot_coverage_cells.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_coverage_cells.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("plot_coverage_cells"),
    message:
        "Drawing where the records were taken"
    script:
        "../scripts/plot_coverage_cells.py"


rule write_provenance:
    input:
        lock=f"{RESULTS}/inputs.tsv",
        lifetimes=f"{RESULTS}/lifetimes.nc",
        decays=f"{RESULTS}/decays.nc",
    output:
        report(
            f"{RESULTS}/provenance.json",
            caption="../report/provenance.rst",
            category="Provenance",
            labels={"result": "What went in"},
        ),
    log:
        f"{LOGS}/write_provenance.log",
    benchmark:
        f"{LOGS}/benchmarks/write_provenance.tsv"
    threads: 1
    resources:
        mem_mb=500,
    params:
        code=code("write_provenance"),
        # Everything that is written down; the results themselves do not depend on all of it.
        config=config,
    message:
        "Writing down what went in"
    script:
        "../scripts/write_provenance.py"


rule plot_overview:
    input:
        binned=f"{RESOURCES}/binned.nc",
        decays=f"{RESULTS}/decays.nc",
        index=f"{RESOURCES}/index.nc",
        storms=f"{RESULTS}/storms.csv",
    output:
        png=report(
            f"{RESULTS}/figures/overview.png",
            caption="../report/overview.rst",
            category="Storms",
            labels={"result": "Index and flux over the run"},
        ),
        svg=f"{RESULTS}/figures/overview.svg",
    log:
        f"{LOGS}/plot_overview.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_overview.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        code=code("plot_overview"),
        figures=config["figures"],
    message:
        "Drawing the overview"
    script:
        "../scripts/plot_overview.py"


rule plot_storm_fits:
    input:
        binned=f"{RESOURCES}/binned.nc",
        decays=f"{RESULTS}/decays.nc",
        index=f"{RESOURCES}/index.nc",
        storms=f"{RESULTS}/storms.csv",
    output:
        png=report(
            f"{RESULTS}/figures/storm_fits.png",
            caption="../report/storm_fits.rst",
            category="Fits",
            labels={"result": "One storm with its fits"},
        ),
        svg=f"{RESULTS}/figures/storm_fits.svg",
    log:
        f"{LOGS}/plot_storm_fits.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_storm_fits.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        code=code("plot_storm_fits"),
        figures=config["figures"],
        probe=config["lifetimes"]["probe"],
    message:
        "Drawing one storm's flux with its fits"
    script:
        "../scripts/plot_storm_fits.py"


rule plot_estimators:
    input:
        decays=f"{RESULTS}/decays.nc",
    output:
        png=report(
            f"{RESULTS}/figures/estimators.png",
            caption="../report/estimators.rst",
            category="Validation",
            labels={"result": "Estimators side by side"},
        ),
        svg=f"{RESULTS}/figures/estimators.svg",
    log:
        f"{LOGS}/plot_estimators.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_estimators.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_estimators"),
    message:
        "Drawing the estimators side by side"
    script:
        "../scripts/plot_estimators.py"


rule plot_energy_content:
    input:
        content=f"{RESULTS}/energy_content.nc",
        decays=f"{RESULTS}/energy_decay.nc",
        index=f"{RESOURCES}/index.nc",
        storms=f"{RESULTS}/storms.csv",
    output:
        png=report(
            f"{RESULTS}/figures/energy_content.png",
            caption="../report/energy_content.rst",
            category="Storms",
            labels={"result": "Energy of the ring current"},
        ),
        svg=f"{RESULTS}/figures/energy_content.svg",
    log:
        f"{LOGS}/plot_energy_content.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_energy_content.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_energy_content"),
    message:
        "Drawing the energy of the ring current"
    script:
        "../scripts/plot_energy_content.py"


rule plot_lifetime_map:
    input:
        lifetimes=f"{RESULTS}/lifetimes.nc",
    output:
        png=report(
            f"{RESULTS}/figures/lifetime_map.png",
            caption="../report/lifetime_map.rst",
            category="Lifetimes",
            labels={"result": "Map of decay times"},
        ),
        svg=f"{RESULTS}/figures/lifetime_map.svg",
    log:
        f"{LOGS}/plot_lifetime_map.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_lifetime_map.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_lifetime_map"),
    message:
        "Drawing the map of decay times"
    script:
        "../scripts/plot_lifetime_map.py"


rule plot_lifetime_curves:
    input:
        truth=truth_input,
        lifetimes=f"{RESULTS}/lifetimes.nc",
    output:
        png=report(
            f"{RESULTS}/figures/lifetime_curves.png",
            caption="../report/lifetime_curves.rst",
            category="Lifetimes",
            labels={"result": "Decay times against energy and L"},
        ),
        svg=f"{RESULTS}/figures/lifetime_curves.svg",
    log:
        f"{LOGS}/plot_lifetime_curves.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_lifetime_curves.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_lifetime_curves"),
        figures=config["figures"],
    message:
        "Drawing decay times against energy and L"
    script:
        "../scripts/plot_lifetime_curves.py"


rule plot_lifetime_surface:
    input:
        truth=truth_input,
        surface=f"{RESULTS}/surface.nc",
        lifetimes=f"{RESULTS}/lifetimes.nc",
    output:
        png=report(
            f"{RESULTS}/figures/lifetime_surface.png",
            caption="../report/lifetime_surface.rst",
            category="Lifetimes",
            labels={"result": "Smooth surface"},
        ),
        svg=f"{RESULTS}/figures/lifetime_surface.svg",
    log:
        f"{LOGS}/plot_lifetime_surface.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_lifetime_surface.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_lifetime_surface"),
        figures=config["figures"],
    message:
        "Drawing the smooth surface of decay times"
    script:
        "../scripts/plot_lifetime_surface.py"
