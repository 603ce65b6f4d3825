"""What a storage that fails says, as one sentence with a mend and without anybody's keys."""

from __future__ import annotations

import errno
import re
from typing import Final

from search_spaces.errors import InvalidInput

FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SECRET: Final = [
    re.compile(r"(?<=://)[^/?#\s]*@"),  # user:password@host
    re.compile(r"(?<=://)[^?#\s:]*:[^?#\s@]*@"),  # a key that holds a slash and was not escaped
    re.compile(r"(?i)(?<=[?&])([\w-]*(?:key|secret|token|password|sig|signature)=)[^&\s]*"),
]
"""Where a URI holds what nobody else may read."""
MENDS: Final = [
    (
        ("NO_SUCH_BUCKET",),
        "there is no such bucket; create it, or correct the name in the URI",
    ),
    (
        ("ACCESS_DENIED", "HTTP status 403", "INVALID_ACCESS_KEY", "SIGNATURE_DOES_NOT"),
        "the storage refuses these credentials, or there is no such bucket or region for them; "
        "check the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile), the "
        "bucket's name and its permissions to list, read and write",
    ),
    (
        ("HTTP status 301", "HTTP status 307", "REDIRECT"),
        "the bucket is in another region or at another endpoint; add region=... or "
        "endpoint_override=... to the URI",
    ),
    (
        ("HTTP status 5", "SLOW_DOWN", "INTERNAL_FAILURE", "SERVICE_UNAVAILABLE", "THROTTLING"),
        "the storage answers with errors of its own; run the same command again later",
    ),
    (
        ("NETWORK_CONNECTION", "curlCode", "Couldn't", "resolve", "connect", "REQUEST_TIMEOUT"),
        "nothing answers there; check the network, endpoint_override and scheme in the URI",
    ),
    (
        ("credential", "Credential"),
        "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile",
    ),
]
"""The mend of each cause, by what the error's text holds; the first that matches counts."""
LASTING: Final = [word for words, _ in MENDS[:3] for word in words]
"""What an object store says that it will say again."""


class StoreError(InvalidInput):
    """The storage of a results folder failed; what is in it is intact."""


class StoreUnreadable(StoreError):  # noqa: N818 -- what cannot be done
    """The results folder cannot be read."""


class StoreUnwritable(StoreError):  # noqa: N818 -- as above
    """The results folder cannot be written."""


def mask_secrets(text: str) -> str:
    """A URI, or a text that holds one, with stars in place of user names, passwords and keys."""
    text = SECRET[0].sub("***@", text)
    text = SECRET[1].sub("***@", text)
    return SECRET[2].sub(r"\1***", text)


def explain_unwritable(path: str, error: Exception) -> StoreUnwritable:
    """The sentence for a write that failed; it names the path, the reason and a mend."""
    if isinstance(error, OSError) and error.errno in FULL:
        mend = "free some space and run the same command again; finished units are kept"
    else:
        mend = find_mend(error) or "give --out a folder that can be written"
        if "--out" not in mend:
            mend += ", or give --out another place"
    return StoreUnwritable(f"cannot write {make_printable(path)} ({shown_reason(error)}); {mend}")


def explain_unreadable(path: str, error: Exception) -> StoreUnreadable:
    """The sentence for a read that failed; it names the path, the reason and a mend."""
    mend = find_mend(error) or "name a folder or URI that can be read"
    return StoreUnreadable(f"cannot read {make_printable(path)} ({shown_reason(error)}); {mend}")


def find_mend(error: Exception) -> str | None:
    """What to do about an object store's error; None where its cause is unknown."""
    text = str(error)
    return next((mend for words, mend in MENDS if any(word in text for word in words)), None)


def is_lasting(error: Exception) -> bool:
    """Whether an object store would only say the same again."""
    return any(word in str(error) for word in LASTING)


def shown_reason(error: Exception) -> str:
    """The reason in one line."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return make_printable(text)


def make_printable(text: str, longest: int = 300) -> str:
    """A text in one line of printable characters, not too long, without secrets."""
    line = " ".join(mask_secrets(text).split())
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= longest else f"{line[: longest // 2]} ... {line[-longest // 2 :]}"
