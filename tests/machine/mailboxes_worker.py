"""A sender for all mailboxes of a workspace that kills itself at a step: `python -m tests.machine.mailboxes_worker DIR
LABEL N`. It is `outreach send --live`, without the person who types the number."""

import os
import sys
from pathlib import Path

from outreach.bootstrap import App, open_app
from outreach.flows.enqueue import Conditions, enqueue, plan_all
from outreach.flows.recover import recover
from outreach.flows.send import Sender, send_all
from tests.machine.worker import killed_at


def main(folder: str, label: str, occurrence: int) -> None:
    at = killed_at(label, occurrence)

    def sender(box: App, conditions: Conditions) -> Sender:
        return Sender(
            store=box.store, transport=box.transport(), mailbox=conditions.mailbox, limits=conditions.limits,
            clock=box.clock, journal=box.journal, owner=box.owner, chance=box.chance, at=at,
        )  # fmt: skip

    with open_app(Path(folder), os.environ) as app:
        recover(app.store, app.is_dead, app.clock.now(), app.journal.entries())
        conditions = [box.conditions(paced=False) for box in app.boxes]
        now = app.clock.now()
        items = enqueue(app.store, plan_all(app.store, app.work(), conditions, now), now, paced=False)
        senders = [sender(box, each) for box, each in zip(app.boxes, conditions, strict=True)]
        send_all([(each, [item for item in items if item.mailbox_id == each.mailbox.id]) for each in senders])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
