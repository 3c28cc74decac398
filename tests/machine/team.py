"""A team: several machines, each with a folder of its own, send from one PostgreSQL store whose server is stopped in
the middle of it all, again and again. Nobody gets two copies, nobody is lost, every doubt is listed.

`python -m tests.machine.team FOLDER SEED` is one machine's sender.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from outreach.bootstrap import open_app
from outreach.core.records import OutboxState
from outreach.errors import StoreUnavailable
from outreach.flows.recover import recover
from outreach.flows.send import Sender, send
from outreach.store.journal import Journal
from tests.cli.program import Workspace, founders_csv
from tests.postgres import Server
from tests.smtp_server import Behaviour, smtp_server

_BATCH = 50
_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: states of the messages, seconds of sending, restarts that met a worker at work."""

    states: Counter[str]
    seconds: float
    restarts: int
    duplicates: int
    lost: int
    misrecorded: int
    failed_workers: int


def sender(folder: str, seed: int) -> None:
    """Send until nothing is queued, in an order of its own."""
    order = random.Random(seed)
    with open_app(Path(folder), os.environ) as app:
        while True:
            try:
                recover(app.store, app.is_dead, app.clock.now(), app.journal.entries())
                items = app.store.outbox.items(states=[OutboxState.QUEUED])
                if not items and not app.store.claims.held(OutboxState.CLAIMED):
                    return
                conditions = app.conditions(paced=False)
                run = Sender(
                    store=app.store,
                    transport=app.transport(),
                    mailbox=conditions.mailbox,
                    limits=replace(conditions.limits, fresh_inbox=None),  # nobody reads the inbox here
                    clock=app.clock,
                    journal=app.journal,
                    owner=app.owner,
                    chance=app.chance,
                )
                send(run, order.sample(items, min(_BATCH, len(items))))
            except StoreUnavailable:  # between two messages: as `outreach run` does, try again
                time.sleep(_PAUSE)


def run_team(folder: Path, server: Server, *, mails: int, workers: int, restarts: int) -> Result:
    """Queue the mails with the program itself, let the workers loose, stop the server under them, and count."""
    behaviour, url = Behaviour(), server.create()
    with smtp_server(behaviour) as port:
        first = Workspace.create(folder / "machine-0", port=port, DATABASE_URL=url)
        queue(first, mails)
        others = [_joined(first, folder / f"machine-{number}") for number in range(1, workers)]
        started = time.monotonic()
        team = [_start(first, folder, seed) for seed, folder in enumerate([first.folder, *others])]
        met = _restart(server, behaviour, team, mails, restarts)
        failed = sum(each.wait() != 0 for each in team)
        seconds = time.monotonic() - started
    return _judged(first, [first.folder, *others], behaviour, seconds, met, failed)


def queue(workspace: Workspace, mails: int) -> None:
    from outreach.flows.enqueue import enqueue, plan

    desks = 2 if mails > 5000 else 0  # of the invented first names Hallo and Jobs, whose addresses are role inboxes
    (workspace.folder / "founders.csv").write_text(founders_csv(mails + desks))
    workspace.run("import", "founders.csv")
    workspace.run("campaign", "new", "spring", "--sequence", "job-search")
    with open_app(workspace.folder, workspace.environment) as app:
        conditions = app.conditions(paced=False)
        queued = enqueue(app.store, plan(app.store, app.work(), conditions, app.clock.now()), app.clock.now())
    assert len(queued) == mails


def _joined(first: Workspace, folder: Path) -> Path:
    """Another machine: the same settings, templates and key, and a log of its own."""
    folder.mkdir()
    for name in (".env", "outreach.key"):
        shutil.copy(first.folder / name, folder)
    shutil.copytree(first.folder / "templates", folder / "templates")
    return folder


def _start(first: Workspace, folder: Path, seed: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.machine.team", str(folder), str(seed)]
    with (folder / "stderr").open("wb") as errors:
        return subprocess.Popen(command, env=first.environment, stderr=errors)


def _restart(
    server: Server, behaviour: Behaviour, team: list[subprocess.Popen[bytes]], mails: int, restarts: int
) -> int:
    """Stop the server at once, without a goodbye, whenever another share of the mails has gone; start it again."""
    met = 0
    for number in range(1, restarts + 1):
        share = mails * number // (restarts + 1)
        while len(behaviour.ledger) < share and any(each.poll() is None for each in team):
            time.sleep(0.005)
        met += any(each.poll() is None for each in team)
        server.stop("immediate")
        time.sleep(_PAUSE)
        server.start()
    return met


def _judged(
    first: Workspace, folders: list[Path], behaviour: Behaviour, seconds: float, restarts: int, failed: int
) -> Result:
    """The receiving server's ledger, written before each 250, is the judge."""
    items = json.loads(first.run("outbox", "--json").stdout)["items"]
    states = {item["message_id"]: item["state"] for item in items}
    delivered = Counter(mail.message_id for mail in behaviour.ledger)
    per_person = Counter(chain.from_iterable(mail.rcpts for mail in behaviour.ledger))
    may_have_left = {message_id for message_id, state in states.items() if state in ("sent", "unknown")}
    intended = {
        entry["message_id"]
        for folder in folders
        for entry in Journal(folder / "sent.log").entries()
        if entry["kind"] == "intent"
    }
    wrong = [m for m, state in states.items() if state == "sent" and m not in delivered]
    wrong += [m for m in delivered if m not in may_have_left or m not in intended]
    return Result(
        Counter(states.values()),
        seconds,
        restarts,
        duplicates=sum(number - 1 for number in per_person.values()),
        lost=sum(state not in ("sent", "unknown") for state in states.values()),
        misrecorded=len(wrong),
        failed_workers=failed,
    )


if __name__ == "__main__":
    sender(sys.argv[1], int(sys.argv[2]))
