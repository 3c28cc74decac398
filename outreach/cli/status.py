"""`outreach status`: where things stand."""

from typing import TYPE_CHECKING, Any

import typer

from outreach.cli._output import count, in_words, local, say, show, show_json
from outreach.cli._shell import DONE_IN_PART, Json, shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from outreach.bootstrap import App
    from outreach.flows.enqueue import Plan
    from outreach.flows.enqueue import Share as Planned


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(context: typer.Context, json: Json = False) -> None:
    """One screen: what is due, why nothing goes out now, doubts, new replies, the health of the mailbox.

    Example: outreach status
    """
    from outreach.cli._desks import Desks
    from outreach.cli.mailboxes import standings
    from outreach.core.pacing import UNTIL_FIXED
    from outreach.core.records import OutboxState
    from outreach.flows.enqueue import plan_all

    with shell(context).app() as app:
        app.note_doubts()
        now = app.clock.now()
        found = plan_all(app.store, app.work(), Desks(app.boxes).conditions(), now)
        shares = {share.mailbox.address: share for share in found.shares}
        document: dict[str, Any] = {
            "due_now": found.size,
            "next_at": None if found.size else found.next_at,
            "why_not_now": None if found.size else found.reason,
            "unknown": app.store.outbox.count(states=[OutboxState.UNKNOWN]),
            "failed": app.store.outbox.count(states=[OutboxState.FAILED]),
            "held": len(found.held),
            "new_replies": app.store.report.new_replies(),
            "quarantined": app.store.replies.quarantined(),
            "reminders": app.store.replies.due(now.astimezone(app.settings.zone).date().isoformat()),
            "mailboxes": [{**each, **_waits(shares.get(each["address"]))} for each in standings(app)],
            "resting_domains": [
                {
                    "domain": domain,
                    "until": None if until == UNTIL_FIXED else until,
                    "reason": reason,
                    "mailbox": box.sender.address,
                }
                for box in app.boxes
                for domain, until, reason in app.store.bookings.resting_domains(box.mailbox_id, now)
            ],
            "warnings": [*_refusals(app), *app.store.report.warnings(now)],
        }
        zone = app.settings.zone
    if json:
        show_json(document)
    else:
        _show_status(document, found, zone, now)
    if document["unknown"]:
        raise typer.Exit(DONE_IN_PART)


def _refusals(app: "App") -> "Iterator[str]":
    """Why `send --live` would refuse whatever is due."""
    from outreach.errors import SendRefused

    if app.copied() or app.store.instance.forgotten(app.journal.newest()):
        yield "nothing is sent from here: this store is a copy, was moved, or is an older one; outreach doctor"
    try:
        app.check_may_send()
    except SendRefused as refusal:
        yield f"{refusal} {refusal.hint}"


def _waits(share: "Planned | None") -> dict[str, Any]:
    """What a mailbox would send now, or why nothing."""
    if share is None:
        return {"due_now": 0, "next_at": None, "why_not_now": None}
    idle = not share.size
    return {
        "due_now": share.size,
        "next_at": share.next_at if idle else None,
        "why_not_now": share.reason or None if idle else None,
    }


def _show_status(document: dict[str, Any], found: "Plan", zone: "ZoneInfo", now: "datetime") -> None:
    from outreach.cli.mailboxes import summary

    why = f": {in_words(found.reason)}{f', next {local(found.next_at.astimezone(zone))}' if found.next_at else ''}"
    show(f"due now       {count(found.size, 'mail')}{'' if found.size else why}")
    show(
        f"in doubt      {document['unknown']}" + ("  → outreach outbox --state unknown" if document["unknown"] else "")
    )
    show(f"failed        {document['failed']}" + ("  → outreach outbox --state failed" if document["failed"] else ""))
    show(f"held back     {count(len(found.held), 'founder')}")
    show(
        f"new replies   {document['new_replies']}"
        + ("  → outreach replies --unlabelled" if document["new_replies"] else "")
    )
    if document["reminders"]:
        show(f"reminders     {document['reminders']}  → outreach replies --due")
    if document["quarantined"]:
        show(f"unreadable    {document['quarantined']} messages  → outreach replies --kind automatic")
    several = len(document["mailboxes"]) > 1
    for mailbox in document["mailboxes"]:
        show(f"mailbox       {summary(mailbox, now, zone, several=several)}")
        if several and not mailbox["due_now"] and mailbox["why_not_now"] not in (None, "no-campaign"):
            at = f", next {local(mailbox['next_at'].astimezone(zone))}" if mailbox["next_at"] else ""
            show(f"              nothing from it now: {in_words(mailbox['why_not_now'])}{at}")
    for resting in document["resting_domains"]:
        until = local(resting["until"].astimezone(zone)) if resting["until"] else "you act: outreach campaign resume"
        show(f"resting       {resting['domain']} until {until}: {resting['reason']}")
    for warning in document["warnings"]:
        show(f"look          {warning}")
    if found.size:
        say("next: outreach send --live")
