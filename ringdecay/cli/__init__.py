"""The command line: one subcommand a stage, each a call of the function that a notebook would call.

`group` is the command and what its subcommands share; importing `inputs`, `analysis` and `results` adds the subcommands to it. Each
loads what it needs only when it is called, so that `ringdecay --help` is quick.
"""

from ringdecay.cli import analysis, inputs, results
from ringdecay.cli.group import main

__all__ = ["analysis", "inputs", "main", "results"]
