"""Plays the whole job: types the real commands one after the other, into the real program, in a real workspace.

Only four things are staged: the mail server (`demo.server`, on loopback), the people who answer, a few company sites
(`demo.sites`, on loopback too), and the clock, which starts three weeks ago and moves when the program waits, so that
follow-ups fall due while one watches.
"""

import io
import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path

from outreach.bootstrap import Network
from outreach.core.clock import Reading
from outreach.demo.server import World
from outreach.demo.sites import Sites
from outreach.errors import UsageError

Run = Callable[[list[str], "DemoClock", Network], int]
Tell = Callable[[str], None]

CAMPAIGN = "ai-founders"
_LISTS = ("companies-10-2-2026.csv", "founder-emails.csv")
_WEEKS_AGO = 3


class DemoClock:
    """Starts on a Monday morning three weeks ago, and moves when someone sleeps."""

    def __init__(self, today: datetime) -> None:
        monday = today.date() - timedelta(weeks=_WEEKS_AGO, days=today.weekday())
        self._now = datetime.combine(monday, time(9, 5), UTC)

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def reading(self) -> Reading:
        return Reading(self._now, "demo", self._now.timestamp())

    def move_to(self, days: int, at: time) -> None:
        """That time of day, `days` later."""
        self._now = datetime.combine(self._now.date() + timedelta(days=days), at, UTC)


def play(folder: Path, *, run: Run, tell: Tell, today: datetime, program: str) -> int:
    """Play it in `folder`; `run` executes one command line and returns its exit code."""
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty.", hint=f"outreach demo {_another(folder)}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = DemoClock(today)
    world, sites = World(), Sites()
    host, port = world.start(folder / "Maildir")
    network = sites.start()
    try:
        _Stage(folder, run, tell, clock, world, network).play(host, port)
        _farewell(folder, tell, program)
        return 0
    finally:
        sites.stop()
        world.stop()


def _another(folder: Path) -> str:
    return f"{folder}-2" if folder.name.strip(".") else "outreach-demo"


class _Stage:
    """The workspace, and whoever is on it."""

    def __init__(self, folder: Path, run: Run, tell: Tell, clock: DemoClock, world: World, network: Network) -> None:
        self._folder, self._run, self._tell, self._clock, self._world = folder, run, tell, clock, world
        self._network = network

    def play(self, host: str, port: int) -> None:
        self._prepare(host, port)
        self._tell("40 invented AI startups, their founders, a mail server and a mailbox: all on this machine.")
        self._type("import", str(self._folder / _LISTS[0]), str(self._folder / _LISTS[1]))
        self._type("find", "--using", "website,pattern", "--dry-run")
        self._type("find", "--using", "website,pattern")
        self._type("founders", "--search", "quillmoss")
        self._type("campaign", "new", CAMPAIGN, "--sequence", "job-search")
        self._type("preview", CAMPAIGN, "--limit", "1")
        self._send("the first mails, where it is morning", at=time(9, 30))
        self._send("in the evening here: the working day of the others", at=time(17, 30))
        self._answers(days=1, at=time(8, 30), what="what came back")
        self._send("follow-ups, only to those who did not answer", days=2, at=time(11, 30))
        self._answers(days=1, at=time(8, 30), what="more answers")
        self._label()
        self._send("the week after: the last short note", days=5, at=time(13, 30))
        self._answers(days=1, at=time(8, 30), what="what came back last")
        self._type("replies", "--limit", "12")
        self._type("report", CAMPAIGN)

    def _prepare(self, host: str, port: int) -> None:
        """A workspace whose settings point at the demo's own server, and the two lists."""
        settings = {
            "FROM": "Ada Testwell <ada@testwell.example>",
            "PURPOSE": "job-search",
            "SIGNATURE": "Ada Testwell",
            "SMTP_HOST": host,
            "SMTP_PORT": str(port),
            "SMTP_SECURITY": "none",
            "MAILDIR": "Maildir",
            "RAMP": "0",
            "DAILY_CAP": "60",
            "HOURLY_CAP": "30",
            "TIMEZONE": "UTC",
        }
        lines = ["# Made by `outreach demo`: the mail server below lived only as long as the demo."]
        lines += [f"OUTREACH_{name}='{value}'" for name, value in settings.items()]
        env = self._folder / ".env"
        env.touch(0o600)
        env.write_text("\n".join(lines) + "\n")
        for name in _LISTS:
            with files("outreach.demo").joinpath("data", name).open("rb") as source:
                (self._folder / name).write_bytes(source.read())
        self._quietly("init", str(self._folder))

    def _send(self, scene: str, days: int = 0, at: time = time(9, 5)) -> None:
        self._clock.move_to(days, at)
        self._scene(scene)
        planned = json.loads(self._quietly("send", CAMPAIGN, "--wait", "--json"))["planned"]
        self._type("send", CAMPAIGN, "--live", "--wait", "--expect", str(planned))

    def _answers(self, *, days: int, at: time, what: str) -> None:
        self._clock.move_to(days, at)
        self._world.answer(self._clock.now())
        self._scene(what)
        self._type("sync")

    def _label(self) -> None:
        """What a person would do next: read an answer and say what it is."""
        replies = json.loads(self._quietly("replies", "--kind", "reply", "--json"))["replies"]
        if len(replies) > 1:
            self._scene("reading the answers")
            self._type("replies", "show", str(replies[0]["id"]))
            self._type("replies", "label", str(replies[0]["id"]), "interview")
            self._type("replies", "label", str(replies[1]["id"]), "interested")

    def _scene(self, title: str) -> None:
        width = shutil.get_terminal_size().columns
        self._tell(f"\n── {self._clock.now():%a %d %b} · {title} ".ljust(min(width, 90), "─"))

    def _type(self, *words: str) -> None:
        self._tell("\n$ outreach " + " ".join(_shown(word) for word in words))
        self._run(["-C", str(self._folder), *words], self._clock, self._network)

    def _quietly(self, *words: str) -> str:
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(io.StringIO()):
            self._run(["-C", str(self._folder), *words], self._clock, self._network)
        return said.getvalue()


def _farewell(folder: Path, tell: Tell, program: str) -> None:
    here = f"{program} -C {folder}"
    tell("\nEverything above was real: SMTP to a server on this machine, a mailbox read back; nothing left it.")
    tell("Look around in the workspace it leaves behind:")
    tell(f'  {here} founders --limit 10\n  {here} replies show 1\n  {here} why "Tobias Aurich"\n  {here} outbox')
    tell(f"With your own list and mailbox: {program} init")


def _shown(word: str) -> str:
    """A word as one would type it inside the workspace."""
    return Path(word).name if "/" in word or "\\" in word else word
