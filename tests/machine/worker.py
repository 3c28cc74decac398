"""One sender in a process of its own that kills itself at a step: `python -m tests.machine.worker DIR LABEL N`.

It runs the program's own flows on a real workspace, without the lock that keeps a second `outreach send` out:
so several of them really race for the same messages.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from outreach.bootstrap import open_app
from outreach.core.records import OutboxState
from outreach.flows.enqueue import enqueue, plan
from outreach.flows.recover import recover
from outreach.flows.send import Sender, send


def killed_at(label: str, occurrence: int) -> Callable[[str], None]:
    """Is told each step, and kills this process at that one."""
    seen = 0

    def at(step: str) -> None:
        nonlocal seen
        seen += step == label
        if step == label and seen == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    return at


def main(folder: str, label: str, occurrence: int) -> None:
    with open_app(Path(folder), os.environ) as app:
        recover(app.store, app.is_dead, app.clock.now(), app.journal.entries())
        conditions = app.conditions(paced=False)
        enqueue(app.store, plan(app.store, app.work(), conditions, app.clock.now()), app.clock.now())
        sender = Sender(
            store=app.store,
            transport=app.transport(),
            mailbox=conditions.mailbox,
            limits=replace(conditions.limits, fresh_inbox=None),  # nobody reads the inbox here
            clock=app.clock,
            journal=app.journal,
            owner=app.owner,
            chance=app.chance,
            at=killed_at(label, occurrence),
        )
        send(sender, app.store.outbox.items(states=[OutboxState.QUEUED]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
