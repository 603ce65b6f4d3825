"""Signals that ask for an orderly end: raised where a command is, or ignored, or put off.

``Interrupted`` is raised in the main thread, so that files and processes are cleaned up on the way
out. Where Python discards it, as in a destructor, the same signal is sent again until it is heard.
"""

from __future__ import annotations

import _thread
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

Handler = Callable[[int, FrameType | None], Any]

SIGNALS: Final = {
    signal.SIGINT: "Ctrl-C",
    signal.SIGTERM: "SIGTERM",
    signal.SIGHUP: "SIGHUP",
}
"""The signals that ask for an orderly end, as messages name them."""


class Interrupted(KeyboardInterrupt):
    """A signal of ``SIGNALS`` arrived; ``signum`` is its number."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {SIGNALS[signal.Signals(signum)]}")
        self.signum = signum


ARRIVED: Final[list[int]] = []
"""The signals that reached the command that is running, in order."""


SECONDS_BETWEEN: Final = 0.02
"""Seconds until a signal whose exception was discarded is sent again."""


class Repeater:
    """Sends a signal to the main thread again where Python discarded what its handler raised.

    Python calls ``sys.unraisablehook`` for an exception of a destructor, of the callback of a weak
    reference, and of C code without a caller to tell, and goes on. A handler that raises calls
    ``hear`` first; the signal is sent until then, or until ``stop``.
    """

    def __init__(self) -> None:
        self.discarded: int | None = None
        self.stopped = True
        self.guard = _thread.allocate_lock()

    @contextlib.contextmanager
    def listen(self) -> Iterator[None]:
        """Notice what is discarded meanwhile; other errors go where they went before."""
        before = sys.unraisablehook

        def hook(unraisable: sys.UnraisableHookArgs) -> None:
            if not self.notice(unraisable):
                before(unraisable)

        within = not self.stopped
        sys.unraisablehook, self.stopped = hook, False
        try:
            yield
        finally:
            sys.unraisablehook = before
            self.stop()
            self.stopped = not within

    def hear(self) -> None:
        """A handler has the signal and raises its exception now."""
        self.discarded = None

    def notice(self, unraisable: sys.UnraisableHookArgs) -> bool:
        """Whether the exception that was discarded is a signal's, which is then sent again."""
        error = unraisable.exc_value
        if not isinstance(error, KeyboardInterrupt):
            return False
        self.discarded = getattr(error, "signum", None) or find_signal(error)
        # The bare function: what was interrupted may hold the locks of the module `threading`.
        _thread.start_new_thread(self.send, (threading.main_thread().ident or 0,))
        return True

    def send(self, thread: int) -> None:
        """Send the signal to a thread again and again until it is heard."""
        while True:
            time.sleep(SECONDS_BETWEEN)
            with self.guard:
                signum = self.discarded
                if self.stopped or signum is None:
                    return
                signal.pthread_kill(thread, signum)

    def stop(self) -> None:
        """No signal is sent from now on."""
        self.stopped = True
        with self.guard:  # until one that is just being sent has been
            self.discarded = None


REPEATER: Final = Repeater()
"""The one of this process."""


def find_signal(error: KeyboardInterrupt) -> int:
    """The number of the signal behind an interruption.

    A library that is interrupted in native code raises a plain ``KeyboardInterrupt`` in place of
    what a handler raised; the first signal that arrived is then the reason.
    """
    if isinstance(error, Interrupted):
        return error.signum
    return ARRIVED[0] if ARRIVED else signal.SIGINT


@contextlib.contextmanager
def raise_on_signals() -> Iterator[None]:
    """Every signal of ``SIGNALS`` raises ``Interrupted``; handlers are put back afterwards.

    A signal that the process was started to ignore (``nohup``) stays ignored. Threads other than
    the main one cannot set handlers, and nothing changes there.
    """
    ARRIVED.clear()

    def handle(signum: int, _frame: FrameType | None) -> None:
        ARRIVED.append(signum)
        REPEATER.hear()
        if not REPEATER.stopped:
            raise Interrupted(signum)

    with set_handlers(handle), REPEATER.listen():
        yield


@contextlib.contextmanager
def keep_handlers() -> Iterator[None]:
    """The handlers of ``SIGNALS`` are the same afterwards, whatever a library sets meanwhile."""
    before = {signum: signal.getsignal(signum) for signum in SIGNALS}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for signum, answer in before.items():
                signal.signal(signum, answer)


@contextlib.contextmanager
def ignore_signals() -> Iterator[None]:
    """Signals of ``SIGNALS`` have no effect: what is being cleaned up is cleaned up wholly."""
    with set_handlers(lambda _signum, _frame: None):
        yield


@contextlib.contextmanager
def defer_signals(notify: Callable[[int], None]) -> Iterator[None]:
    """Signals of ``SIGNALS`` raise ``Interrupted`` at the end of the context, whatever else does.

    For calls that cannot be interrupted safely. ``notify`` is told when a signal arrives.
    """
    arrived: list[int] = []

    def handle(signum: int, _frame: FrameType | None) -> None:
        arrived.append(signum)
        REPEATER.hear()
        notify(signum)

    try:
        with set_handlers(handle):
            yield
    finally:
        if arrived:
            raise Interrupted(arrived[0])


@contextlib.contextmanager
def set_handlers(handler: Handler) -> Iterator[None]:
    """Answer the signals of ``SIGNALS`` by ``handler``; the handlers before are put back."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {
            signum: signal.signal(signum, handler)
            for signum in SIGNALS
            if signal.getsignal(signum) not in (signal.SIG_IGN, None)
        }
    try:
        yield
    finally:
        for signum, answer in before.items():
            signal.signal(signum, answer)
