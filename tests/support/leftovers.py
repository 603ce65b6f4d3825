"""Which processes still know of a folder: how tests see that a Ray of their own is gone."""

import time
from pathlib import Path


def left_running(folder: Path, patience: float = 5.0) -> list[str]:
    """The command lines that name ``folder``, once they are none or patience is at its end."""
    deadline = time.monotonic() + patience
    while (found := running(folder)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def running(folder: Path) -> list[str]:
    commands = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it ended meanwhile
            continue
    return [command for command in commands if str(folder) in command]
