"""`outreach preview`, `outreach send` and `outreach outbox …`: what goes out."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, local, say, show, show_json, show_table
from outreach.cli._shell import DONE_IN_PART, INTERRUPTED, Json, listing, shell
from outreach.cli.campaigns import NAME, show_refused
from outreach.errors import SendRefused, UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.ports import Transport
    from outreach.core.records import OutboxItem
    from outreach.flows.enqueue import Conditions, Plan
    from outreach.flows.preview import Shown
    from outreach.flows.send import SendReport, Sent

_FIRST_MAILS = 3
_ROUNDS = 500
_DOUBTS = "outreach outbox --state unknown"


def register(app: typer.Typer) -> None:
    app.command()(preview)
    app.command()(send)
    group = listing("What waits, failed or is in doubt.")
    group.command("list")(list_outbox)
    group.command("show")(show_outbox)
    group.command("retry")(retry)
    group.command("resolve")(resolve)
    app.add_typer(group, name="outbox")


# --- preview -------------------------------------------------------------------------------------------


def preview(
    context: typer.Context,
    campaign: NAME,
    who: Annotated[str, typer.Argument(metavar="[WHO]", help="One founder: id, address or name.")] = "",
    step: Annotated[int | None, typer.Option(min=1, help="This step, whether it is due or not.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 3,
    everyone: Annotated[bool, typer.Option("--all", help="Show all of them.")] = False,
    eml: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write each mail's bytes as a file.")] = None,
    json: Json = False,
) -> None:
    """The exact mails that `send` would put on the wire.

    Example: outreach preview ai-berlin --limit 5
    """
    from outreach.flows.preview import Blank, Shown
    from outreach.flows.preview import preview as run

    with shell(context).app() as app:
        chosen = app.store.campaigns.get(campaign)
        founder_id = app.store.people.get_founder(who).id if who else None
        found = run(app.store, chosen, app.writer(chosen), founder_id=founder_id, step=step, now=app.clock.now())
    mails = [mail for mail in found if isinstance(mail, Shown)]
    blanks = [blank for blank in found if isinstance(blank, Blank)]
    if eml:
        _write_files(eml, mails)
    if json:
        held = [{"founder": b.founder.id, "name": b.founder.full_name, "reasons": list(b.reasons)} for b in blanks]
        show_json({"messages": [_preview_json(mail) for mail in mails], "held": held})
        return
    _show_mails(mails if everyone or who else mails[:limit])
    show_refused([(blank.founder, blank.reasons) for blank in blanks], "held back")
    show(f"{count(len(mails), 'mail')} ready to look at, {len(blanks)} held back")
    if len(mails) > limit and not (everyone or who):
        say(f"more: outreach preview {campaign} --all   one: outreach preview {campaign} WHO")
    if mails:
        say(f"next: outreach send {campaign}   (a dry run: nothing leaves without --live)")


def _preview_json(mail: "Shown") -> dict[str, Any]:
    return {
        "founder": mail.founder.id,
        "name": mail.founder.full_name,
        "address": mail.address,
        "step": mail.step,
        "subject": mail.subject,
        "text": mail.text,
        "message_id": mail.message_id,
        "sha256": mail.sha256,
        "state": mail.state,
    }


def _show_mails(mails: "Sequence[Shown]") -> None:
    for mail in mails:
        company = f", {mail.founder.company.name}" if mail.founder.company else ""
        show(f"── {mail.founder.full_name}{company} · step {mail.step} · {mail.state} ".ljust(78, "─"))
        show(f"To: {mail.founder.full_name} <{mail.address}>")
        show(f"Subject: {mail.subject}")
        show()
        show(mail.text.rstrip("\n"))
        show()


def _write_files(folder: Path, mails: "Sequence[Shown]") -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for mail in mails:
        (folder / f"{mail.founder.id:05d}-step{mail.step}.eml").write_bytes(mail.mime)
    say(f"{count(len(mails), 'file')} written to {folder}")


# --- send ------------------------------------------------------------------------------------------------


def send(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(metavar="[CAMPAIGN]", help="Default: all active campaigns.")] = "",
    live: Annotated[bool, typer.Option("--live", help="Really send. Without it: a dry run.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    expect: Annotated[
        int | None, typer.Option(min=0, help="Send without asking if exactly so many are planned.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until everything due within a day is through.")] = False,
    no_pacing: Annotated[
        bool, typer.Option("--no-pacing", help="No gaps, hours or caps: loopback servers only.")
    ] = False,
    json: Json = False,
) -> None:
    """Show who would be written to now and, with --live, write to them.

    Example: outreach send ai-berlin --live
    """
    from outreach.flows.enqueue import plan
    from outreach.flows.send import recover

    with shell(context).app() as app:
        if no_pacing and not app.may_skip_pacing():
            raise UsageError("--no-pacing is for a mail server on this machine only.", hint="leave it out")
        conditions = app.conditions(wait=wait, paced=not no_pacing)
        if not live:
            found = plan(app.store, app.work(campaign), conditions, app.clock.now())
            _show_plan(app, found.first(limit) if limit else found, json=json, campaign=campaign)
            return
        app.check_may_send()
        work = app.work(campaign)
        with app.sending(), app.connected() as transport:
            _warn_of(recover(app.store, app.is_dead, app.clock.now()))
            _read_inbox(app)
            found = plan(app.store, work, app.conditions(wait=wait, paced=not no_pacing), app.clock.now())
            found = found.first(limit) if limit else found
            _confirm(app, found, expect)
            report = _send(app, transport, found, conditions)
        _show_report(app, found, report, json=json)


def _read_inbox(app: "App") -> None:
    """Answers are read before anything is written, so that nobody who answered is written to again."""
    if app.reads_inbox:
        from outreach.cli.replies import read_inbox

        read_inbox(app)


def _warn_of(doubts: Sequence[int]) -> None:
    if doubts:
        say(f"{count(len(doubts), 'mail')} may or may not have left when an earlier run died: {_DOUBTS}")


def _confirm(app: "App", found: "Plan", expect: int | None) -> None:
    """A person agrees to the number, by typing it or by `--expect`."""
    if expect is not None:
        if expect != found.size:
            raise SendRefused(
                f"{count(found.size, 'mail')} planned, not {expect}: nothing was sent.",
                hint="look at the plan with `outreach send` (without --live), then name its number",
            )
        return
    if not found.size:
        return
    if not sys.stdin.isatty():
        raise SendRefused(
            "sending needs someone to confirm the number of mails.", hint=f"outreach send --live --expect {found.size}"
        )
    _show_summary(app, found)
    typed = typer.prompt(
        f"Type {found.size} to send {count(found.size, 'mail')}", default="", show_default=False, err=True
    )
    if typed.strip() != str(found.size):
        raise SendRefused("not confirmed: nothing was sent.")


def _send(app: "App", transport: "Transport", found: "Plan", conditions: "Conditions") -> "SendReport":
    """Queue the confirmed mails and send them; the inbox is read again whenever it has grown stale meanwhile."""
    from dataclasses import replace

    from outreach.core.records import OutboxState
    from outreach.flows.enqueue import enqueue
    from outreach.flows.send import Sender, SendReport
    from outreach.flows.send import send as run

    items = enqueue(app.store, found, app.clock.now())
    report = SendReport()
    with _interruptible() as stopped:
        sender = Sender(
            store=app.store,
            transport=transport,
            mailbox=conditions.mailbox,
            limits=conditions.limits,
            clock=app.clock,
            journal=app.journal,
            owner=app.owner,
            chance=app.chance,
            reads_inbox=app.reads_inbox,
            wait=conditions.wait,
            stopped=stopped,
            narrate=_Progress(len(items)),
            waiting=lambda until, reason: _say_waiting(app, until, reason),
        )
        for _ in range(_ROUNDS):
            done = run(sender, items)
            report = replace(done, results=report.results + done.results, skipped=report.skipped + done.skipped)
            if done.reason != "inbox-stale":
                break
            _read_inbox(app)
            handled = {sent.item.id for sent in report.results} | {item.id for item, _ in report.skipped}
            left = [item.id for item in items if item.id not in handled]
            items = app.store.outbox.items(states=[OutboxState.QUEUED], ids=left) if left else []
    return report


@contextmanager
def _interruptible() -> Iterator[Any]:
    """Ctrl-C and SIGTERM ask the run to end after the mail in flight; the second Ctrl-C ends it at once."""
    import signal

    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        say("stopping after the mail in flight …")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Progress:
    """One line per mail."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0

    def __call__(self, sent: "Sent") -> None:
        self._done += 1
        item, why = sent.item, f": {sent.item.reason}" if sent.item.reason else ""
        words = f" ({sent.result.code} {sent.result.text})" if why and sent.result.text else ""
        say(
            f"[{self._done}/{self._total}] {sent.decision.state}  {item.founder} <{item.rcpt}>, step {item.step}"
            f"{why}{words}"
        )


def _say_waiting(app: "App", until: datetime, reason: str) -> None:
    """Short gaps pass in silence unless someone watches; anything longer is said."""
    if reason != "gap" or (sys.stderr.isatty() and app.clock_is_real):
        say(f"waiting until {until.astimezone(app.settings.zone):%H:%M:%S} ({reason})")


def _show_plan(app: "App", found: "Plan", *, json: bool, campaign: str) -> None:
    if json:
        show_json(_send_json(found, live=False))
        return
    _show_summary(app, found)
    for mail in found.ready[:_FIRST_MAILS]:
        show()
        show(f"To: {mail.founder.full_name} <{mail.enrollment.address}>")
        show(f"Subject: {mail.written.draft.subject}")
        show()
        show(mail.written.draft.text.rstrip("\n"))
    show()
    show(f"dry run: {count(found.size, 'mail')} would go out now; nothing was sent")
    if found.size:
        say(f"next: outreach send {campaign + ' ' if campaign else ''}--live")


def _show_summary(app: "App", found: "Plan") -> None:
    show_refused([(held.founder, held.reasons) for held in found.held], "held back")
    where = f"from {app.sender.name} <{app.sender.address}>"
    show(
        f"{count(found.size, 'mail')} to send now {where}"
        + (f", {len(found.queued)} of them queued before" if found.queued else "")
    )
    if found.stale:
        show(f"{count(len(found.stale), 'follow-up')} more than a week late will wait in the outbox for your word")
    _show_later(app, found.later, found.next_at, found.reason)


def _show_later(app: "App", later: int, next_at: datetime | None, reason: str) -> None:
    if later or next_at:
        when = f"from {local(next_at.astimezone(app.settings.zone))}" if next_at else "later"
        show(f"{f'{later} more' if later else 'the next'} {when} ({reason})")
    elif reason:
        show(f"nothing to send: {reason}")


def _send_json(found: "Plan", *, live: bool) -> dict[str, Any]:
    return {
        "live": live,
        "planned": found.size,
        "sent": 0,
        "deferred": 0,
        "failed": 0,
        "unknown": 0,
        "held": [
            {"founder": h.founder.id, "name": h.founder.full_name, "reasons": list(h.reasons)} for h in found.held
        ],
        "later": found.later,
        "next_at": found.next_at,
        "reason": found.reason or None,
    }


def _show_report(app: "App", found: "Plan", report: "SendReport", *, json: bool) -> None:
    from outreach.core.records import OutboxState

    campaigns = {item.campaign_id for item in found.queued} | {ready.campaign.id for ready in found.ready}
    doubts = [
        item
        for item in app.store.outbox.items(states=[OutboxState.UNKNOWN])
        if not campaigns or item.campaign_id in campaigns
    ]
    counts = {
        "sent": report.count(OutboxState.SENT),
        "deferred": report.count(OutboxState.QUEUED),
        "failed": report.count(OutboxState.FAILED),
        "unknown": len(doubts),
    }
    reason, next_at = report.reason or found.reason, report.next_at or found.next_at
    if json:
        show_json({**_send_json(found, live=True), **counts, "next_at": next_at, "reason": reason or None})
    else:
        show(", ".join(f"{number} {name}" for name, number in counts.items() if number or name == "sent"))
        _show_skipped(report)
        if reason:
            _show_later(app, found.later, next_at, reason)
        _say_next(counts)
    if report.reason == "interrupted":
        say("interrupted; nothing is lost: the same command goes on where this one stopped")
        raise typer.Exit(INTERRUPTED)
    if counts["failed"] or counts["unknown"] or counts["deferred"]:
        raise typer.Exit(DONE_IN_PART)


def _show_skipped(report: "SendReport") -> None:
    for item, obstacle in report.skipped:
        show(f"not sent: {item.founder} <{item.rcpt}> ({obstacle})")


def _say_next(counts: dict[str, int]) -> None:
    if counts["unknown"]:
        say(f"some mails may or may not have left; they will not be sent again by themselves: {_DOUBTS}")
    if counts["failed"]:
        say("what failed, and why: outreach outbox --state failed")
    if counts["sent"]:
        say("next: outreach sync   (reads the answers)")


# --- the outbox --------------------------------------------------------------------------------------------


def list_outbox(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="queued, sent, failed, unknown, held or cancelled.")] = "",
    campaign: Annotated[str, typer.Option(help="Only this campaign.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 100,
    json: Json = False,
) -> None:
    """Every message and where it is.

    Example: outreach outbox --state unknown
    """
    from outreach.core.records import OutboxState

    if state and state not in list(OutboxState):
        raise UsageError(f"there is no state {state}.", hint=f"one of: {', '.join(OutboxState)}")
    with shell(context).app() as app:
        campaign_id = app.store.campaigns.get(campaign).id if campaign else None
        items = app.store.outbox.items(states=[OutboxState(state)] if state else [], campaign_id=campaign_id)
    if json:
        show_json({"items": [_item_json(item) for item in items], "total": len(items)})
        return
    show_table(
        ("id", "state", "founder", "address", "campaign", "step", "when", "why"),
        [
            (i.id, i.state, i.founder, i.rcpt, i.campaign, i.step, i.sent_at or i.due_at, i.reason)
            for i in items[:limit]
        ],
    )
    show(count(len(items), "message") + (f", {limit} shown" if len(items) > limit else ""))
    if any(item.state is OutboxState.UNKNOWN for item in items):
        say("look in your Sent folder, then: outreach outbox resolve ID --sent | --resend | --abandon")


def show_outbox(
    context: typer.Context, item_id: Annotated[int, typer.Argument(metavar="ID")], json: Json = False
) -> None:
    """One message: its bytes as they go out, and every attempt.

    Example: outreach outbox show 12
    """
    with shell(context).app() as app:
        item = app.store.outbox.get(item_id)
        attempts = app.store.outbox.attempts(item_id)
    if json:
        show_json(
            {**_item_json(item), "mime": item.mime.decode("utf-8", "replace"), "tries": [dict(a) for a in attempts]}
        )
        return
    show(f"message {item.id}: {item.state}{f' ({item.reason})' if item.reason else ''}")
    for attempt in attempts:
        show(
            f"  {attempt['at']:%Y-%m-%d %H:%M:%S} {attempt['outcome']} at {attempt['phase']}: "
            f"{attempt['code'] or ''} {attempt['text']}"
        )
    show()
    show(item.mime.decode("utf-8", "replace").replace("\r\n", "\n"))


def retry(context: typer.Context, item_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Queue a failed or held message again, once its cause is mended.

    Example: outreach outbox retry 12
    """
    with shell(context).app() as app:
        item = app.store.outbox.retry(item_id, f"retried by {_user()}", app.clock.now())
    show(f"message {item.id} to {item.founder} is {item.state}")
    say("next: outreach send --live")


def resolve(
    context: typer.Context,
    item_id: Annotated[int, typer.Argument(metavar="ID")],
    sent: Annotated[bool, typer.Option("--sent", help="It did leave.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="It did not: send the same bytes again.")] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Whether it left does not matter: go no further.")] = False,
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
        word = {OutboxState.SENT: "sent", OutboxState.QUEUED: "sent again", OutboxState.CANCELLED: "abandoned"}[
            chosen[0]
        ]
        item = app.store.outbox.resolve(item_id, chosen[0], f"{word} by {_user()}", app.clock.now())
    show(f"message {item.id} to {item.founder} is {item.state} ({item.reason})")


def _user() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (OSError, KeyError):  # no such user in a container
        return "hand"


def _item_json(item: "OutboxItem") -> dict[str, Any]:
    return {
        "id": item.id,
        "campaign": item.campaign,
        "step": item.step,
        "founder": item.founder_id,
        "name": item.founder,
        "address": item.rcpt,
        "subject": item.subject,
        "message_id": item.message_id,
        "sha256": item.sha256,
        "state": item.state,
        "reason": item.reason,
        "attempts": item.attempts,
        "due_at": item.due_at,
        "sent_at": item.sent_at,
    }
