"""The signals of a command as in a terminal, however the tests were started."""

import signal

from search_spaces.command.signals import SIGNALS


def heed_signals() -> None:
    """Commands answer every signal, in this process and in those that it starts.

    A shell starts its background jobs deaf to Ctrl-C, and nohup starts its command deaf to SIGHUP;
    what is ignored is inherited. What is handled is not: a process that is started has the default,
    and this one lives on, as whoever ran the tests under nohup wants.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _signum, _frame: None)
