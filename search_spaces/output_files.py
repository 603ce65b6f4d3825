"""Files that a person names for a command to write: whole or not at all, or one sentence.

A file that is there stays as it is until the new one is complete, so that a full disk, a signal or
a kill costs nothing. Links stay links, and devices and pipes are written to, never replaced.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from search_spaces.errors import InvalidInput


def write_output(
    path: Path, data: bytes | str, option: str = "--out", make_folder: bool = False
) -> None:
    """Write a file; text as UTF-8, its line feeds as they are.

    ``option`` is what named it, for the sentence. Raises ``InvalidInput``.
    """
    content = data.encode() if isinstance(data, str) else data
    make_output(path, lambda draft: draft.write_bytes(content), option, make_folder)


def make_output(
    path: Path,
    write: Callable[[Path], object],
    option: str = "--out",
    make_folder: bool = False,
) -> None:
    """Let ``write`` make the file under a name of its own beside ``path``, then put it there.

    Raises ``InvalidInput`` for what ``write`` raises as ``OSError``, where ``path`` is a folder,
    and where its folder is missing (and not to be made) or cannot be written.
    """
    try:
        place = Path(os.path.realpath(path))
        if place.exists() and not stat.S_ISREG(place.stat().st_mode):
            write(place)
            return
        if make_folder:
            place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{uuid4().hex}.partial")
        try:
            write(draft)
            if place.exists():
                draft.chmod(stat.S_IMODE(place.stat().st_mode))
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"{option} {path} cannot be written ({error.strerror or error}); name a file in a "
            "folder that exists and has room"
        ) from error


def replace_between(page: Path, begin: str, end: str, text: str, option: str = "--out") -> None:
    """Put ``text`` between two marks of a text file.

    Raises ``InvalidInput`` where the file cannot be read or written, or lacks the marks.
    """
    before, _, after = split_at_marks(page, begin, end)
    write_output(page, f"{before}{begin}{text}{end}{after}", option)


def split_at_marks(page: Path, begin: str, end: str) -> tuple[str, str, str]:
    """A text file before, between and after its marks; raises ``InvalidInput``."""
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise InvalidInput(f"{page} cannot be read ({reason}); name another file") from error
    before, began, rest = text.partition(begin)
    middle, ended, after = rest.partition(end)
    if not began or not ended:
        raise InvalidInput(f"{page} has no lines {begin.strip()} and {end.strip()}; add them")
    return before, middle, after
