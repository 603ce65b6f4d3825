"""A checksum over a whole file, inside the file: what does not match it is not believed.

The seal is the sha256 of the bytes as they read with 64 zeros in the seal's place. It covers names
and metadata too, is checked before a parser sees the bytes, and does not depend on how another
version of a library would encode the same content.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

JSON_MARK: Final = "json-seal"
HEX: Final = 64


class Corrupt(Exception):  # noqa: N818 -- what the bytes are, not what the program did
    """These bytes are not what a writer of this project wrote."""


def blank_seal(mark: str) -> bytes:
    """What a file holds in the place of its seal before it is sealed."""
    return f"{mark}:".encode() + b"0" * HEX


def seal_bytes(blank: bytes, mark: str) -> bytes:
    """The file with its seal."""
    digest = hashlib.sha256(blank).hexdigest().encode()
    return blank.replace(blank_seal(mark), f"{mark}:".encode() + digest)


def has_seal(data: bytes, mark: str) -> bool:
    """Whether there is a seal, and it matches; raises ``Corrupt`` where it does not."""
    found = re.search(mark.encode() + rb":([0-9a-f]{64})", data)
    if found is None:
        return False
    blank = data.replace(found.group(0), blank_seal(mark))
    if hashlib.sha256(blank).hexdigest().encode() != found.group(1):
        raise Corrupt("the seal does not match")
    return True


def encode_json(content: dict[str, Any]) -> bytes:
    """A JSON object with its seal, which stands first."""
    blank = json.dumps({"seal": blank_seal(JSON_MARK).decode()} | content, indent=1)
    return seal_bytes(blank.encode(), JSON_MARK)


def decode_json(data: bytes) -> dict[str, Any]:
    """The object without its seal; raises ``Corrupt``.

    Files of earlier versions have no seal. One whose seal is unreadable keeps the key ``seal``, so
    it is not mistaken for one of those.
    """
    sealed = has_seal(data, JSON_MARK)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Corrupt("no JSON") from error
    if not isinstance(content, dict):
        raise Corrupt("no JSON object")
    if sealed != ("seal" in content):
        raise Corrupt("the seal is damaged")
    content.pop("seal", None)
    return content
