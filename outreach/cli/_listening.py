"""Waiting until something comes in to one of the mailboxes."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outreach.bootstrap import App


def wait_for_mail(boxes: "Sequence[App]", seconds: float, stopped: Callable[[], bool] = lambda: False) -> None:
    """Until something comes in to one of those whose servers can tell, else for so many seconds. Raises MailboxError as
    soon as one of them is away."""
    listeners = [box.listener() for box in boxes if box.can_wait_for_mail]
    if not listeners:
        boxes[0].clock.sleep(seconds)
        return
    over = Event()

    def listen(wait: Callable[[float, Callable[[], bool]], None]) -> None:
        try:
            wait(seconds, lambda: over.is_set() or stopped())
        finally:
            over.set()

    with ThreadPoolExecutor(len(listeners)) as pool:
        listening = [pool.submit(listen, each) for each in listeners]
        try:
            while not over.wait(1.0):  # a second at a time: Windows lets no Ctrl-C into a longer wait
                pass
        finally:
            over.set()
        for each in listening:
            each.result()
