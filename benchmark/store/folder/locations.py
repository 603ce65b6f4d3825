"""From the path or URI of a folder to the filesystem that has it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import fs

from benchmark.store.folder.errors import (
    StoreUnreadable,
    explain_unreadable,
    make_printable,
    shown_reason,
)

FAILURES: Final = (OSError, ValueError, pa.ArrowException)
"""What pyarrow and the standard library raise for a path or a storage that they cannot use."""
ONE_SLASH: Final = re.compile(r"(s3|gs|gcs|hdfs|viewfs|abfs|abfss|file):(?!//)")
"""A URI with a slash too few, which would be the name of a local folder."""


def open_filesystem(uri: str) -> tuple[fs.FileSystem, str]:
    """The filesystem of a path or URI, and the path on it; raises ``StoreUnreadable``."""
    if not uri.strip():
        raise StoreUnreadable("the name of the results folder is empty; give a path or URI")
    if (found := ONE_SLASH.match(uri)) is not None:
        rest = ("/" if found[1] == "file" else "") + uri[found.end() :].lstrip("/")
        raise StoreUnreadable(
            f"{make_printable(uri)} is no URI; write {found[1]}://{make_printable(rest)}, "
            f"or ./{make_printable(uri)} for a folder of that name"
        )
    if "://" not in uri:
        try:
            return fs.LocalFileSystem(), str(Path(uri).expanduser().absolute())
        except (OSError, RuntimeError) as error:  # no such user, or no working directory
            raise explain_unreadable(uri, error) from error
    asked = uri
    if uri.startswith("s3://") and "allow_delayed_open" not in uri:
        # a file that fits in memory is then one PUT, not an upload in three parts
        asked += ("&" if "?" in uri else "?") + "allow_delayed_open=true"
    try:
        filesystem, path = fs.FileSystem.from_uri(asked)
    except FAILURES as error:
        raise StoreUnreadable(
            f"{make_printable(uri)} is no place that pyarrow opens ({shown_reason(error)}); "
            "give a path, or a URI such as s3://bucket/folder"
        ) from error
    if not path.strip("/"):
        raise StoreUnreadable(
            f"{make_printable(uri)} names no bucket or folder; add one to the URI"
        )
    return filesystem, path.rstrip("/")
