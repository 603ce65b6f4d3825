"""Settings with which PyTorch ends its process from C++: another process tries them first."""

from __future__ import annotations

import importlib.abc
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

from search_spaces.errors import InvalidInput

VARIABLES: Final = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")
"""Read by PyTorch while it is loaded; what it does not know aborts the process, and no exception
can be caught."""


class TriedFirst(importlib.abc.MetaPathFinder):
    """Finds no module, but tries ``torch`` in another process when it is about to be loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None, so that others find the module; raises ``InvalidInput`` for a bad setting."""
        if fullname == "torch":
            sys.meta_path.remove(self)
            require_loadable()
        return None


def try_settings_first() -> None:
    """Where a variable of ``VARIABLES`` is set, the first ``import torch`` is tried elsewhere.

    That costs the seconds of loading PyTorch once more; without such a variable nothing is done.
    """
    if "torch" not in sys.modules and any(os.environ.get(name) for name in VARIABLES):
        sys.meta_path.insert(0, TriedFirst())


def require_loadable() -> None:
    """Raise ``InvalidInput`` where PyTorch aborts with the settings of this environment."""
    command = [sys.executable, "-c", "import torch"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode == -signal.SIGABRT:
        said = " and ".join(
            f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ
        )
        raise InvalidInput(f"PyTorch cannot be loaded with {said}; correct it or unset it")
