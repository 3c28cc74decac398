"""`outreach outbox …`: every message and where it is."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, say, show, show_json, show_table
from outreach.cli._shell import DONE_IN_PART, Json, listing, shell
from outreach.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from outreach.bootstrap import App
    from outreach.core.records import OutboxItem

_LISTED_AT_MOST = 100
_FILED_BY_NOW = timedelta(hours=1)
"""After this, a provider that puts what was sent into the Sent folder has done so."""


def register(app: typer.Typer) -> None:
    group = listing("What waits, failed or is in doubt.")
    group.command("list")(list_outbox)
    group.command("show")(show_outbox)
    group.command("retry")(retry)
    group.command("resolve")(resolve)
    group.command("reconcile")(reconcile)
    app.add_typer(group, name="outbox")


def list_outbox(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="queued, sent, failed, unknown, held or cancelled.")] = "",
    campaign: Annotated[str, typer.Option(help="Only this campaign.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many (default: 100; all with --json).")] = None,
    json: Json = False,
) -> None:
    """Every message and where it is: what happened last comes first; what is queued, in the order in which it goes.

    Example: outreach outbox --state unknown
    """
    from outreach.core.records import OutboxState

    if state and state not in list(OutboxState):
        raise UsageError(f"there is no state {state}.", hint=f"one of: {', '.join(OutboxState)}")
    with shell(context).app() as app:
        app.note_doubts()
        campaign_id = app.store.campaigns.get(campaign).id if campaign else None
        states, outbox = [OutboxState(state)] if state else [], app.store.outbox
        read = outbox.items if state == OutboxState.QUEUED else outbox.newest
        shown = read(states=states, campaign_id=campaign_id, limit=limit or (None if json else _LISTED_AT_MOST))
        total = outbox.count(states=states, campaign_id=campaign_id)
        doubts = outbox.count(states=[OutboxState.UNKNOWN], campaign_id=campaign_id)
        addresses, zone = app.store.campaigns.addresses(), app.settings.zone
    if json:
        show_json({"items": [_item_json(item, addresses) for item in shown], "total": total})
        return
    if not shown:
        say("no message fits" if state or campaign else "the outbox is empty; `outreach send` shows what would go")
        return
    show_table(
        ("id", "state", "founder", "address", "campaign", "step", "when", "why"),
        [(i.id, i.state, i.founder, i.rcpt, i.campaign, i.step, _when(i), i.reason) for i in shown],
        zone,
    )
    order = "in the order they go" if state == OutboxState.QUEUED else "newest first"
    show(f"{count(total, 'message')}, {order}" + _cut(total - len(shown), total))
    if doubts and state in ("", OutboxState.UNKNOWN):
        say("look in your Sent folder, then: outreach outbox resolve ID --sent | --resend | --abandon")


def _when(item: "OutboxItem") -> "datetime":
    """When it left or is to leave; of what does neither, when that was found out."""
    waits = item.state in ("queued", "held")
    return item.sent_at or (item.due_at if waits else item.updated_at)


def _cut(left_out: int, total: int) -> str:
    return f"; {left_out} more: --limit {total}" if left_out else ""


def show_outbox(
    context: typer.Context, item_id: Annotated[int, typer.Argument(metavar="ID")], json: Json = False
) -> None:
    """One message: its bytes as they go out, and every attempt.

    Example: outreach outbox show 12
    """
    with shell(context).app() as app:
        app.note_doubts()
        item = app.store.outbox.get(item_id)
        attempts = app.store.outbox.attempts(item_id)
        addresses, zone = app.store.campaigns.addresses(), app.settings.zone
    if json:
        show_json(
            {
                **_item_json(item, addresses),
                "mime": item.mime.decode("utf-8", "replace"),
                "tries": [dict(a) for a in attempts],
            }
        )
        return
    show(f"message {item.id}: {item.state}{f' ({item.reason})' if item.reason else ''}")
    for attempt in attempts:
        show(
            f"  {attempt['at'].astimezone(zone):%Y-%m-%d %H:%M:%S} {attempt['outcome']} at {attempt['phase']}: "
            f"{attempt['code'] or ''} {attempt['text']}"
        )
    show()
    show(item.mime.decode("utf-8", "replace").replace("\r\n", "\n"))


def retry(context: typer.Context, item_id: Annotated[int, typer.Argument(metavar="ID")], json: Json = False) -> None:
    """Queue a failed or held message again, once its cause is mended.

    Example: outreach outbox retry 12
    """
    from outreach.flows.retry import retry as run

    with shell(context).app() as app:
        app.note_doubts()
        item = run(app.store, item_id, reason=f"retried by {_user()}", clock=app.clock)
        addresses = app.store.campaigns.addresses()
    if json:
        show_json(_item_json(item, addresses))
        return
    show(f"message {item.id} to {item.founder} is {item.state}")
    say("next: outreach send --live")


def resolve(
    context: typer.Context,
    item_id: Annotated[int, typer.Argument(metavar="ID")],
    sent: Annotated[bool, typer.Option("--sent", help="It did leave.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="It did not: send the same bytes again.")] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Whether it left does not matter: go no further.")] = False,
    json: Json = False,
) -> None:
    """Settle a message that may or may not have left.

    Example: outreach outbox resolve 12 --sent
    """
    from outreach.core.records import OutboxState

    states = {OutboxState.SENT: sent, OutboxState.QUEUED: resend, OutboxState.CANCELLED: abandon}
    chosen = [state for state, wanted in states.items() if wanted]
    if len(chosen) != 1:
        raise UsageError(
            "say what became of it.", hint=f"outreach outbox resolve {item_id} --sent, --resend or --abandon"
        )
    with shell(context).app() as app:
        app.note_doubts()
        word = {OutboxState.SENT: "sent", OutboxState.QUEUED: "sent again", OutboxState.CANCELLED: "abandoned"}[
            chosen[0]
        ]
        item = app.store.outbox.resolve(item_id, chosen[0], f"{word} by {_user()}", app.clock.now())
        app.journal.record({"at": app.clock.now().isoformat(), "kind": word, "message_id": item.message_id})
        addresses = app.store.campaigns.addresses()
    if json:
        show_json(_item_json(item, addresses))
        return
    show(f"message {item.id} to {item.founder} is {item.state} ({item.reason})")


def reconcile(context: typer.Context, json: Json = False) -> None:
    """Look for the doubtful messages in the Sent folder: what lies there was sent. What does not stays in doubt.

    Example: outreach outbox reconcile
    """
    from outreach.core.records import OutboxState
    from outreach.flows.reconcile import reconcile as run

    with shell(context).app() as app:
        app.note_doubts()
        boxes = [box for box in app.boxes if box.reads_inbox] or [app]
        own = [box.sender.address for box in app.boxes]
        found = [run(app.store, box.inbox(), mailbox=box.mailbox, clock=app.clock, own=own) for box in boxes]
        sent = [item for each in found for item in each.sent]
        doubtful = app.store.outbox.items(states=[OutboxState.UNKNOWN])
        unlikely = {item.id for item in doubtful if _would_be_there(app, item)}
    if json:
        show_json({"sent": [item.id for item in sent], "unknown": [item.id for item in doubtful]})
    else:
        for item in sent:
            show(f"sent: message {item.id} to {item.founder} lies in the Sent folder")
        for item in doubtful:
            likely = ", where your provider puts what was sent: it probably was not" if item.id in unlikely else ""
            show(f"in doubt: message {item.id} to {item.founder} is not there{likely}")
        show("nothing is in doubt" if not doubtful else f"{count(len(doubtful), 'message')} still in doubt")
    if doubtful:
        say("not every provider files what is sent; outreach outbox resolve ID settles one")
        raise typer.Exit(DONE_IN_PART)


def _would_be_there(app: "App", item: "OutboxItem") -> bool:
    """Whether a copy would lie in the Sent folder by now, had the message left."""
    box = app.box_of(item.mailbox_id)
    return bool(box and box.files_sent) and app.clock.now() - item.updated_at > _FILED_BY_NOW


def _user() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (OSError, KeyError):  # no such user in a container
        return "hand"


def _item_json(item: "OutboxItem", addresses: "Mapping[int, str]") -> dict[str, Any]:
    return {
        "id": item.id,
        "campaign": item.campaign,
        "step": item.step,
        "founder": item.founder_id,
        "name": item.founder,
        "address": item.rcpt,
        "from": addresses[item.mailbox_id],
        "subject": item.subject,
        "message_id": item.message_id,
        "sha256": item.sha256,
        "state": item.state,
        "reason": item.reason,
        "attempts": item.attempts,
        "due_at": item.due_at,
        "sent_at": item.sent_at,
    }
