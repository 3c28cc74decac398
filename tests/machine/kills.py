"""Several senders of the real program, typed at real terminals, on one store: each is killed again and again at every
step of its own, at every word of the dialogue and at random, while the mail server has faults in every phase.

The receiving server's ledger, written before each 250, is the judge. `run_kills` says what came of it.
"""

import itertools
import json
import os
import random
import re
import select
import shutil
import sqlite3
import subprocess
import sys
import termios
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outreach.store.journal import Journal
from tests.cli.program import Workspace
from tests.smtp_server import Accepted, Behaviour, smtp_server

STEPS = ("queued", "claimed", "staged", "logged", "intended", "answered", "owed", "settled")
WORDS = ("connect", "ehlo", "mail", "rcpt", "data", "body", "dot", "accepted", "after", "quit")
RANDOM = "random"
MOMENTS = (*STEPS, *WORDS, RANDOM)
NEVER = ("never", "1")
_ONCE = ("queued", "connect", "ehlo", "quit")
"""What happens once in a run."""
_CHANCE_MOMENTS = 8
_RANDOM_SECONDS = 0.4
_A_ROUND = 16 * 60
"""Seconds that pass between two rounds: what rests for a quarter of an hour goes on."""
_STUCK_ROUNDS = 40
_FAULTS = {
    "connect": ("drop", "reset", "421 4.3.2 not now", "<html>", "slow"),
    "ehlo": ("drop", "reset", "<html>", "slow"),
    "mail": ("drop", "reset", "450 4.7.9 not now", "421 4.3.2 going down", "twice", "<html>", "slow"),
    "rcpt": ("drop", "reset", "450 4.7.1 greylisted", "571 no", "450 4.7.9 not now", "<html>", "slow", "twice"),
    "data": ("drop", "reset", "450 4.7.9 not now", "250 what", "slow", "twice"),
    "body": ("drop", "reset", "571 no", "450 4.7.9 not now"),
    "dot": ("drop", "reset", "451 4.7.1 greylisted", "571 no", "<html>", "452 4.3.1 no room", "twice", "450 not now"),
    "accepted": ("drop", "reset", "<html>", "2_5 odd", "slow", "twice"),
    "after": ("drop", "reset", "421 4.3.2 going down"),
    "rset": ("drop", "reset", "<html>"),
    "quit": ("drop", "reset", "<html>", "421 4.3.2 bye"),
}
_STEP = "Subject: Engineering work at {{ company.short_name }}\n\nHi {{ founder.first_name }},\n\nhiring?\n\nAda\n"
_LOOKS = ("Traceback", "has a bug", "locked", "damaged")
"""What no user should ever read."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it. `faults` is the chance of a fault at each phase of the dialogue."""

    mails: int = 10_000
    kills: int = 1_200
    workers: int = 4
    seed: int = 4711
    faults: float = 0.015
    campaign: int = 200


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it, by the ledger; `proved` of the doubts were found in the Sent folder. `odd` is whatever no user
    should read, and what was tried for each mail of which there are two."""

    states: Counter[str]
    kills: Counter[str]
    faults: Counter[str]
    starts: int
    seconds: float
    duplicates: int
    lost: int
    wrong: int
    altered: int
    unlisted: int
    doubts_delivered: int
    proved: int
    odd: tuple[str, ...]

    @property
    def promises_hold(self) -> bool:
        broken = self.duplicates or self.lost or self.wrong or self.altered or self.unlisted or self.odd
        return not broken and self.proved == self.doubts_delivered


def run_kills(folder: Path, size: Size) -> Result:
    """Import, start the campaigns, let the senders loose until nothing is left to send, and judge."""
    with ExitStack() as servers:
        ledger: list[Accepted] = []
        lines = [_Line(size, number) for number in range(size.workers)]
        behaviours = [Behaviour(fault=line.fault, ledger=ledger) for line in lines]
        ports = [servers.enter_context(smtp_server(behaviour)) for behaviour in behaviours]
        desk = Workspace.create(folder / "machine-0", port=ports[0])
        names = _campaigns(desk, size)
        for number, line in enumerate(lines):
            line.folder, line.environment = joined(desk, folder / f"machine-{number}")
            line.environment["OUTREACH_SMTP_PORT"] = str(ports[number])
        started = time.monotonic()
        _Siege(desk, lines, names, size).run()
        seconds = time.monotonic() - started
        return _judged(desk, lines, ledger, seconds)


# --- one sender ---------------------------------------------------------------------------------------


@dataclass
class _Line:
    """One sender after the other, in a folder of its own, through a mail server of its own."""

    size: Size
    number: int
    folder: Path = Path()
    environment: dict[str, str] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    starts: int = 0
    _moment: tuple[str, int] = ("", 0)
    _process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.chance = random.Random(self.size.seed + self.number)
        self._weather = random.Random(self.size.seed * 1000 + self.number)

    def fault(self, phase: str, _number: int) -> str | None:
        """What the mail server does at this phase: kill the sender when its moment has come, else as the weather is."""
        if self._moment[0] == phase:
            self._moment = (phase, self._moment[1] - 1)
            if not self._moment[1] and self._process:
                self._process.kill()
                return "drop"
        if phase not in _FAULTS or self._weather.random() >= self.size.faults:
            return None
        does = self._weather.choice(_FAULTS[phase])
        self.faults[phase] += 1
        return does

    def send(self, campaign: str, ahead: float, moment: str) -> str:
        """One `outreach send`, killed at that moment if it comes; what it printed."""
        times = 1 if moment in _ONCE else self.chance.randint(1, _CHANCE_MOMENTS)
        self._moment = (moment, times) if moment in WORDS else ("", 0)
        words = ["send", campaign, "--live", "--no-pacing", *(["--limit", "5"] if moment == "quit" else [])]
        own = (moment, str(times)) if moment in STEPS else NEVER
        self._process, terminal = at_terminal((str(ahead), *own, *words), self.folder, self.environment)
        self.starts += 1
        patience = self.chance.random() * _RANDOM_SECONDS if moment == RANDOM else None
        said = talk(self._process, terminal, patience)
        self.kills[moment] += self._process.returncode == -9
        self.odd += [line for line in said.splitlines() if any(word in line for word in _LOOKS)]
        return said if self._process.returncode != -9 else ""


def joined(desk: Workspace, folder: Path) -> tuple[Path, dict[str, str]]:
    """Another folder on the same machine (or the first one): the same settings, templates, key and store, and logs of
    its own; where it is, and the environment in which the program runs there."""
    if folder == desk.folder:
        return folder, dict(desk.environment)
    folder.mkdir()
    for name in (".env", "outreach.key"):
        shutil.copy(desk.folder / name, folder)
    for name in ("templates", "Maildir"):
        shutil.copytree(desk.folder / name, folder / name)
    return folder, {**desk.environment, "OUTREACH_DATABASE_URL": f"sqlite:///{desk.folder / 'outreach.db'}"}


def at_terminal(
    words: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> "tuple[subprocess.Popen[bytes], int]":
    """Start the program at a terminal of its own; the other end of that, too."""
    terminal, side = os.openpty()
    mode = termios.tcgetattr(side)
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(side, termios.TCSANOW, mode)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.machine.shell", *words],
        cwd=folder, env=environment, stdin=side, stdout=side, stderr=side,
    )  # fmt: skip
    os.close(side)
    return process, terminal


def talk(process: "subprocess.Popen[bytes]", terminal: int, patience: float | None = None) -> str:
    """Type the number that it asks for, and read until it is gone; kill it `patience` seconds after its first mail."""
    said, answered, kill_at = b"", False, float("inf")
    while True:
        left = max(0.0, kill_at - time.monotonic())
        if select.select([terminal], [], [], None if kill_at == float("inf") else left)[0]:
            try:
                said += os.read(terminal, 65536)
            except OSError:  # the other end is gone
                break
        else:
            process.kill()
            kill_at = float("inf")
        asked = re.search(rb"Type (\d+) to send", said)
        if asked and not answered:
            os.write(terminal, asked[1] + b"\n")
            answered = True
        if patience is not None and b"[1/" in said:
            kill_at, patience = time.monotonic() + patience, None
    os.close(terminal)
    process.wait()
    return said.decode("utf-8", "replace")


# --- all of them --------------------------------------------------------------------------------------


class _Siege:
    """Round after round: every sender works until nothing can go; then some time passes, and what was paused for a
    fault is resumed, as a person would who mends it."""

    def __init__(self, desk: Workspace, lines: Sequence[_Line], names: Sequence[str], size: Size) -> None:
        self._desk, self._lines, self._names, self._size = desk, lines, names, size
        self._ahead = 0.0
        self._moments = itertools.cycle(MOMENTS)
        self._lock = threading.Lock()
        self._idle: set[str] = set()

    def run(self) -> None:
        stuck, before = 0, -1
        while left := self._left():
            self._idle = {name for name in self._names if name not in left}
            threads = [threading.Thread(target=self._work, args=(line,)) for line in self._lines]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self._pass_time()
            stuck = stuck + 1 if before == sum(left.values()) else 0
            before = sum(left.values())
            if stuck > _STUCK_ROUNDS:
                raise AssertionError(f"nothing moves any more: {left}")

    def _work(self, line: _Line) -> None:
        while name := self._choice(line):
            said = line.send(name, self._ahead, self._moment())
            if said and "[1/" not in said and "the mail server" not in said and "nothing was sent" not in said:
                with self._lock:
                    self._idle |= set(self._names) if "the mailbox rests" in said else {name}

    def _choice(self, line: _Line) -> str:
        with self._lock:
            left = [name for name in self._names if name not in self._idle]
        return line.chance.choice(left) if left else ""

    def _moment(self) -> str:
        with self._lock:
            enough = sum(sum(line.kills.values()) for line in self._lines) >= self._size.kills
            return "" if enough else next(self._moments)

    def _left(self) -> Counter[str]:
        """Campaign → how many have no mail yet whose story is over."""
        return Counter(dict(_ask(self._desk, _LEFT)))

    def _pass_time(self) -> None:
        self._ahead += _A_ROUND
        for (name,) in _ask(self._desk, "SELECT name FROM campaigns WHERE state = 'paused' OR id = 1"):
            # Of the first one it wakes the mailbox, should it rest until somebody acts.
            subprocess.run(
                [sys.executable, "-m", "tests.machine.shell", str(self._ahead), *NEVER, "campaign", "resume", name],
                cwd=self._desk.folder, env=self._desk.environment, check=True, capture_output=True,
            )  # fmt: skip


_LEFT = """
SELECT c.name, count(*) FROM campaigns c JOIN enrollments e ON e.campaign_id = c.id
WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.enrollment_id = e.id AND o.state IN ('sent', 'unknown', 'failed'))
GROUP BY c.name
"""


_TRIES = """
SELECT o.message_id, o.state, a.at, a.phase, a.outcome, a.code, a.text
FROM attempts a JOIN outbox o ON o.id = a.outbox_id ORDER BY a.id
"""


def _ask(desk: Workspace, question: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{desk.folder / 'outreach.db'}?mode=ro", uri=True, timeout=60)) as connection:
        return connection.execute(question).fetchall()


def _campaigns(desk: Workspace, size: Size) -> list[str]:
    """Everyone imported and enrolled, in campaigns of a few hundred."""
    (desk.folder / "templates" / "once").mkdir()
    (desk.folder / "templates" / "once" / "1-intro.txt").write_text(_STEP)
    lines = ["Name,Company,Website,Email,Industries"]
    names = [f"c{number:03d}" for number in range(-(-size.mails // size.campaign))]
    for number in range(size.mails):
        host, trade = f"labs{number}.example", names[number // size.campaign]
        lines.append(f"Bo{number} Quill{number},Labs {number},https://{host},bo@{host},Trade{trade}")
    (desk.folder / "people.csv").write_text("\n".join(lines) + "\n")
    desk.run("import", "people.csv")
    for name in names:
        desk.run("campaign", "new", name, "--sequence", "once", "--industry", f"Trade{name}")
    return names


# --- the judge ----------------------------------------------------------------------------------------


def _judged(desk: Workspace, lines: Sequence[_Line], ledger: Sequence[Accepted], seconds: float) -> Result:
    items = [item for item in desk.json("outbox")["items"] if item["state"] != "cancelled"]
    states = {item["message_id"]: item["state"] for item in items}
    bytes_of = dict(_ask(desk, "SELECT message_id, mime FROM outbox"))
    delivered = {mail.message_id: mail for mail in ledger}
    copies = Counter(rcpt for mail in ledger for rcpt in mail.rcpts)
    doubts = {message_id for message_id, state in states.items() if state == "unknown"}
    listed = {item["message_id"] for item in desk.json("outbox", "--state", "unknown")["items"]}
    intended = {
        entry["message_id"]
        for line in lines
        for entry in Journal(line.folder / "sent.log").entries()
        if entry["kind"] == "intent"
    }
    wrong = [m for m, state in states.items() if state == "sent" and m not in delivered]
    wrong += [m for m in delivered if states.get(m) not in ("sent", "unknown") or m not in intended]
    over = {item["founder"] for item in items if item["state"] in ("sent", "unknown", "failed")}
    doubts_delivered = doubts & set(delivered)
    odd = [each for line in lines for each in line.odd]
    odd += [each for (each,) in _ask(desk, "PRAGMA integrity_check") if each != "ok"]
    twice = {message_id for message_id, number in Counter(mail.message_id for mail in ledger).items() if number > 1}
    odd += [str(tried) for tried in _ask(desk, _TRIES) if tried[0] in twice]
    return Result(
        states=Counter(states.values()),
        kills=sum((line.kills for line in lines), Counter()),
        faults=sum((line.faults for line in lines), Counter()),
        starts=sum(line.starts for line in lines),
        seconds=seconds,
        duplicates=sum(copies.values()) - len(copies),
        lost=lines[0].size.mails - len(over),
        wrong=len(wrong),
        altered=sum(mail.data != bytes_of.get(message_id) for message_id, mail in delivered.items()),
        unlisted=len(doubts ^ listed) + abs(desk.json("status")["unknown"] - len(doubts)),
        doubts_delivered=len(doubts_delivered),
        proved=_proved(desk, [delivered[message_id] for message_id in doubts_delivered]),
        odd=tuple(odd),
    )


def _proved(desk: Workspace, mails: Sequence[Accepted]) -> int:
    """File these where a provider would, and look for the doubtful ones there."""
    sent = desk.folder / "Maildir" / ".Sent"
    for part in ("new", "cur", "tmp"):
        (sent / part).mkdir(parents=True)
    for number, mail in enumerate(mails):
        (sent / "cur" / f"{number}.sent:2,S").write_bytes(mail.data)
    found = json.loads(desk.run("outbox", "reconcile", "--json", exit_code=None).stdout)
    return len(found["sent"])
