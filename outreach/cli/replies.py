"""`outreach replies …`: what came back, and what you make of it."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, local, say, show, show_json, show_table
from outreach.cli._shell import Json, listing, shell
from outreach.cli.sync import HOLDING, WORDS, day, read_inbox, sync
from outreach.errors import UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import OutboxItem, Reply

__all__ = ["read_inbox", "register"]

_LISTED = ("reply", "unsubscribe", "bounce", "auto_reply", "complaint", "challenge")
"""What `replies` lists unless a kind is named; machine mail and our own would bury it."""
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
    "label",
    "note",
    "text",
)

ID = Annotated[int, typer.Argument(metavar="ID", help="The reply's number in `outreach replies`.")]
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
    group.command("export")(export)
    app.add_typer(group, name="replies")


def list_replies(
    context: typer.Context,
    kind: Kind = None,
    campaign: Campaign = "",
    since: Since = "",
    unlabelled: Unlabelled = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many (default: 50; all with --json).")] = None,
    json: Json = False,
) -> None:
    """List what came back, newest first.

    Example: outreach replies --kind reply --unlabelled
    """
    with shell(context).app() as app:
        wanted = _wanted(app, kind, campaign, since, unlabelled=unlabelled)
        found = app.store.mail.replies(**wanted, limit=limit or (None if json else _LISTED_AT_MOST))
        total = app.store.mail.count(**wanted)
    if json:
        show_json({"replies": [_document(reply) for reply in found], "total": total})
        return
    if not found:
        say("nothing here yet; `outreach sync` reads the mailbox")
        return
    show_table(["id", "received", "kind", "from", "says", "label"], [_row(reply) for reply in found])
    if total > len(found):
        say(f"{len(found)} of {total:,}; --limit {total} shows all")


def show_reply(context: typer.Context, reply_id: ID, json: Json = False) -> None:
    """Show one answer: the new text first, then the thread, then why it was taken for what it is.

    Example: outreach replies show 12
    """
    with shell(context).app() as app:
        reply = app.store.mail.get(reply_id)
        thread = _thread(app, reply)
        zone = app.settings.zone
    if json:
        show_json({**_document(reply), "full_text": reply.full_text, "thread": [_mail(item) for item in thread]})
        return
    show(f"From: {_who(reply)}")
    show(f"Subject: {reply.subject}")
    show(f"Received: {local(reply.received_at.astimezone(zone))}")
    if reply.label or reply.note:
        show(f"Label: {reply.label or '-'}   Note: {reply.note or '-'}")
    show()
    show(reply.text.strip() or "(no text)")
    for item in reversed(thread):
        mail = _mail(item)
        show()
        show(f"── your mail, step {mail['step']}, {local(item.sent_at.astimezone(zone) if item.sent_at else None)} ──")
        show(str(mail["text"]).strip())
    show()
    show(f"{reply.kind}/{reply.subkind}" if reply.subkind else reply.kind)
    for line in reply.evidence:
        show(f"  {line}")
    if reply.trouble:
        show(f"  trouble: {reply.trouble}")
    if reply.kind in HOLDING and reply.founder and not reply.label:
        say(f"{reply.founder} waits; let the sequence go on: outreach replies label {reply.id} read")


def label(
    context: typer.Context,
    reply_id: ID,
    text: Annotated[str, typer.Argument(metavar="LABEL", help="interested, interview, offer, not-now, no, …")],
    json: Json = False,
) -> None:
    """Say what an answer means: interested, interview, offer, not-now, no, wrong-person, or a word of your own.

    An empty word takes the label back. Example: outreach replies label 12 interested
    """
    plain = "-".join(text.lower().split())
    with shell(context).app() as app:
        reply = app.store.mail.label(reply_id, plain, app.clock.now())
    _tell_changed(reply, f"reply {reply.id} is {reply.label or 'unlabelled'}", json=json)


def note(
    context: typer.Context,
    reply_id: ID,
    text: Annotated[str, typer.Argument(help="Anything to remember; empty takes it back.")],
    json: Json = False,
) -> None:
    """Write something beside an answer.

    Example: outreach replies note 12 "call on Thursday"
    """
    with shell(context).app() as app:
        reply = app.store.mail.note(reply_id, text)
    _tell_changed(reply, f"noted beside reply {reply.id}", json=json)


def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file to write.")],
    kind: Kind = None,
    campaign: Campaign = "",
    since: Since = "",
    unlabelled: Unlabelled = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write the answers to a CSV file.

    Example: outreach replies export replies.csv --kind reply
    """
    from outreach.core.cells import safe_cell

    with shell(context).app() as app:
        found = app.store.mail.replies(**_wanted(app, kind, campaign, since, unlabelled=unlabelled))
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(_COLUMNS)
    for reply in found:
        document = _document(reply)
        writer.writerow([safe_cell(str("" if document[name] is None else document[name])) for name in _COLUMNS])
    _write(file, text.getvalue(), force=force)
    show(f"{count(len(found), 'answer')} written to {file}")


def _write(file: Path, text: str, *, force: bool) -> None:
    """Readable by the owner only; written beside and renamed, so that it is whole or not there."""
    if file.exists() and not force:
        raise UsageError(f"{file} is there already.", hint="name another file, or add --force")
    beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(text)
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(f"{file} cannot be written: {error.strerror}.", hint="name a folder that is yours") from None


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


def _thread(app: "App", reply: "Reply") -> "list[OutboxItem]":
    """Our mails before the answer, oldest first."""
    if reply.outbox_id is None:
        return []
    enrollment = app.store.outbox.get(reply.outbox_id).enrollment_id
    items = app.store.outbox.thread(enrollment)
    return [item for item in items if item.sent_at and item.sent_at <= reply.received_at] or items[:1]


def _mail(item: "OutboxItem") -> dict[str, Any]:
    from outreach.core.message import read_draft

    return {"step": item.step, "subject": item.subject, "sent_at": item.sent_at, "text": read_draft(item.mime).text}


def _document(reply: "Reply") -> dict[str, Any]:
    return {
        "id": reply.id,
        "kind": reply.kind,
        "subkind": reply.subkind,
        "from": reply.from_address,
        "name": reply.founder or reply.from_name,
        "subject": reply.subject,
        "received_at": reply.received_at,
        "campaign": reply.campaign or None,
        "step": reply.step,
        "founder": reply.founder_id,
        "text": reply.text,
        "evidence": list(reply.evidence),
        "label": reply.label or None,
        "note": reply.note or None,
        "trouble": reply.trouble or None,
    }


def _row(reply: "Reply") -> list[object]:
    kind = reply.subkind.replace("_", " ") if reply.kind in ("auto_reply", "bounce") else WORDS[reply.kind][0]
    kind = f"{WORDS[reply.kind][0]} ({kind})" if reply.kind == "bounce" else kind
    says = " ".join(reply.text.split()) if reply.kind in ("reply", "unsubscribe") else reply.subject
    return [reply.id, reply.received_at, kind, reply.founder or reply.from_address, says, reply.label]


def _who(reply: "Reply") -> str:
    name = f"{reply.from_name} " if reply.from_name else ""
    about = f", about {reply.founder}" if reply.founder and reply.founder != reply.from_name else ""
    campaign = f" ({reply.campaign}, step {reply.step})" if reply.campaign and reply.step else ""
    return f"{name}<{reply.from_address}>{about}{campaign}"


def _tell_changed(reply: "Reply", text: str, *, json: bool) -> None:
    if json:
        show_json(_document(reply))
    else:
        show(text)
