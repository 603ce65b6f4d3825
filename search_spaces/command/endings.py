"""How every command ends: with one sentence for bad input, and in one way on signals.

Exit codes: 2 for bad input, 128 + N where signal N ended the command (130 for Ctrl-C, 143 for
SIGTERM, 129 for SIGHUP). While modules are still being imported a signal ends the process at once,
since nothing has been started; ``search_spaces.command.signals`` says what it does later.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, ParamSpec

from search_spaces.command.signals import (
    ARRIVED,
    SIGNALS,
    Interrupted,
    find_signal,
    ignore_signals,
    raise_on_signals,
)
from search_spaces.command.torch_settings import try_settings_first
from search_spaces.errors import InvalidInput

P = ParamSpec("P")

LONGEST: Final = 900
"""Characters of a sentence, at most; the line that is printed stays below a thousand."""
SHOWN: Final = 300
"""Of another package's error, at most."""


def entry_point(main: Callable[P, int]) -> Callable[P, int]:
    """Decorate the ``main`` of a command: it returns the exit code, whatever the user asked for.

    ``InvalidInput``, a file that cannot be used, a lack of memory and a package that cannot be
    loaded become one sentence on standard error and exit code 2; a signal becomes one sentence and
    its exit code.
    """

    @functools.wraps(main)
    def command(*args: P.args, **kwargs: P.kwargs) -> int:
        with raise_on_signals():
            try:
                code = main(*args, **kwargs)
                if ARRIVED:  # somebody caught what the signal raised, and went on
                    raise Interrupted(ARRIVED[0])
                return code
            except BrokenPipeError:  # a reader such as `head` stopped early
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return 128 + signal.SIGPIPE
            except KeyboardInterrupt as error:
                with ignore_signals():
                    return report_interruption(error)
            except Exception as error:
                if ARRIVED:  # a library may make another error of what a signal raised in it
                    return report_interruption(Interrupted(ARRIVED[0]))
                if (said := explain_error(error)) is None:
                    raise
                return report_error(said)

    return command


def report_error(message: str) -> int:
    """Print one sentence about bad input; returns exit code 2.

    Of a long one, as where a name of thousands of letters was given, the middle is left out.
    """
    line = " ".join(message.splitlines())
    if len(line) > LONGEST:
        line = f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"
    print(f"error: {line}", file=sys.stderr)
    return 2


def explain_error(error: Exception) -> str | None:
    """The sentence for an error that is no fault of the program; None for a fault."""
    if isinstance(error, InvalidInput):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"cannot use {error.filename} ({error.strerror}); check it"
    if isinstance(error, MemoryError):
        detail = f" ({error})" if str(error) else ""
        return f"the memory does not suffice{detail}; ask for less at once"
    return explain_failed_import(error)


def explain_failed_import(error: BaseException) -> str | None:
    """The sentence for an error while another package's modules were executed; None for others.

    A package raises so where its installation is broken, or where a variable of the environment
    holds what it does not know (``TORCH_LOGS``).
    """
    frame = error.__traceback__
    while frame is not None:
        code, name = frame.tb_frame.f_code, frame.tb_frame.f_globals.get("__name__", "")
        if code.co_name == "<module>" and name != "__main__" and not is_own(name):
            reason = " ".join(str(error).split()) or type(error).__name__
            return (
                f"{name.partition('.')[0]} cannot be loaded ({type(error).__name__}: "
                f"{reason[:SHOWN]}); check its installation and the environment variables that it "
                "reads"
            )
        frame = frame.tb_next
    return None


def report_interruption(error: KeyboardInterrupt) -> int:
    """Print one sentence about a signal, with the notes of the exception; returns the exit code."""
    signum = find_signal(error)
    notes = getattr(error, "__notes__", ["run the same command again"])
    print(f"{Interrupted(signum)}: {'; '.join(notes)}", file=sys.stderr)
    ARRIVED.clear()  # it has been told
    return 128 + signum


def is_command() -> bool:
    """Whether the file that Python was started with is importing this module, through the project.

    Notebooks have no such file; tests, workers of Ray and other libraries import it through
    modules of their own. ``python -m`` counts where the module is this project's.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if sys.flags.interactive or (spec is not None and not is_own(spec.name)):
        return False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name == "__main__":
            return "__file__" in frame.f_globals
        if not is_own(name) and name.partition(".")[0] != "importlib":
            return False
        frame = frame.f_back
    return False


def is_own(name: str) -> bool:
    """Whether a module of that name belongs to this project."""
    return name.partition(".")[0] in ("benchmark", "search_spaces")


def end_at_once(signum: int, _frame: FrameType | None) -> None:
    """End the process with a sentence while it imports its modules."""
    os.write(2, f"{Interrupted(signum)}: nothing had been started\n".encode())
    os._exit(128 + signum)


def report_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Bad input outside of ``main``, as in a job file's study: a sentence and exit code 2."""
    said = str(error) if isinstance(error, InvalidInput) else explain_failed_import(error)
    if said is None:
        sys.__excepthook__(kind, error, trace)
        return
    raise SystemExit(report_error(said))


if is_command():
    sys.excepthook = report_uncaught
    try_settings_first()
    for number in SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, end_at_once)
