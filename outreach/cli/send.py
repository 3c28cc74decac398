"""`outreach send`: a dry run unless --live; live only after a person has confirmed the number of mails."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, in_words, local, say, show, show_json
from outreach.cli._shell import DONE_IN_PART, INTERRUPTED, Json, report_error, shell
from outreach.cli.campaigns import say_edits, show_refused
from outreach.errors import MailboxError, OutreachError, SendRefused, UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.cli._signals import Signals
    from outreach.core.ports import Transport
    from outreach.core.records import OutboxItem
    from outreach.flows.enqueue import Conditions, Plan
    from outreach.flows.send import SendReport, Sent

_FIRST_MAILS = 3
_ROUNDS = 500
_DOUBTS = "outreach outbox --state unknown"


def register(app: typer.Typer) -> None:
    app.command()(send)


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
    to_me: Annotated[
        bool, typer.Option("--to-me", help="With --live: send them to yourself instead; nothing is recorded.")
    ] = False,
    approved: Annotated[
        bool, typer.Option("--approved", help="Only mails that you approved with `outreach preview --approve`.")
    ] = False,
    json: Json = False,
) -> None:
    """Show who would be written to now and, with --live, write to them.

    Example: outreach send ai-berlin --live
    """
    from outreach.flows.enqueue import plan

    with shell(context).app() as app:
        if no_pacing and not app.may_skip_pacing():
            raise UsageError("--no-pacing is for a mail server on this machine only.", hint="leave it out")
        conditions = replace(app.conditions(wait=wait, paced=not no_pacing), approved_only=approved)

        def planned() -> "Plan":
            found = plan(app.store, app.work(campaign), conditions, app.clock.now())
            return found.first(limit) if limit else found

        put_in_order(app)
        if not live:
            _show_plan(app, planned(), json=json, campaign=campaign)
        elif to_me:
            _rehearse(app, planned(), expect, json=json)
        else:
            _send_live(app, campaign, planned, conditions, expect, json=json)


def _send_live(
    app: "App",
    campaign: str,
    planned: "Callable[[], Plan]",
    conditions: "Conditions",
    expect: int | None,
    *,
    json: bool,
) -> None:
    """Read the answers, plan anew with what they changed, ask, send."""
    from outreach.cli._signals import Signals

    app.check_may_send(campaign)
    app.work(campaign)  # names a broken template before any server is asked
    with app.sending(), app.connected() as transport:
        app.lift_login_pause()
        read_answers(app)
        found = planned()
        if not json:
            _show_summary(app, found, say)
        _confirm(found, expect)
        signals = Signals()
        with signals.caught():
            report = send_plan(app, transport, found, conditions, signals)
    _show_report(app, found, report, json=json)


def _rehearse(app: "App", found: "Plan", expect: int | None, *, json: bool) -> None:
    from outreach.core.ports import Outcome
    from outreach.flows.rehearse import rehearse

    with app.connected() as transport:
        _confirm(found, expect)
        mails = [*((item.rcpt, item.mime) for item in found.queued)]
        mails += [(mail.enrollment.address, mail.written.mime) for mail in found.ready]
        results = rehearse(transport, mails, app.sender, app.clock.now())
    taken = sum(result.outcome is Outcome.ACCEPTED for result in results)
    if json:
        show_json({**_send_json(found, live=False), "to_me": taken})
    else:
        show(f"{count(taken, 'mail')} sent to {app.sender.address}; nothing was recorded")
    if taken < len(results):
        raise MailboxError(f"the server did not take the next one: {results[-1].text}.", hint="try again later")


def put_in_order(app: "App") -> None:
    """What a killed run left is freed, so that a dry run and the live one after it plan the same; but an older store
    must not plan afresh what has left, so that is asked before anything is expired or freed."""
    from outreach.flows.send import recover

    missing = app.store.instance.forgotten(app.journal.entries())
    if missing:
        raise SendRefused(
            f"sent.log knows {count(len(missing), 'mail')} that this store has forgotten: it is an older copy.",
            hint="put the newest outreach.db back; if there is none, `outreach doctor --adopt` settles what it forgot",
        )
    if app.copied():
        raise SendRefused(
            "this store is a copy, or was moved: the original may have sent since, and would send the same.",
            hint="if only this one is used from now on: outreach doctor --adopt",
        )
    if app.store.bookings.mind_clock(app.mailbox.id, app.clock.reading()):
        say("the clock of this machine was set since the last mail: what went before counts by the new time")
    doubts = recover(app.store, app.is_dead, app.clock.now())
    if doubts:
        say(f"{count(len(doubts), 'mail')} may or may not have left when an earlier run died: {_DOUBTS}")


def read_answers(app: "App") -> None:
    """Answers are read before anything is written, so that nobody who answered is written to again."""
    from outreach.cli.replies import read_inbox

    if not app.reads_inbox:
        say("no inbox is set: first mails go, follow-ups do not, since nobody could know who has answered")
        return
    try:
        read_inbox(app)
    except MailboxError as error:
        if not app.limits.first_steps_pass:
            raise
        say(f"{error} First mails go all the same, as your settings say; follow-ups wait.")


def _confirm(found: "Plan", expect: int | None) -> None:
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
            "sending needs someone to confirm the number of mails.",
            hint=f"type the same command again, with --expect {found.size}",
        )
    typed = typer.prompt(
        f"Type {found.size} to send {count(found.size, 'mail')}", default="", show_default=False, err=True
    )
    if typed.strip() != str(found.size):
        raise SendRefused("not confirmed: nothing was sent.")


def send_plan(
    app: "App", transport: "Transport", found: "Plan", conditions: "Conditions", signals: "Signals"
) -> "SendReport":
    """Queue the confirmed mails and send them; the inbox is read again whenever it has grown stale meanwhile."""
    from dataclasses import replace

    from outreach.flows.enqueue import enqueue
    from outreach.flows.send import Sender, SendReport
    from outreach.flows.send import send as run

    items: Sequence[OutboxItem] = enqueue(app.store, found, app.clock.now(), paced=conditions.limits.paced)
    app.at("queued")
    if len(items) < found.size:
        say(f"{count(found.size - len(items), 'mail')} left out: something changed since they were planned")
    sender = Sender(
        store=app.store,
        transport=transport,
        mailbox=conditions.mailbox,
        limits=conditions.limits,
        clock=app.clock,
        journal=app.journal,
        owner=app.owner,
        chance=app.chance,
        wait=conditions.wait,
        room=app.has_room,
        spare=app.give_up_room,
        stopped=signals.asked,
        talking=signals.talking,
        narrate=_Progress(len(items)),
        waiting=lambda until, reason: _say_waiting(app, until, reason),
        at=app.at,
    )
    report = SendReport()
    for _ in range(_ROUNDS):
        report = report.followed_by(run(sender, items))
        if report.error or report.reason != "inbox-stale":
            break
        try:
            read_answers(app)
        except OutreachError as error:
            return replace(report, error=error)  # what was sent until now is reported all the same
        items = _left(app, items, report, wait=conditions.wait)
    return report


def _left(app: "App", items: "Sequence[OutboxItem]", report: "SendReport", *, wait: bool) -> "Sequence[OutboxItem]":
    """What this run has not dealt with; with `wait` also what it is to try again."""
    from outreach.core.records import OutboxState

    done = {sent.item.id for sent in report.results if not (wait and sent.decision.state is OutboxState.QUEUED)}
    done |= {item.id for item, _ in report.skipped}
    left = [item.id for item in items if item.id not in done]
    return app.store.outbox.items(states=[OutboxState.QUEUED], ids=left) if left else []


class _Progress:
    """One line per mail."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0

    def __call__(self, sent: "Sent") -> None:
        self._done += 1
        item, why = sent.item, f": {sent.item.reason}" if sent.item.reason else ""
        said = f"{sent.result.code or ''} {sent.result.text}".strip()
        words = f" ({said})" if why and sent.result.text else ""
        say(
            f"[{self._done}/{self._total}] {sent.decision.state}  {item.founder} <{item.rcpt}>, step {item.step}"
            f"{why}{words}"
        )


def _say_waiting(app: "App", until: datetime, reason: str) -> None:
    """Short gaps pass in silence unless someone watches; anything longer is said."""
    if reason != "gap" or (sys.stderr.isatty() and app.clock_is_real):
        say(f"waiting until {until.astimezone(app.settings.zone):%H:%M:%S} ({in_words(reason)})")


def _show_plan(app: "App", found: "Plan", *, json: bool, campaign: str) -> None:
    if json:
        show_json(_send_json(found, live=False))
        return
    _show_summary(app, found, show)
    for mail in found.ready[:_FIRST_MAILS]:
        show()
        show(f"To: {mail.founder.full_name} <{mail.enrollment.address}>")
        show(f"Hours: {mail.zone}")
        show(f"Subject: {mail.written.draft.subject}")
        show()
        show(mail.written.draft.text.rstrip("\n"))
    show()
    say_edits(app, campaign)
    show(f"dry run: {count(found.size, 'mail')} would go out now; nothing was sent")
    try:
        app.check_may_send(campaign)
    except SendRefused as refusal:
        say(f"before it can: {refusal} {refusal.hint}")
        return
    if found.size:
        say(f"next: outreach send {campaign + ' ' if campaign else ''}--live")


def _show_summary(app: "App", found: "Plan", tell: "Callable[[str], None]") -> None:
    if others := app.campaigns_of_other_senders():
        tell(f"left out: {', '.join(others)}, started from another address (OUTREACH_FROM)")
    show_refused([(held.founder, held.reasons) for held in found.held], "held back", tell)
    where = f"from {app.sender.name} <{app.sender.address}>"
    queued = f", {len(found.queued)} of them queued before" if found.queued else ""
    tell(f"{count(found.size, 'mail')} to send now {where}{queued}")
    if found.stale:
        tell(f"{count(len(found.stale), 'follow-up')} more than a week late will wait in the outbox for your word")
    _show_later(app, found.later, found.next_at, found.reason, tell)


def _show_later(
    app: "App", later: int, next_at: datetime | None, reason: str, tell: "Callable[[str], None]" = show
) -> None:
    if later or next_at:
        when = f"from {local(next_at.astimezone(app.settings.zone))}" if next_at else "later"
        tell(f"{f'{later} more' if later else 'the next'} {when} ({in_words(reason)})")
    elif reason:
        tell(f"nothing to send: {in_words(reason)}")


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
        skipped = [{"founder": item.founder_id, "name": item.founder, "reason": why} for item, why in report.skipped]
        told = {"next_at": next_at, "reason": reason or None, "skipped": skipped}
        show_json({**_send_json(found, live=True), **counts, **told})
    else:
        show(", ".join(f"{number} {name}" for name, number in counts.items() if number or name == "sent"))
        _show_skipped(report)
        if reason:
            _show_later(app, found.later, next_at, reason)
        _say_next(counts)
    if report.error:
        report_error(report.error)
    if report.reason == "interrupted":
        say("interrupted; nothing is lost: the same command goes on where this one stopped")
        raise typer.Exit(INTERRUPTED)
    if counts["failed"] or counts["unknown"] or counts["deferred"] or report.skipped or report.error:
        raise typer.Exit(DONE_IN_PART)


def _show_skipped(report: "SendReport") -> None:
    for item, obstacle in report.skipped:
        show(f"not sent: {item.founder} <{item.rcpt}> ({in_words(obstacle)})")


def _say_next(counts: dict[str, int]) -> None:
    if counts["unknown"]:
        say(f"some mails may or may not have left; they will not be sent again by themselves: {_DOUBTS}")
    if counts["failed"]:
        say("what failed, and why: outreach outbox --state failed")
    if counts["sent"]:
        say("next: outreach sync   (reads the answers)")
