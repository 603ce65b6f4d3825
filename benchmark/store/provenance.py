"""Where and how a number came about: recorded beside the rows, never part of a unit's id.

No host name, user or path: a results folder can be published as it is. The processor's name and the
commit are a line of a file and of git each, so that no library is asked for them.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "ray", "numpy", "pyarrow")


@cache
def find_commit() -> str:
    """The git commit of this source tree, ``-dirty`` where it was changed, or ``unknown``.

    It is unknown too where this file lies in a repository that does not hold it: an installed copy
    inside another project's folder.
    """
    try:
        run_git("ls-files", "--error-unmatch", "--", Path(__file__).name)
        head = run_git("rev-parse", "HEAD")
        return f"{head}-dirty" if run_git("status", "--porcelain", "--untracked-files=no") else head
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def run_git(*arguments: str) -> str:
    """What git says in the folder of this file, whatever repository the environment names."""
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    surroundings = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=surroundings)
    return done.stdout.strip()


@cache
def describe_environment() -> dict[str, Any]:
    """Versions and machine of this process."""
    return {
        "versions": {"python": platform.python_version()} | {p: find_version(p) for p in PACKAGES},
        "platform": platform.platform(),
        "processor": find_processor(),
        "cores": os.cpu_count(),
    }


def find_version(package: str) -> str:
    """A package's version without importing it; ``unknown`` where its metadata are missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def find_processor() -> str:
    """The processor's model as the system names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def make_record(
    source: str, seconds: float, resources: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The provenance of a unit that has just been run.

    ``source`` is the driver's ``commit()`` (a worker on another machine may have no git tree),
    ``seconds`` the wall time that the unit took, ``resources`` what its shard could use (a share of
    a GPU below 1 means that the time was taken in company).
    """
    known = resources or {}
    on_gpu = bool(known.get("gpus"))
    found = describe_environment() | {
        "commit": source,
        "seconds": round(seconds, 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "resources": known,
        "accelerator": find_accelerator() if on_gpu else "none",
        "float32_products": float32_products(),
    }
    return found | ({"cuda_mps": runs_cuda_mps()} if on_gpu else {})


def list_records(stored: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of a unit's provenance: one for each time that some of it was trained."""
    earlier = stored.get("earlier", [])
    return [{name: stored[name] for name in stored if name != "earlier"}, *earlier]


def runs_cuda_mps() -> bool:
    """Whether NVIDIA's Multi-Process Service, which lets processes share a GPU, runs here.

    Its daemon keeps a pipe in CUDA_MPS_PIPE_DIRECTORY, or in /tmp/nvidia-mps.
    """
    folder = os.environ.get("CUDA_MPS_PIPE_DIRECTORY") or "/tmp/nvidia-mps"
    return Path(folder, "control").exists()


@cache
def find_accelerator() -> str:
    """The GPU's model, or ``none``."""
    import torch  # a driver that only plans does without

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none"


def float32_products() -> str:
    """How this process multiplies float32 matrices: ``float32``, or ``tf32`` on tensor cores.

    Where torch was not loaded, nothing was multiplied: ``none``.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return "none"
    rounded = torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32
    return "tf32" if rounded else "float32"
