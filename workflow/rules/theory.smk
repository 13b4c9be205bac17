localrules:
    compare_theory,
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
            labels={"table": "observed against predicted"},
        ),
        factors=report(
            f"{RESULTS}/theory_factors.csv",
            caption="../report/theory_factors.rst",
            category="Theory",
            labels={"table": "factors a and b"},
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
            labels={"figure": "observed against predicted"},
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
