"""What crash-safe sending costs: all of `outreach send`, beside mailmerge, which keeps no record, over the same sink,
on this machine and behind a line as long as one to a server elsewhere; the sending flow beside itself with a store in
memory, that is without one durable commit; and what no tool that never writes twice can go below: the bare dialogue,
with a line that is synced and a transaction that is committed before each dot, beside mailmerge.

    pip install -e '.[dev,bench]'; apt-get install postfix        (smtp-sink is the server)
    python -m benchmarks.sending [MAILS]
"""

import asyncio
import csv
import os
import shutil
import smtplib
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from outreach.bootstrap import SystemClock, open_app
from outreach.core.pacing import unpaced
from outreach.core.records import OutboxState
from outreach.flows.enqueue import enqueue, plan
from outreach.flows.send import Sender, send
from outreach.store.journal import MemoryJournal
from outreach.store.store import memory_store
from outreach.transports.smtp import Server, SmtpTransport
from tests.factory import add_founders, queue_all, start_campaign

ROUNDS = 5
MAILS = 1000
FAR_MAILS = 200
ROUND_TRIP = 0.01
"""Seconds to a mail server in the same country and back."""
_TEMPLATE = """TO: {{email}}
SUBJECT: A question from an engineer
FROM: Ada Testwell <ada@testwell.example>

Hi {{first}},

are you hiring at {{company}}?

Ada
"""
_BODY = b"Subject: A question\r\n\r\nHi,\r\n\r\nare you hiring?\r\n"
_CONF = "[smtp_server]\nhost = 127.0.0.1\nport = {port}\n"


def main(mails: int) -> None:
    with tempfile.TemporaryDirectory() as folder, _sink() as port, _line(port) as far:
        workspace = _workspace(Path(folder) / "outreach", mails, port)
        peer = _peer(Path(folder) / "mailmerge", mails, port)
        whole = _paired(lambda: _send(workspace), lambda: _mailmerge(peer))
        far_workspace = _workspace(Path(folder) / "far", FAR_MAILS, far)
        far_peer = _peer(Path(folder) / "far-mailmerge", FAR_MAILS, far)
        away = _paired(lambda: _send(far_workspace), lambda: _mailmerge(far_peer))
        flow = _paired(lambda: _flow(workspace), lambda: _flow_without_commits(mails, port))
        bare = _paired(lambda: _bare(Path(folder), mails, port), lambda: _mailmerge(peer))
    print(f"medians of {ROUNDS}; mails a second")
    print(f"{'':<52}{'mails':>7}{'ours':>8}{'beside':>8}{'ratio':>7}")
    for name, count, (ours, beside) in (
        ("whole command, beside mailmerge", mails, whole),
        (f"the same, {ROUND_TRIP * 1000:.0f} ms to the server and back", FAR_MAILS, away),
        ("flow, beside no commits", mails, flow),
        ("bare dialogue, sync and commit, beside mailmerge", mails, bare),
    ):
        print(f"{name:<52}{count:>7}{count / ours:>8.0f}{count / beside:>8.0f}{beside / ours:>7.2f}")


def _paired(ours: Callable[[], float], beside: Callable[[], float]) -> tuple[float, float]:
    """Medians of two things measured by turns."""
    pairs = [(ours(), beside()) for _ in range(ROUNDS)]
    first, second = zip(*pairs, strict=True)
    return statistics.median(first), statistics.median(second)


@contextmanager
def _sink() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    found = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
    command = [found, *(["-u", "nobody"] if os.getuid() == 0 else []), f"127.0.0.1:{port}", "100"]
    sink = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        sink.terminate()
        sink.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("smtp-sink did not start")


@contextmanager
def _line(to: int) -> Iterator[int]:
    """A port that leads there by a long line: whatever goes in comes out half a round trip later."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    starting = asyncio.run_coroutine_threadsafe(_long_line(to), loop)
    server = starting.result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)


async def _long_line(to: int) -> asyncio.Server:
    async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while said := await source.read(65_536):
            loop.call_later(ROUND_TRIP / 2, target.write, said)
        loop.call_later(ROUND_TRIP / 2, target.close)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(ROUND_TRIP)  # to connect takes one
        back, there = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(carry(reader, there), carry(back, writer))

    return await asyncio.start_server(serve, "127.0.0.1", 0)


# --- ours -----------------------------------------------------------------------------------------


def _run(*words: str, folder: Path, **settings: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")}
    command = [sys.executable, "-m", "outreach", *words]
    subprocess.run(command, cwd=folder, env=environment | settings, check=True, capture_output=True)


def _workspace(folder: Path, mails: int, port: int) -> Path:
    """With everyone imported and enrolled, and nothing queued."""
    folder.mkdir()
    with (folder / "people.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Name", "Company", "Website", "Email"))
        for number in range(mails):
            host = f"labs{number}.example"
            writer.writerow((f"Bo{number} Quill{number}", f"Labs {number}", f"https://{host}", f"bo@{host}"))
    settings = {
        "OUTREACH_FROM": "Ada Testwell <ada@testwell.example>",
        "OUTREACH_PURPOSE": "job-search",
        "OUTREACH_SMTP_HOST": "127.0.0.1",
        "OUTREACH_SMTP_PORT": str(port),
        "OUTREACH_SMTP_SECURITY": "none",
    }
    _run("init", "--yes", folder=folder, **settings)
    _run("import", "people.csv", folder=folder)
    _run("campaign", "new", "spring", "--sequence", "job-search", folder=folder)
    return folder


@contextmanager
def _copy(workspace: Path) -> Iterator[Path]:
    """Every round begins with nothing sent."""
    with tempfile.TemporaryDirectory(dir=workspace.parent) as folder:
        yield Path(shutil.copytree(workspace, Path(folder) / "w"))


def _send(workspace: Path) -> float:
    mails = sum(1 for _ in (workspace / "people.csv").open()) - 1
    with _copy(workspace) as folder:
        started = time.perf_counter()
        _run("send", "--live", "--no-pacing", "--expect", str(mails), folder=folder)
        return time.perf_counter() - started


def _flow(workspace: Path) -> float:
    """The sending alone, with every commit and sync."""
    with _copy(workspace) as folder, open_app(folder, {}) as app:
        conditions = app.conditions(paced=False)
        items = enqueue(app.store, plan(app.store, app.work(), conditions, app.clock.now()), app.clock.now())
        sender = Sender(
            store=app.store, transport=app.transport(), mailbox=conditions.mailbox, limits=conditions.limits,
            clock=app.clock, journal=app.journal, owner=app.owner, chance=app.chance,
        )  # fmt: skip
        started = time.perf_counter()
        assert send(sender, items).count(OutboxState.SENT) == len(items)
        return time.perf_counter() - started


def _flow_without_commits(mails: int, port: int) -> float:
    """The same, remembered nowhere but in memory."""
    from tests.flows.test_enqueue_and_send import LIMITS

    store, now = memory_store(), datetime.now(UTC)
    add_founders(store, [f"Bo{number}" for number in range(mails)], now=now)
    campaign, mailbox = start_campaign(store, now=now)
    items = queue_all(store, campaign, now=now)
    sender = Sender(
        store=store, transport=SmtpTransport(Server("127.0.0.1", port, "none")), mailbox=mailbox,
        limits=replace(unpaced(LIMITS), fresh_inbox=None), clock=SystemClock(), journal=MemoryJournal(), owner="",
        chance=lambda: 0.5,
    )  # fmt: skip
    started = time.perf_counter()
    assert send(sender, items).count(OutboxState.SENT) == len(items)
    return time.perf_counter() - started


# --- the least that it takes ----------------------------------------------------------------------------


def _bare(folder: Path, mails: int, port: int) -> float:
    """Nothing but what the promise needs of the disk and the wire, without planning, checking or reporting."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as place,
        closing(sqlite3.connect(Path(place) / "bare.db", isolation_level=None)) as store,
        (Path(place) / "bare.log").open("ab", buffering=0) as log,
        smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as server,
    ):
        store.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE sent (state)")
        assert server.sock
        server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.ehlo()
        started = time.perf_counter()
        for number in range(mails):
            server.mail("ada@testwell.example")
            server.rcpt(f"bo@labs{number}.example")
            server.docmd("DATA")
            server.send(_BODY)
            log.write(b"intent\n")
            os.fsync(log)
            store.execute("INSERT INTO sent VALUES ('sending')")  # by itself a transaction
            assert server.docmd(".")[0] == 250
        return time.perf_counter() - started


# --- the peer -------------------------------------------------------------------------------------


def _peer(folder: Path, mails: int, port: int) -> Path:
    folder.mkdir()
    (folder / "mailmerge_template.txt").write_text(_TEMPLATE)
    (folder / "mailmerge_server.conf").write_text(_CONF.format(port=port))
    rows = [f"bo@labs{number}.example,Bo{number},Labs {number}" for number in range(mails)]
    (folder / "mailmerge_database.csv").write_text("\n".join(["email,first,company", *rows]) + "\n")
    return folder


def _mailmerge(folder: Path) -> float:
    started = time.perf_counter()
    command = [str(Path(sys.executable).with_name("mailmerge")), "--no-dry-run", "--no-limit"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MAILS)
