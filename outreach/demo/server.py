"""The demo's world: a mail server on loopback that takes our mails, and people who answer into a Maildir.

Who answers what is a table (`data/answers.toml`), so each run is the same. Time comes from the caller: an answer is
there when the demo's clock has come that far.
"""

import os
import socket
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from aiosmtpd.controller import Controller

from outreach.demo.answers import Arrived, compose, read_arrived

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class _Pending:
    """An answer that someone is going to give."""

    due_at: datetime
    style: str
    to: Arrived
    text: str


class World:
    """Start it, mail to it, ask for the answers, stop it."""

    def __init__(self) -> None:
        self._arrived: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
        self._script = _script()
        self._mails: Counter[str] = Counter()
        self._pending: list[_Pending] = []
        self._delivered = 0

    def start(self, maildir: Path) -> tuple[str, int]:
        """Listen on a free port of this machine; answers will go to `maildir`. Host and port."""
        self._maildir = maildir
        for folder in ("tmp", "new", "cur"):
            (maildir / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        port = _free_port()
        self._controller = Controller(_Handler(self._arrived), hostname=HOST, port=port, server_hostname=HOST)
        self._controller.start()
        return HOST, port

    def answer(self, now: datetime) -> int:
        """Put every answer that is due by `now` into the mailbox, oldest first; how many that were."""
        self._read()
        due = sorted((one for one in self._pending if one.due_at <= now), key=_order)
        self._pending = [one for one in self._pending if one.due_at > now]
        for one in due:
            self._deliver(compose(one.style, one.to, one.text, one.due_at), one.due_at)
        return len(due)

    def stop(self) -> None:
        self._controller.stop()

    def _read(self) -> None:
        """What came in since the last time, and who is going to answer it."""
        while True:
            try:
                recipient, raw = self._arrived.get_nowait()
            except Empty:
                return
            self._mails[recipient] += 1
            answer = self._script.get((recipient, self._mails[recipient]))
            if answer:
                to = read_arrived(raw, recipient)
                due_at = to.sent_at + timedelta(hours=answer["after"], minutes=1)
                self._pending.append(_Pending(due_at, answer["style"], to, answer["text"]))

    def _deliver(self, mime: bytes, at: datetime) -> None:
        """As Maildir wants it: written under tmp, then moved to new. Its time is the answer's."""
        self._delivered += 1
        name = f"{int(at.timestamp())}.{self._delivered:04d}.demo"
        written = self._maildir / "tmp" / name
        written.write_bytes(mime)
        os.utime(written, (at.timestamp(), at.timestamp()))
        written.rename(self._maildir / "new" / name)


class _Handler:
    """What the server does with a mail: keep it."""

    def __init__(self, arrived: "SimpleQueue[tuple[str, bytes]]") -> None:
        self._arrived = arrived
        self._count = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        self._count += 1
        for recipient in envelope.rcpt_tos:
            self._arrived.put((recipient.lower(), envelope.original_content))
        return f"250 2.0.0 Ok: queued as D{self._count:04d}"


def _order(pending: _Pending) -> tuple[datetime, str]:
    return pending.due_at, pending.to.recipient


def _script() -> dict[tuple[str, int], Mapping[str, Any]]:
    text = files("outreach.demo").joinpath("data", "answers.toml").read_text("utf-8")
    return {(answer["from"], answer["mail"]): answer for answer in tomllib.loads(text)["answer"]}


def _free_port() -> int:
    """aiosmtpd cannot be asked for port 0."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
