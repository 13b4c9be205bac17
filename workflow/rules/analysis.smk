localrules:
    find_storms,
    relate_storms,
    average_lifetimes,


rule bin_flux:
    input:
        lock=lock_of,
    output:
        binned=f"{RESOURCES}/binned/{{probe}}_{{period}}.nc",
    log:
        f"{LOGS}/bin_flux/{{probe}}_{{period}}.log",
    benchmark:
        f"{LOGS}/benchmarks/bin_flux/{{probe}}_{{period}}.tsv"
    # With workers of its own a job takes four cores, or all if there are fewer; --set-threads bin_flux=16 for another number.
    threads: 4 if config["dask"] in ("processes", "threads") else 1
    resources:
        mem_mb=lambda wildcards, threads: 1500 + 500 * threads,
    params:
        code=code("bin_flux"),
        span=span,
        archive=archive_place(),
        cache=config["cache"],
        product=config["product"],
        grid=config["grid"],
        exclude=config["exclude"],
        reader=config["reader"],
    message:
        "Binning probe {wildcards.probe}, {wildcards.period}"
    script:
        "../scripts/bin_flux.py"


rule merge_binned:
    input:
        binned=expand(
            f"{RESOURCES}/binned/{{probe}}_{{period}}.nc",
            probe=config["probes"],
            period=binning_periods(),
        ),
    output:
        binned=f"{RESOURCES}/binned.nc",
        files=report(
            f"{RESULTS}/files.csv",
            caption="../report/files.rst",
            category="Coverage",
            labels={"result": "Files used and refused (table)"},
        ),
    log:
        f"{LOGS}/merge_binned.log",
    benchmark:
        f"{LOGS}/benchmarks/merge_binned.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("merge_binned"),
        equatorial_pitch_angle=config["flux"]["equatorial_pitch_angle"],
    message:
        "Adding the binned flux and writing the table of files"
    script:
        "../scripts/merge_binned.py"


rule find_storms:
    input:
        storm_input,
    output:
        storms=report(
            f"{RESULTS}/storms.csv",
            caption="../report/storms.rst",
            category="Storms",
            labels={"result": "Storms (table)"},
        ),
    log:
        f"{LOGS}/find_storms.log",
    benchmark:
        f"{LOGS}/benchmarks/find_storms.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("find_storms"),
        storms=config["storms"],
    message:
        "Finding storms in the index"
    script:
        "../scripts/find_storms.py"


rule fit_decays:
    input:
        binned=f"{RESOURCES}/binned.nc",
        storms=f"{RESULTS}/storms.csv",
        index=f"{RESOURCES}/index.nc",
        lock=f"{RESULTS}/inputs.tsv",
        table=config["windows"]["table"] or [],
    output:
        decays=f"{RESULTS}/decays.nc",
    log:
        f"{LOGS}/fit_decays.log",
    benchmark:
        f"{LOGS}/benchmarks/fit_decays.tsv"
    threads: FIT_THREADS
    resources:
        mem_mb=4000,
    params:
        code=code("fit_decays"),
        windows={
            name: value
            for name, value in config["windows"].items()
            if name != "compare_delays"
        },
        fit=config["fit"],
        joint=len(config["probes"]) == 2,
    message:
        "Fitting a decay to every storm, probe, energy and L-shell"
    script:
        "../scripts/fit_decays.py"


rule compare_delays:
    input:
        binned=f"{RESOURCES}/binned.nc",
        storms=f"{RESULTS}/storms.csv",
        index=f"{RESOURCES}/index.nc",
        lock=f"{RESULTS}/inputs.tsv",
    output:
        fits=f"{RESULTS}/start_delays.nc",
        table=report(
            f"{RESULTS}/start_delays.csv",
            caption="../report/start_delays.rst",
            category="Validation",
            labels={"result": "Start delays (table)"},
        ),
    log:
        f"{LOGS}/compare_delays.log",
    benchmark:
        f"{LOGS}/benchmarks/compare_delays.tsv"
    threads: FIT_THREADS
    resources:
        mem_mb=4000,
    params:
        code=code("compare_delays"),
        delays=config["windows"]["compare_delays"],
        # The end of a window is that of the run's windows from the index, whatever the source of the windows.
        windows={
            name: config["windows"][name]
            for name in (
                "start_delay_days",
                "max_days",
                "max_gap_days",
                "injection_dip",
            )
        },
        fit=config["fit"],
    message:
        "Fitting every storm with several starts"
    script:
        "../scripts/compare_delays.py"


rule relate_storms:
    input:
        decays=f"{RESULTS}/decays.nc",
        Kp=config["index"]["Kp_files"],
    output:
        influence=report(
            f"{RESULTS}/influence.csv",
            caption="../report/influence.rst",
            category="Lifetimes",
            labels={"result": "Influence of each storm (table)"},
        ),
        dependence=report(
            f"{RESULTS}/dependence.csv",
            caption="../report/dependence.rst",
            category="Lifetimes",
            labels={"result": "Dependence on depth, season and Kp (table)"},
        ),
    log:
        f"{LOGS}/relate_storms.log",
    benchmark:
        f"{LOGS}/benchmarks/relate_storms.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("relate_storms"),
        confidence=config["fit"]["confidence"],
        lifetimes=config["lifetimes"],
    message:
        "Leaving out each storm, and relating the rates to the storms"
    script:
        "../scripts/relate_storms.py"


rule average_lifetimes:
    input:
        decays=f"{RESULTS}/decays.nc",
        lock=f"{RESULTS}/inputs.tsv",
        Kp=config["index"]["Kp_files"],
    output:
        lifetimes=f"{RESULTS}/lifetimes.nc",
    log:
        f"{LOGS}/average_lifetimes.log",
    benchmark:
        f"{LOGS}/benchmarks/average_lifetimes.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("average_lifetimes"),
        confidence=config["fit"]["confidence"],
        lifetimes=config["lifetimes"],
        theory=config["theory"],
    message:
        "Averaging the rates over storms, with the predicted beside"
    script:
        "../scripts/average_lifetimes.py"


rule fit_surface:
    input:
        decays=f"{RESULTS}/decays.nc",
        lock=f"{RESULTS}/inputs.tsv",
    output:
        surface=f"{RESULTS}/surface.nc",
        table=report(
            f"{RESULTS}/surface.csv",
            caption="../report/surface.rst",
            category="Lifetimes",
            labels={"result": "Smooth surface (table)"},
        ),
    log:
        f"{LOGS}/fit_surface.log",
    benchmark:
        f"{LOGS}/benchmarks/fit_surface.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("fit_surface"),
        confidence=config["fit"]["confidence"],
        lifetimes=config["lifetimes"],
    message:
        "Fitting a smooth surface of the decay time over energy and L"
    script:
        "../scripts/fit_surface.py"


rule measure_energy:
    input:
        binned=f"{RESOURCES}/binned.nc",
        decays=f"{RESULTS}/decays.nc",
        storms=f"{RESULTS}/storms.csv",
        index=f"{RESOURCES}/index.nc",
        solar_wind=f"{RESOURCES}/solar_wind.nc",
        lock=f"{RESULTS}/inputs.tsv",
    output:
        content=f"{RESULTS}/energy_content.nc",
        content_table=f"{RESULTS}/energy_content.csv",
        pressure_table=report(
            f"{RESULTS}/pressure.csv",
            caption="../report/pressure.rst",
            category="Storms",
            labels={"result": "Partial pressure (table)"},
        ),
        decays=f"{RESULTS}/energy_decay.nc",
        decay_table=report(
            f"{RESULTS}/energy_decay.csv",
            caption="../report/energy_decay.rst",
            category="Storms",
            labels={"result": "Decay of the energy (table)"},
        ),
    log:
        f"{LOGS}/measure_energy.log",
    benchmark:
        f"{LOGS}/benchmarks/measure_energy.tsv"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        code=code("measure_energy"),
        subtract_floor=config["energy_content"]["subtract_floor"],
        energy={
            name: config["energy_content"][name] for name in ("band_edges", "L_range")
        },
        # Those of the windows from the index, whatever the source of the windows of the flux.
        windows={
            name: config["windows"][name]
            for name in (
                "start_delay_days",
                "max_days",
                "max_gap_days",
                "injection_dip",
            )
        },
        L=config["figures"]["L"],
        confidence=config["fit"]["confidence"],
    message:
        "Finding the energy of the ring current and its decay"
    script:
        "../scripts/measure_energy.py"
