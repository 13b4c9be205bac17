localrules:
    compare_theory,
    plot_theory_map,
    plot_theory_ratio,


rule compare_theory:
    input:
        decays=f"{RESULTS}/decays.nc",
        lifetimes=f"{RESULTS}/lifetimes.nc",
        lock=f"{RESULTS}/inputs.tsv",
        Kp=config["index"]["Kp_files"],
    output:
        comparison=f"{RESULTS}/theory.nc",
        cells=report(
            f"{RESULTS}/theory.csv",
            caption="../report/theory.rst",
            category="Theory",
            labels={"result": "Observed beside predicted (table)"},
        ),
        factors=report(
            f"{RESULTS}/theory_factors.csv",
            caption="../report/theory_factors.rst",
            category="Theory",
            labels={"result": "Factors of the two processes (table)"},
        ),
    log:
        f"{LOGS}/compare_theory.log",
    benchmark:
        f"{LOGS}/benchmarks/compare_theory.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("compare_theory"),
        theory=config["theory"],
    message:
        "Comparing the rates with charge exchange and Coulomb drag"
    script:
        "../scripts/compare_theory.py"


rule plot_theory_ratio:
    input:
        comparison=f"{RESULTS}/theory.nc",
    output:
        png=report(
            f"{RESULTS}/figures/theory_ratio.png",
            caption="../report/theory_ratio.rst",
            category="Theory",
            labels={"result": "Observed over predicted"},
        ),
        svg=f"{RESULTS}/figures/theory_ratio.svg",
    log:
        f"{LOGS}/plot_theory_ratio.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_theory_ratio.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_theory_ratio"),
        L=config["figures"]["L"],
    message:
        "Drawing the observed rates over the predicted"
    script:
        "../scripts/plot_theory_ratio.py"


rule plot_theory_map:
    input:
        lifetimes=f"{RESULTS}/lifetimes.nc",
    output:
        png=report(
            f"{RESULTS}/figures/theory_map.png",
            caption="../report/theory_map.rst",
            category="Theory",
            labels={"result": "Predicted lifetimes"},
        ),
        svg=f"{RESULTS}/figures/theory_map.svg",
    log:
        f"{LOGS}/plot_theory_map.log",
    benchmark:
        f"{LOGS}/benchmarks/plot_theory_map.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("plot_theory_map"),
        settings=config["figures"]["theory"],
    message:
        "Drawing the map of predicted lifetimes"
    script:
        "../scripts/plot_theory_map.py"
