"""Is a file all right? Each expectation of it with what was found, and whether the pipeline can use it.

Whether a file can be used is never judged here: the reader of its product is called, and what it says is the verdict.
"""

from ringdecay.check.checking import check_file
from ringdecay.check.recognise import recognise
from ringdecay.check.report import one_line, report, to_record

__all__ = ["check_file", "one_line", "recognise", "report", "to_record"]
