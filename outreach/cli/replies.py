"""`outreach replies …`: what came back, as a list, one by one, or as a file."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._export import check_target
from outreach.cli._export import export as export_table
from outreach.cli._files import write_private
from outreach.cli._listening import wait_for_mail
from outreach.cli._output import as_json, count, local, say, show, show_json, show_table
from outreach.cli._shell import Json, listing, shell
from outreach.cli.reply_actions import ID, answer, document, label, note
from outreach.cli.sync import HOLDING, WORDS, day, read_all, read_inbox, sync
from outreach.errors import UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import Reply

_LISTED = ("reply", "unsubscribe", "bounce", "auto_reply", "complaint", "challenge")
"""What `replies` lists unless a kind is named; machine mail and our own would bury it."""
_SPOKEN = ("reply", "unsubscribe", "auto_reply")
_LISTED_AT_MOST = 50
_COLUMNS = (
    "id",
    "kind",
    "subkind",
    "from",
    "name",
    "subject",
    "received_at",
    "campaign",
    "step",
    "guess",
    "label",
    "remind_on",
    "note",
    "text",
)

Kind = Annotated[list[str] | None, typer.Option("--kind", metavar="KIND", help="Only this kind; may be repeated.")]
Campaign = Annotated[str, typer.Option(help="Only answers to this campaign.")]
Since = Annotated[str, typer.Option(metavar="DATE", help="Only what came since then, such as 2026-03-01.")]
Unlabelled = Annotated[bool, typer.Option("--unlabelled", help="Only what has no label yet.")]


def register(app: typer.Typer) -> None:
    app.command()(sync)
    group = listing("The answers, and what you make of them.")
    group.command("list")(list_replies)
    group.command("show")(show_reply)
    group.command("label")(label)
    group.command("note")(note)
    group.command("answer")(answer)
    group.command("export")(export)
    app.add_typer(group, name="replies")


def list_replies(
    context: typer.Context,
    kind: Kind = None,
    campaign: Campaign = "",
    since: Since = "",
    unlabelled: Unlabelled = False,
    due: Annotated[bool, typer.Option("--due", help="Only reminders whose day has come.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many (default: 50; all with --json).")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, read the mailbox, and show what comes in.")] = False,
    every: Annotated[int, typer.Option(min=5, metavar="SECONDS", help="With --watch: how often to look.")] = 60,
    json: Json = False,
) -> None:
    """List what came back: what waits for you first, then newest first.

    Example: outreach replies --kind reply --unlabelled
    """
    with shell(context).app() as app:
        wanted = _wanted(app, kind, campaign, since, unlabelled=unlabelled)
        today = app.clock.now().astimezone(app.settings.zone).date().isoformat()
        found = app.store.replies.listed(
            **wanted, due_on=today if due else "", limit=limit or (None if json else _LISTED_AT_MOST)
        )
        total = len(found) if due else app.store.replies.count(**wanted)
        if json:
            show_json({"replies": [document(reply) for reply in found], "total": total})
            return
        if found:
            rows = [_row(reply) for reply in found]
            show_table(["id", "received", "kind", "from", "says", "label"], rows, app.settings.zone)
        elif not watch:
            say(_nothing(due=due, narrowed=bool(kind or campaign or since or unlabelled)))
        if total > len(found):
            say(f"{len(found)} of {total:,}; --limit {total} shows all")
        if watch:
            _watch(app, wanted, every)


def _nothing(*, due: bool, narrowed: bool) -> str:
    if due:
        return "no reminder is due"
    return (
        "nothing fits; `outreach replies` lists all"
        if narrowed
        else "nothing here yet; `outreach sync` reads the mailbox"
    )


def _watch(app: "App", wanted: dict[str, Any], every: int) -> None:
    """What comes into the log, by our own reading of the mailbox or by somebody else's, until Ctrl-C."""
    last = app.store.replies.newest()
    say("watching; Ctrl-C ends it")
    while True:
        if any(box.reads_inbox for box in app.boxes):
            read_all(app, partial(read_inbox, aloud=False))
        for reply in reversed(app.store.replies.listed(**wanted, after=last)):
            show("  ".join(str(cell) for cell in _row(reply) if cell != ""))
        last = app.store.replies.newest()
        wait_for_mail(app.boxes, every)


def show_reply(
    context: typer.Context,
    reply_id: ID,
    full: Annotated[bool, typer.Option("--full", help="All of it, what they quoted included.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="The message as it came, headers and all.")] = False,
    json: Json = False,
) -> None:
    """Show one answer: the new text first, then the thread, then why it was taken for what it is.

    Example: outreach replies show 12
    """
    with shell(context).app() as app:
        reply = app.store.replies.get(reply_id)
        thread = _thread(app, reply)
        bytes_ = app.store.replies.raw(reply_id) if raw else b""
        zone = app.settings.zone
    if json:
        show_json({**document(reply), "full_text": reply.full_text, "thread": [line.document() for line in thread]})
        return
    if raw:
        show(bytes_.decode("utf-8", "replace") or "(it was not kept)")
        return
    _show_head(reply, zone)
    show()
    show((reply.full_text if full else reply.text).strip() or "(no text)")
    for line in thread:
        show()
        show(f"── {line.title}, {local(line.at.astimezone(zone) if line.at else None)} ──")
        show(line.text.strip() or "(no text)")
    _show_why(reply)
    if not full and reply.full_text.strip() != reply.text.strip():
        say(f"with what they quoted: outreach replies show {reply.id} --full")
    if reply.kind in HOLDING and reply.founder and not reply.label:
        say(f"{reply.founder} waits; let the sequence go on: outreach replies label {reply.id} read")


def _show_head(reply: "Reply", zone: tzinfo) -> None:
    show(f"From: {_who(reply)}")
    show(f"Subject: {reply.subject}")
    show(f"Received: {local(reply.received_at.astimezone(zone))}")
    if reply.label or reply.note:
        back = f" (comes back on {reply.remind_on})" if reply.remind_on else ""
        show(f"Label: {reply.label or '-'}{back}   Note: {reply.note or '-'}")
    if reply.guess and not reply.label:
        show(f"Guess: {reply.guess.replace('-', ' ')}, by the words “{reply.guess_evidence}”; the label is yours")
    for part in reply.attachments:
        show(f"Attached: {part['name'] or 'unnamed'} ({part['type']}, {part['size']:,} bytes)")


def _show_why(reply: "Reply") -> None:
    show()
    show(f"{reply.kind}/{reply.subkind}" if reply.subkind else reply.kind)
    for why in reply.evidence:
        show(f"  {why}")
    for failure in reply.failures[1:]:
        show(f"  also {failure['reason']}: {failure['address']} {failure['status']}")
    if reply.trouble:
        show(f"  trouble: {reply.trouble}")


def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file to write: .csv, .tsv, .xlsx, .json or .mbox.")],
    kind: Kind = None,
    campaign: Campaign = "",
    since: Since = "",
    unlabelled: Unlabelled = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write the answers to a file: a table, JSON with everything, or the mails themselves for another mail program.

    Example: outreach replies export replies.csv --kind reply
    """
    check_target(file, force=force, also=(".mbox",))
    with shell(context).app() as app:
        found = app.store.replies.listed(**_wanted(app, kind, campaign, since, unlabelled=unlabelled))
        written = _write(app, file, found, force=force)
    show(f"{count(written, 'answer')} written to {file}")
    if written < len(found):
        say(f"{count(len(found) - written, 'mail')} could not be written: their bytes were not kept")


def _write(app: "App", file: Path, found: "Sequence[Reply]", *, force: bool) -> int:
    """How many could be written."""
    if file.suffix.lower() == ".mbox":
        mails = list(_as_mbox(app, found))
        write_private(file, b"".join(mails), force=force)
        return len(mails)
    if file.suffix.lower() == ".json":
        rows = [{**document(reply), "full_text": reply.full_text} for reply in found]
        write_private(file, as_json({"replies": rows}).encode() + b"\n", force=force)
        return len(rows)
    return export_table(file, _COLUMNS, ({**document(reply), "guess": reply.guess} for reply in found), raw=False)


def _as_mbox(app: "App", found: "Sequence[Reply]") -> Iterator[bytes]:
    """The mboxrd form: lines that begin with From, quoted or not, get one more `>`."""
    for reply in sorted(found, key=lambda each: (each.received_at, each.id)):
        raw = app.store.replies.raw(reply.id).replace(b"\r\n", b"\n")
        if raw:
            stamp = f"From {reply.from_address or 'MAILER-DAEMON'} {reply.received_at:%a %b %d %H:%M:%S %Y}\n"
            body = re.sub(rb"(?m)^(>*From )", rb">\1", raw)
            yield stamp.encode("ascii", "replace") + body.rstrip(b"\n") + b"\n\n"


def _wanted(app: "App", kind: Sequence[str] | None, campaign: str, since: str, *, unlabelled: bool) -> dict[str, Any]:
    unknown = [each for each in kind or () if each not in WORDS]
    if unknown:
        raise UsageError(f"there is no kind called {unknown[0]}.", hint=f"the kinds are {', '.join(WORDS)}")
    return {
        "kinds": tuple(kind or _LISTED),
        "campaign_id": app.store.campaigns.get(campaign).id if campaign else None,
        "since": day(app, since),
        "unlabelled": unlabelled,
    }


@dataclass(frozen=True, slots=True)
class Line:
    """One mail of a conversation: ours or theirs."""

    title: str
    step: int | None
    kind: str
    subject: str
    at: datetime | None
    text: str

    def document(self) -> dict[str, Any]:
        return {"step": self.step, "kind": self.kind, "subject": self.subject, "sent_at": self.at, "text": self.text}


def _thread(app: "App", reply: "Reply") -> list[Line]:
    """What we wrote to that person and what came back, newest first, without the reply itself."""
    from outreach.core.message import read_draft

    if reply.outbox_id is None:
        return []
    enrollment = app.store.outbox.get(reply.outbox_id).enrollment_id
    ours = [
        Line(f"your mail, step {item.step}", item.step, "sent", item.subject, item.sent_at, read_draft(item.mime).text)
        for item in app.store.outbox.thread(enrollment)
        if item.sent_at
    ]
    others = app.store.replies.conversation(reply.founder_id) if reply.founder_id is not None else []
    theirs = [
        Line(f"{WORDS[one.kind][0]} {one.id}", None, one.kind, one.subject, one.received_at, one.text)
        for one in others
        if one.id != reply.id and one.kind in _SPOKEN
    ]
    return sorted([*ours, *theirs], key=lambda line: (line.at is not None, line.at), reverse=True)


def _row(reply: "Reply") -> list[object]:
    kind = reply.subkind.replace("_", " ") if reply.kind in ("auto_reply", "bounce") else WORDS[reply.kind][0]
    kind = f"{WORDS[reply.kind][0]} ({kind})" if reply.kind == "bounce" else kind
    says = " ".join(reply.text.split()) if reply.kind in ("reply", "unsubscribe") else reply.subject
    label = reply.label or (f"{reply.guess.replace('-', ' ')}?" if reply.guess else "")  # the mark of a guess
    return [reply.id, reply.received_at, kind, reply.founder or reply.from_address, says, label]


def _who(reply: "Reply") -> str:
    name = f"{reply.from_name} " if reply.from_name else ""
    about = f", about {reply.founder}" if reply.founder and reply.founder != reply.from_name else ""
    campaign = f" ({reply.campaign}, step {reply.step})" if reply.campaign and reply.step else ""
    return f"{name}<{reply.from_address}>{about}{campaign}"
