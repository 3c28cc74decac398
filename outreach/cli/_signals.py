"""What Ctrl-C, SIGTERM and a closed terminal do to a run that sends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Signals:
    """Ctrl-C and SIGTERM ask the run to end after the mail in flight; the second one cuts off the dialogue with the
    server, but never the recording of its outcome. A closed terminal (SIGHUP) changes nothing in what is sent."""

    def __init__(self) -> None:
        self._asked = 0
        self._talking = False

    def asked(self) -> bool:
        return self._asked > 0

    @contextmanager
    def talking(self) -> Iterator[None]:
        """While it lasts, the second signal raises KeyboardInterrupt."""
        self._talking = True
        try:
            if self._asked > 1:
                raise KeyboardInterrupt
            yield
        finally:
            self._talking = False

    @contextmanager
    def caught(self) -> Iterator[None]:
        import signal

        handlers: dict[int, Any] = {signal.SIGINT: self._ask, signal.SIGTERM: self._ask}
        if hasattr(signal, "SIGHUP"):  # Windows has none
            handlers[signal.SIGHUP] = signal.SIG_IGN
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, _number: int, _frame: object) -> None:
        self._asked += 1
        if self._asked == 1:
            with suppress(OSError):  # not by print: a handler may come in the middle of one
                os.write(2, b"stopping after the mail in flight ...\n")
        if self._asked > 1 and self._talking:
            raise KeyboardInterrupt
