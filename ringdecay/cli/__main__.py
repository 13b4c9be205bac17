"""python -m ringdecay.cli."""

from ringdecay.cli import main

main(prog_name="ringdecay")
