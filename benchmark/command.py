"""Command lines that answer bad input in one sentence."""

from __future__ import annotations

import argparse
from typing import NoReturn

from search_spaces.errors import InvalidInput


class Parser(argparse.ArgumentParser):
    """Argument errors as the one sentence that every other bad input gets."""

    def error(self, message: str) -> NoReturn:
        raise InvalidInput(f"{message}; see --help")
