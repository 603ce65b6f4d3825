"""A Ray cluster of several nodes on this machine, as a process: a line in, another node.

A head without cores and two nodes of one core each; ends, with all of them, where its input does.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any

from ray.cluster_utils import Cluster

if __name__ == "__main__":
    os.environ["RAY_TMPDIR"] = sys.argv[1]  # where Ray notes the newest cluster's address
    folder = Path(sys.argv[1], "ray")
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    head: dict[str, Any] = {
        "num_cpus": 0,
        "temp_dir": str(folder),
        "dashboard_host": "127.0.0.1",
        "dashboard_port": port,
    }
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    print("address", cluster.address, flush=True)
    for _line in sys.stdin:
        cluster.add_node(num_cpus=1)
        print("added", flush=True)
    cluster.shutdown()  # type: ignore[no-untyped-call]
