"""The function that makes networks, and the file that it is written in."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from search_spaces.errors import InvalidInput

_HASHES: dict[Any, str] = {}
"""Of functions that are imported already: the file may change afterwards, and they do not."""


def import_factory(text: str) -> Callable[..., Any]:
    """The function that ``package.module:function`` names.

    Raises ``InvalidInput`` where there is none, and where it is written in another file than the
    one that is named: that file's hash would say nothing of it.
    """
    module, function = split_name(text)
    try:
        found: Any = importlib.import_module(module)
    except Exception as failure:
        raise InvalidInput(f"factory={text!r} cannot be imported: {failure}") from failure
    for part in function.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise InvalidInput(f"factory={text!r}: {module} has no function {function!r}")
    written = inspect.unwrap(found)
    home = written.__module__ if inspect.isfunction(written) or inspect.isclass(written) else module
    if home != module:
        raise InvalidInput(
            f"factory={text!r} is written in {home}; name it there, as {home}:{function}"
        )
    factory: Callable[..., Any] = found
    return factory


def hash_source(text: str) -> str:
    """The sha256 of the file that holds a factory (16 hexadecimal digits), without importing it.

    Of a function that is imported already it stays what it was when first asked for. Raises
    ``InvalidInput`` where there is no such file.
    """
    module, _ = split_name(text)
    function = import_factory(text) if module in sys.modules else None
    if function is not None and function in _HASHES:
        return _HASHES[function]
    file = find_file(text, module)
    found = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    if function is not None:
        _HASHES[function] = found
    return found


def split_name(text: str) -> tuple[str, str]:
    """(package.module, function); raises ``InvalidInput`` for what reads otherwise."""
    if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", text):
        raise InvalidInput(f"factory={text!r} names no function; write package.module:function")
    module, _, function = text.partition(":")
    if module == "__main__":
        raise InvalidInput(
            f"factory={text!r} is in no file that another process could import; write it to one"
        )
    return module, function


def find_file(text: str, module: str) -> Path:
    """The file of a module; raises ``InvalidInput`` where it cannot be found or read."""
    reason = "it is in no file that another process could import"
    try:
        spec = importlib.util.find_spec(module)
        if spec is None:
            reason = f"there is no module {module!r}"
        elif spec.origin is not None and Path(spec.origin).suffix == ".py":
            return Path(spec.origin)
    except Exception as failure:  # a parent package's own code
        reason = " ".join(str(failure).split()) or type(failure).__name__
    raise InvalidInput(f"factory={text!r} cannot be imported: {reason}")
