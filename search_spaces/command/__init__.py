"""The front of every command: its arguments, one sentence for bad input, one end for signals."""

from search_spaces.command.arguments import Parser, list_arguments, local_path
from search_spaces.command.endings import (
    entry_point,
    report_error,
    report_interruption,
    report_uncaught,
)

__all__ = [
    "Parser",
    "entry_point",
    "list_arguments",
    "local_path",
    "report_error",
    "report_interruption",
    "report_uncaught",
]
