"""`outreach status` and `outreach report`: where things stand, and what came of it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, in_words, local, say, show, show_json, show_table
from outreach.cli._shell import DONE_IN_PART, Json, shell

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from outreach.core.stats import Rate
    from outreach.flows.enqueue import Plan
    from outreach.store.report import Funnel

_RATES = (
    ("bounce", "bounced", "mailed"),
    ("reply", "replied", "delivered"),
    ("interested", "interested", "delivered"),
    ("interview", "interview", "delivered"),
    ("offer", "offer", "delivered"),
)


def register(app: typer.Typer) -> None:
    app.command()(status)
    app.command()(report)


def status(context: typer.Context, json: Json = False) -> None:
    """One screen: what is due, why nothing goes out now, doubts, new replies, the health of the mailbox.

    Example: outreach status
    """
    from outreach.core.delivery import UNTIL_FIXED
    from outreach.core.pacing import DAY
    from outreach.core.records import OutboxState
    from outreach.flows.enqueue import plan

    with shell(context).app() as app:
        app.note_doubts()
        now = app.clock.now()
        found = plan(app.store, app.work(), app.conditions(), now)
        mailboxes = app.store.report.mailboxes(now - DAY)
        document: dict[str, Any] = {
            "due_now": found.size,
            "next_at": None if found.size else found.next_at,
            "why_not_now": None if found.size else found.reason,
            "unknown": app.store.report.count_outbox(OutboxState.UNKNOWN),
            "failed": app.store.report.count_outbox(OutboxState.FAILED),
            "held": len(found.held),
            "new_replies": app.store.report.new_replies(),
            "quarantined": app.store.mail.quarantined(),
            "reminders": app.store.mail.due(now.astimezone(app.settings.zone).date().isoformat()),
            "mailboxes": [asdict(mailbox) for mailbox in mailboxes],
            "resting_domains": [
                {"domain": domain, "until": None if until == UNTIL_FIXED else until, "reason": reason}
                for domain, until, reason in app.store.bookings.resting_domains(app.mailbox.id, now)
            ],
            "warnings": app.store.report.warnings(now),
        }
        zone = app.settings.zone
    if json:
        show_json(document)
    else:
        _show_status(document, found, zone, now)
    if document["unknown"]:
        raise typer.Exit(DONE_IN_PART)


def _show_status(document: dict[str, Any], found: "Plan", zone: "ZoneInfo", now: "datetime") -> None:
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
    for mailbox in document["mailboxes"]:
        rests = mailbox["paused_until"] and mailbox["paused_until"] > now
        paused = f", paused: {mailbox['pause_reason']}" if rests else ""
        read = (
            f"inbox read {local(mailbox['synced_at'].astimezone(zone))}" if mailbox["synced_at"] else "inbox never read"
        )
        by_hand = f" and {mailbox['by_hand_24h']} by hand" if mailbox["by_hand_24h"] else ""
        cap = mailbox["learned_cap"]
        learned = f", at most {cap} a day since the provider's limit" if cap else ""
        show(
            f"mailbox       {mailbox['address']}: {mailbox['sent_24h']} sent{by_hand} in 24 h, {read}{learned}{paused}"
        )
    for resting in document["resting_domains"]:
        until = local(resting["until"].astimezone(zone)) if resting["until"] else "you act: outreach campaign resume"
        show(f"resting       {resting['domain']} until {until}: {resting['reason']}")
    for warning in document["warnings"]:
        show(f"look          {warning}")
    if found.size:
        say("next: outreach send --live")


def report(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(metavar="[CAMPAIGN]", help="Default: all of them.")] = "",
    json: Json = False,
) -> None:
    """The funnel: from imported to offer, with rates and their 95 % intervals.

    Example: outreach report ai-berlin
    """
    with shell(context).app() as app:
        app.note_doubts()
        if campaign:
            app.store.campaigns.get(campaign)
        people = app.store.report.people()
        funnels = [funnel for funnel in app.store.report.funnels() if campaign in ("", funnel.name)]
    if json:
        campaigns = [
            {**asdict(funnel), "rates": {name: _json(found) for name, found in _rates(funnel)}} for funnel in funnels
        ]
        show_json({"imported": people.imported, "with_address": people.with_address, "campaigns": campaigns})
    else:
        show(f"{count(people.imported, 'founder')} imported, {people.with_address} with an address")
        for funnel in funnels:
            _show_funnel(funnel)
    if any(funnel.unknown for funnel in funnels):
        say("some mails may or may not have left: outreach outbox --state unknown")
        raise typer.Exit(DONE_IN_PART)


def _show_funnel(funnel: "Funnel") -> None:
    show()
    show(f"{funnel.name} ({funnel.state}{f': {funnel.reason}' if funnel.reason else ''})")
    found = dict(_rates(funnel))
    steps = (
        ("enrolled", funnel.enrolled, None),
        ("mailed", funnel.mailed, None),
        ("delivered", funnel.delivered, None),
        ("bounced", funnel.bounced, found["bounce"]),
        ("replied", funnel.replied, found["reply"]),
        ("interested", funnel.interested, found["interested"]),
        ("interview", funnel.interview, found["interview"]),
        ("offer", funnel.offer, found["offer"]),
        ("opted out", funnel.unsubscribed, None),
    )
    show_table(
        ("", "people", "share", "95 % interval"), [(name, number, *_shares(share)) for name, number, share in steps]
    )
    show(
        f"{count(funnel.sent, 'mail')} sent; "
        f"{funnel.waiting} in progress, {funnel.held} held, {funnel.finished} finished"
    )
    if funnel.failed:
        show(f"{count(funnel.failed, 'mail')} refused by the recipient's server, or given up")
    if funnel.unknown:
        show(f"{count(funnel.unknown, 'mail')} in doubt")


def _rates(funnel: "Funnel") -> list[tuple[str, "Rate | None"]]:
    from outreach.core.stats import rate

    return [(name, rate(getattr(funnel, hits), getattr(funnel, total))) for name, hits, total in _RATES]


def _shares(found: "Rate | None") -> tuple[str, str]:
    return (f"{found.value:.0%}", f"{found.low:.0%} to {found.high:.0%}") if found else ("", "")


def _json(found: "Rate | None") -> dict[str, float] | None:
    return asdict(found) if found else None
