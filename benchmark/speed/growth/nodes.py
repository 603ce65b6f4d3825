"""A Ray cluster of many nodes on this machine, whose GPUs are only declared."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmark.sweep.driver.cluster import SETTINGS
from benchmark.sweep.driver.variables import set_variables
from benchmark.sweep.resources import Resources

STORE: Final = 80 * 2**20
"""Bytes of a node's object store, which holds shards."""
PATIENCE: Final = 600.0
"""Seconds for all nodes to start: they do so on the real cores, one after the other."""


@dataclass(frozen=True, kw_only=True)
class DeclaredResources(Resources):
    """A GPU for each shard as Ray counts it; work that needs none finds none."""

    @property
    def per_rank(self) -> dict[str, float]:
        """What a shard takes from its node."""
        return {"CPU": float(self.cpus), "GPU": 1.0}


@contextmanager
def simulate_nodes(count: int) -> Iterator[None]:
    """``count`` nodes of one core and one declared GPU each, and a head without either.

    A sweep that begins meanwhile joins them (RAY_ADDRESS). All of them share the real cores.
    """
    os.environ |= SETTINGS
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory(dir="/tmp", prefix="n", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "ray").mkdir()
        head: dict[str, Any] = {
            "num_cpus": 0,
            "temp_dir": f"{folder}/ray",
            "include_dashboard": False,
        }
        with set_variables(RAY_TMPDIR=folder):
            nodes = Cluster(initialize_head=True, head_node_args=head)
            try:
                for _ in range(count):
                    nodes.add_node(wait=False, num_cpus=1, num_gpus=1, object_store_memory=STORE)
                nodes.wait_for_nodes(timeout=PATIENCE)
                with set_variables(RAY_ADDRESS=nodes.address):
                    yield
            finally:
                nodes.shutdown()  # type: ignore[no-untyped-call]
