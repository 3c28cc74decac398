"""Asks every piece whether it works, and says what to do where one does not. Sends nothing but the self-test that was
asked for, and changes nothing but that what a dead run left is noted as in doubt.

Each check is a small function; a check that cannot run says why instead of failing the others.
"""

import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from outreach.bootstrap import App
from outreach.core.inbound import Arrival, read_head
from outreach.core.normalize import is_free_mail, registrable_domain
from outreach.core.records import OutboxState
from outreach.core.sender_domain import COMMON_SELECTORS, judge_dkim, judge_dmarc, judge_seen, judge_spf, provider_at
from outreach.errors import MailboxError, OutreachError
from outreach.flows.self_test import PATIENCE, SelfTest, self_test
from outreach.settings import SentCopies, TransportName
from outreach.transports.directory import DirectoryTransport
from outreach.transports.smtp import SmtpTransport
from outreach.workspace import workspace_key

_SYNCED = ("dropbox", "onedrive", "icloud", "google drive", "googledrive", "nextcloud", "syncthing")
_NETWORK = frozenset(("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "davfs"))
_ADVANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer. `remedy` is what to type or do where it is not `ok`."""

    check: str
    ok: bool
    says: str
    remedy: str = ""


def examine(app: App, *, self_test: bool = False) -> Iterator[Finding]:
    """Every check, one after the other; servers come last, because they take time."""
    yield from _asked(app, _CHECKS)
    for box in app.boxes:
        yield from examine_mailbox(box, self_test=self_test)


def examine_mailbox(box: App, *, self_test: bool = False) -> Iterator[Finding]:
    """What concerns one mailbox alone; with its name, where there are several. The test is left out where its servers
    do not work: a refused login is not tried again."""
    usable = True
    for finding in _asked(box, _OF_A_MAILBOX):
        usable &= finding.ok or finding.check not in ("sending", "inbox")
        yield _named(box, finding)
    if self_test:
        for finding in _asked(box, (("self-test", _self_test if usable else _not_tried),)):
            yield _named(box, finding)


def _named(box: App, finding: Finding) -> Finding:
    return replace(finding, says=f"{box.name}: {finding.says}") if len(box.boxes) > 1 else finding


def _asked(app: App, checks: "Sequence[tuple[str, Callable[[App], Iterator[Finding]]]]") -> Iterator[Finding]:
    for name, check in checks:
        try:
            yield from check(app)
        except OutreachError as error:
            yield Finding(name, ok=False, says=str(error), remedy=error.hint)


def _store(app: App) -> Iterator[Finding]:
    wrong = app.store.database.check()
    says = f"{app.store.database.name}: {wrong or 'ok'}"
    yield Finding("store", not wrong, says, "put a backup in its place, or mend the server; then look again")


def _copy(app: App) -> Iterator[Finding]:
    missing, moved = app.store.instance.forgotten(app.journal.entries()), app.copied()
    says = "the one that was used last"
    if missing:
        says = f"an older copy: sent.log knows mails that it has forgotten ({len(missing)})"
    elif moved:
        says = f"a copy, or moved: another {' and another '.join(moved)} than when it was used last"
    yield Finding("copy", not (missing or moved), says, "outreach doctor --adopt, if only this one is used from now on")


def _place(app: App) -> Iterator[Finding]:
    folder = app.workspace.folder.resolve()
    kind = _file_system(folder)
    if kind in _NETWORK:
        yield Finding("place", ok=False, says=f"{folder} is on a network ({kind})", remedy="move it to a local disk")
        return
    synced = next((word for word in _SYNCED if word in str(folder).lower()), "")
    yield Finding(
        "place",
        not synced,
        f"{folder} seems to be synchronised ({synced})" if synced else str(folder),
        "a half-copied store is a broken one: keep the workspace outside of synchronised folders",
    )


def _file_system(folder: Path) -> str:
    """The kind of file system of a folder, where Linux tells; the longest mount point above it decides."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    return _mounted(folder, mounts.read_text("utf-8", "replace"))


def _mounted(folder: Path, mounts: str) -> str:
    """Of several on one mount point the last counts: what an automounter puts on top of itself."""
    found = [line.split()[1:3] for line in mounts.splitlines()]
    above = [(where, kind) for where, kind in found if folder.is_relative_to(where.replace("\\040", " "))]
    return max(reversed(above), key=lambda mount: len(mount[0]), default=("", ""))[1]


def _files(app: App) -> Iterator[Finding]:
    work = app.workspace
    files = (work.env, *sorted(work.mailboxes.glob("*.env")), work.store, work.key, work.sent_log, work.suppression_log)
    loose = [
        str(file.relative_to(work.folder))
        for file in files
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077
    ]
    yield Finding(
        "files",
        not loose,
        f"others can read {', '.join(loose)}" if loose else "private",
        f"chmod 600 {' '.join(loose)}",
    )


def _key(app: App) -> Iterator[Finding]:
    workspace_key(app.workspace, app.store)
    yield Finding("key", ok=True, says=f"{app.workspace.key.name} is there; keep it in every backup")


def _law(app: App) -> Iterator[Finding]:
    app.check_may_send()
    yield Finding("settings", ok=True, says=f"{app.sender.name} <{app.sender.address}>, {app.settings.purpose}")


def _mailboxes(app: App) -> Iterator[Finding]:
    left = [f"{people} of {address} in {campaign}" for campaign, address, people in app.unserved()]
    if app.store.database.server:  # a team's other members have the settings
        left = []
    says = f"nobody writes to {', '.join(left)}" if left else ", ".join(box.name for box in app.boxes)
    remedy = (
        f"put the settings of that address into {app.workspace.mailboxes.name}/NAME.env, or: outreach campaign move"
    )
    yield Finding("mailboxes", not left, says, remedy)


def _templates(app: App) -> Iterator[Finding]:
    names = sorted({campaign.sequence for campaign, _ in app.work()})
    yield Finding("templates", ok=True, says=", ".join(names) or "no campaign uses one yet")


def _doubts(app: App) -> Iterator[Finding]:
    app.note_doubts()
    number = app.store.outbox.count(states=[OutboxState.UNKNOWN])
    says = f"mails that may or may not have left: {number}" if number else "none"
    yield Finding("doubts", not number, says, "outreach outbox --state unknown")


def _clock(app: App) -> Iterator[Finding]:
    newest = max(app.store.outbox.sent_times(app.mailbox_id), default=None)
    ahead = newest is not None and newest - app.clock.now() > _ADVANCE
    says = (
        f"the newest mail was sent at {newest:%Y-%m-%d %H:%M} UTC, which is still to come" if ahead else "as expected"
    )
    yield Finding("clock", not ahead, says, "set the clock of this machine; until then caps count those mails")


def _disk(app: App) -> Iterator[Finding]:
    room = app.has_room()
    yield Finding(
        "disk", room, "room enough" if room else "less than 50 MB are free", "nothing is sent until there is more"
    )


def _smtp(app: App) -> Iterator[Finding]:
    transport = app.transport()
    try:
        refusal = transport.connect() if isinstance(transport, SmtpTransport) else None
    finally:
        transport.close()
    if refusal:
        raise app.unusable(refusal)
    settings = app.settings
    says = f"{settings.smtp_host}:{settings.smtp_port} ({settings.smtp_security}) takes the login"
    if isinstance(transport, DirectoryTransport):
        says = f"each mail becomes a file in {transport.folder}"
    yield Finding("sending", ok=True, says=says)


def examine_domain(app: App) -> Iterator[Finding]:
    """Whether receivers can tell that mail from this address is the owner's."""
    domain, host = app.sender.address.rpartition("@")[2].lower(), app.settings.smtp_host
    if app.stays_here or is_free_mail(domain):
        why = "mail stays on this machine" if app.stays_here else f"{domain} is your provider's own"
        yield Finding("domain", ok=True, says=f"nothing to ask: {why}")
        return
    dns, provider = app.mail_hosts(), provider_at(host)

    def texts(name: str) -> tuple[str, ...]:
        found = dns.texts(name)
        if found is None:
            raise MailboxError(f"DNS does not answer for {name}.", hint="try again later")
        return found

    parent = registrable_domain(domain)
    dmarc = texts(f"_dmarc.{domain}")
    if not dmarc and parent != domain:
        dmarc = texts(f"_dmarc.{parent}")  # which speaks for its subdomains
    keys = {name: texts(f"{name}._domainkey.{domain}") for name in provider.selectors or COMMON_SELECTORS}
    advice = {
        "SPF": judge_spf(domain, texts(domain), provider),
        "DKIM": judge_dkim(keys, provider),
        "DMARC": judge_dmarc(domain, dmarc),
    }
    for name, found in advice.items():
        said = found.says if found.says.startswith(f"{domain} ") else f"{domain}: {found.says}"
        yield Finding(name, found.ok, said, found.remedy)


def _inbox(app: App) -> Iterator[Finding]:
    if not app.reads_inbox:
        remedy = "set OUTREACH_IMAP_HOST, OUTREACH_MAILDIR or OUTREACH_MBOX: without answers no follow-up is ever sent"
        yield Finding("inbox", ok=False, says="no inbox is read", remedy=remedy)
        return
    inbox = app.inbox()
    try:
        found = {folder.role: folder.name for folder in inbox.folders()}
    finally:
        inbox.close()
    yield Finding("inbox", ok=True, says=", ".join(f"{role}: {name}" for role, name in found.items()))
    if "sent" not in found:
        yield Finding(
            "sent folder", ok=False, says="none was found",
            remedy="doubts cannot be settled by it, and what you write by hand is not seen",
        )  # fmt: skip


def _not_tried(_app: App) -> Iterator[Finding]:
    yield Finding("self-test", ok=False, says="nothing was sent", remedy="mend sending and inbox first")


def _self_test(app: App) -> Iterator[Finding]:
    """A mail to oneself, and what can be learned from it; whether copies are filed is remembered."""
    if app.settings.transport is TransportName.DIRECTORY:
        yield Finding("self-test", ok=True, says="nothing to learn: mails stay on this machine")
        return
    with app.connected() as transport:
        seen = self_test(transport, app.inbox(), sender=app.sender, clock=app.clock)
    if seen.refused:
        raise app.unusable(seen.answer)
    yield _whereabouts(seen, app.sender.address)
    if seen.arrived is not None:
        yield from _treatment(app, seen, read_head(seen.arrived.raw, seen.arrived.received_at))


def _treatment(app: App, seen: SelfTest, arrival: Arrival) -> Iterator[Finding]:
    """What the provider made of a mail that has arrived."""
    ours = seen.message.message_id
    kept, named = arrival.message_id == ours, ours in arrival.headers.ids("references")
    says = "kept" if kept else f"changed on the way{'; answers name both' if named else ''}"
    yield Finding("message id", kept or named, says, "only by its sender can be told what an answer is to")
    if judged := judge_seen(arrival.headers.raw("authentication-results")):
        yield Finding("as received", judged.ok, judged.says, judged.remedy)
    if any(folder.role == "sent" for folder in seen.folders):
        app.store.copies.learn(app.mailbox_id, files_sent=seen.copy is not None)
        ours_too = "" if app.settings.sent_copies is SentCopies.NEVER else "; outreach sync does"
        says = "your provider puts them into Sent" if seen.copy else f"your provider puts none into Sent{ours_too}"
        yield Finding("copies", ok=True, says=says)


def _whereabouts(seen: SelfTest, address: str) -> Finding:
    if seen.arrived is None:
        says = f"the mail to {address} has left, and did not arrive within {PATIENCE.seconds // 60} minutes"
        return Finding("self-test", ok=False, says=says, remedy="look whether it comes later, or comes back")
    folder = seen.arrived.folder
    says = f"the mail to {address} arrived in {folder.name} after {round(seen.after.total_seconds())} s"
    remedy = "even your own provider takes your mail for junk: mend SPF, DKIM and DMARC before you write to others"
    return Finding("self-test", folder.role != "junk", says, remedy)


_CHECKS: tuple[tuple[str, Callable[[App], Iterator[Finding]]], ...] = (
    ("store", _store),
    ("copy", _copy),
    ("place", _place),
    ("files", _files),
    ("key", _key),
    ("settings", _law),
    ("mailboxes", _mailboxes),
    ("templates", _templates),
    ("doubts", _doubts),
    ("disk", _disk),
)
_OF_A_MAILBOX: tuple[tuple[str, Callable[[App], Iterator[Finding]]], ...] = (
    ("clock", _clock),
    ("sending", _smtp),
    ("inbox", _inbox),
    ("domain", examine_domain),
)
