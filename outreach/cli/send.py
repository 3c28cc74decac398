"""`outreach send`: a dry run unless --live; live only after a person has confirmed the number of mails."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._campaign import say_edits, show_refused
from outreach.cli._desks import Desks, FromMailbox, connected, locked, read_answers, send_plan
from outreach.cli._output import count, in_words, is_terminal, local, say, show, show_json
from outreach.cli._shell import DONE_IN_PART, INTERRUPTED, Json, report_error, shell
from outreach.errors import MailboxError, SendRefused, UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.flows.enqueue import Conditions, Plan, Share
    from outreach.flows.send import SendReport

_FIRST_MAILS = 3
_DOUBTS = "outreach outbox --state unknown"


def register(app: typer.Typer) -> None:
    app.command()(send)


def send(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Default: all active campaigns.")] = "",
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
    mailbox: FromMailbox = "",
    json: Json = False,
) -> None:
    """Show who would be written to now and, with --live, write to them.

    Example: outreach send ai-berlin --live
    """
    with shell(context).app() as app:
        wanted = _Wanted(
            app, campaign, app.boxes_for(campaign, mailbox), limit, wait=wait, paced=not no_pacing, approved=approved
        )
        if no_pacing and not all(box.stays_here for box in wanted.boxes):
            raise UsageError("--no-pacing is for a mail server on this machine only.", hint="leave it out")
        put_in_order(app)
        if not live:
            _show_plan(app, wanted.plan()[0], json=json, campaign=campaign)
        elif to_me:
            _rehearse(app, wanted, expect, json=json)
        else:
            _send_live(app, wanted, expect, json=json)


@dataclass(frozen=True)
class _Wanted:
    """What was asked for, and from which mailboxes."""

    app: "App"
    campaign: str
    boxes: "Sequence[App]"
    limit: int | None
    wait: bool
    paced: bool
    approved: bool

    def plan(self, desks: "Desks | None" = None) -> "tuple[Plan, list[Conditions]]":
        """Who would be written to now, under these conditions; without desks, once every inbox is read."""
        from outreach.flows.enqueue import plan_all

        app = self.app
        to_be_read = [] if desks else [box.mailbox_id for box in app.boxes if box.reads_inbox]
        desks = desks or Desks(self.boxes)
        conditions = desks.conditions(wait=self.wait, paced=self.paced, approved_only=self.approved)
        found = plan_all(app.store, app.work(self.campaign), conditions, app.clock.now(), to_be_read)
        return found.first(self.limit) if self.limit else found, conditions


def _send_live(app: "App", wanted: _Wanted, expect: int | None, *, json: bool) -> None:
    """Read the answers, plan anew with what they changed, ask, send."""
    from outreach.cli._signals import Signals

    app.check_may_send(wanted.campaign)
    app.work(wanted.campaign)  # names a broken template before any server is asked
    with locked(wanted.boxes), connected(wanted.boxes) as desks:
        desks.faults.update(read_answers(app, wanted.boxes).faults)
        found, conditions = wanted.plan(desks)
        if not json:
            _show_summary(app, found, say)
        _confirm(found, expect)
        signals = Signals()
        with signals.caught():
            report = send_plan(app, desks, found, conditions, signals)
    _show_report(app, found, report, partly=bool(desks.faults), json=json)


def _rehearse(app: "App", wanted: _Wanted, expect: int | None, *, json: bool) -> None:
    """Each mailbox sends what it would send to its own owner."""
    from outreach.core.ports import Outcome
    from outreach.flows.rehearse import rehearse

    results, to = [], list[str]()
    with connected(wanted.boxes) as desks:
        found, _ = wanted.plan(desks)
        _confirm(found, expect)
        for box in wanted.boxes:
            mails = [(item.rcpt, item.mime) for item in found.queued if item.mailbox_id == box.mailbox_id]
            mails += [
                (mail.enrollment.address, mail.written.mime)
                for mail in found.ready
                if mail.enrollment.mailbox_id == box.mailbox_id
            ]
            if mails:
                to.append(box.sender.address)
                results += rehearse(desks.transports[box.mailbox_id], mails, box.sender, app.clock.now())
    taken = sum(result.outcome is Outcome.ACCEPTED for result in results)
    if json:
        show_json({**_send_json(app, found, live=False), "to_me": taken})
    else:
        show(f"{count(taken, 'mail')} sent to {' and '.join(to or [app.sender.address])}; nothing was recorded")
    if taken < len(results):
        refused = next(result for result in results if result.outcome is not Outcome.ACCEPTED)
        raise MailboxError(f"the server did not take the next one: {refused.said}.", hint="try again later")


def put_in_order(app: "App") -> None:
    """What a killed run left is freed, so that a dry run and the live one after it plan the same; but an older store
    must not plan afresh what has left, so that is asked before anything is expired or freed."""
    from outreach.flows.recover import recover

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
    moved = [app.store.bookings.mind_clock(box.mailbox_id, app.clock.reading()) for box in app.boxes]
    if any(moved):
        say("the clock of this machine was set since the last mail: what went before counts by the new time")
    doubts = recover(app.store, app.is_dead, app.clock.now(), app.journal.entries())
    if doubts:
        say(f"{count(len(doubts), 'mail')} may or may not have left when an earlier run died: {_DOUBTS}")


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
    if not is_terminal(sys.stdin):
        raise SendRefused(
            "sending needs someone to confirm the number of mails.",
            hint=f"type the same command again, with --expect {found.size}",
        )
    typed = typer.prompt(
        f"Type {found.size} to send {count(found.size, 'mail')}", default="", show_default=False, err=True
    )
    if typed.strip() != str(found.size):
        raise SendRefused("not confirmed: nothing was sent.")


def _show_plan(app: "App", found: "Plan", *, json: bool, campaign: str) -> None:
    if json:
        show_json(_send_json(app, found, live=False))
        return
    _show_summary(app, found, show)
    for mail in found.ready[:_FIRST_MAILS]:
        show()
        if len(found.shares) > 1 and (box := app.box_of(mail.enrollment.mailbox_id)):
            show(f"From: {box.sender.name} <{box.sender.address}>")
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
    elif found.later or found.next_at:
        say("next: the same command then, or leave it to `outreach run`")


def _show_summary(app: "App", found: "Plan", tell: "Callable[[str], None]") -> None:
    for name, address, people in app.unserved():
        tell(f"left out: {name}, {count(people, 'person', 'people')} of {address}, which has no settings here")
    show_refused([(held.founder, held.reasons) for held in found.held], "held back", tell)
    queued = f", {len(found.queued)} of them queued before" if found.queued else ""
    one = found.shares[0] if len(found.shares) == 1 else None
    tell(f"{count(found.size, 'mail')} to send now{f' from {_owner(app, one)}' if one else ''}{queued}")
    for share in () if one else found.shares:
        tell(f"  {share.size} from {_owner(app, share)}{_not_now(app, share)}")
    if found.stale:
        tell(f"{count(len(found.stale), 'follow-up')} more than a week late will wait in the outbox for your word")
    if one or not found.size:
        _show_later(app, found.later, found.next_at, found.reason, tell)


def _owner(app: "App", share: "Share") -> str:
    box = app.box_of(share.mailbox.id)
    return f"{box.sender.name} <{box.sender.address}>" if box else share.mailbox.address


def _not_now(app: "App", share: "Share") -> str:
    """What a mailbox has for later, and why."""
    when = f" from {local(share.next_at.astimezone(app.settings.zone))}" if share.next_at else ""
    if share.later:
        return f"; {share.later} more{when or ' later'} ({in_words(share.reason)})"
    return f"; the next{when} ({in_words(share.reason)})" if share.reason and not share.size else ""


def _show_later(
    app: "App", later: int, next_at: datetime | None, reason: str, tell: "Callable[[str], None]" = show
) -> None:
    if later or next_at:
        when = f"from {local(next_at.astimezone(app.settings.zone))}" if next_at else "later"
        tell(f"{f'{later} more' if later else 'the next'} {when} ({in_words(reason)})")
    elif reason:
        tell(f"nothing to send: {in_words(reason)}")


def _send_json(app: "App", found: "Plan", *, live: bool) -> dict[str, Any]:
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
        "mailboxes": [
            {
                "name": box.name if (box := app.box_of(share.mailbox.id)) else None,
                "address": share.mailbox.address,
                "planned": share.size,
                "later": share.later,
                "next_at": share.next_at,
                "reason": share.reason or None,
            }
            for share in found.shares
        ],
    }


def _show_report(app: "App", found: "Plan", report: "SendReport", *, partly: bool, json: bool) -> None:
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
        show_json({**_send_json(app, found, live=True), **counts, **told})
    else:
        show(", ".join(f"{number} {name}" for name, number in counts.items() if number or name == "sent"))
        _show_skipped(report)
        if report.reason == "interrupted":
            left = found.size - len(report.results) - len(report.skipped)
            show(f"{count(left, 'mail')} of {found.size} not sent yet")
        elif reason:
            _show_later(app, found.later, next_at, reason)
        _say_next(counts)
    for error in report.errors:
        report_error(error)
    if report.reason == "interrupted":
        say("interrupted; nothing is lost: the same command goes on where this one stopped")
        raise typer.Exit(INTERRUPTED)
    amiss = counts["failed"] or counts["unknown"] or counts["deferred"] or report.skipped or report.errors
    if amiss or partly:
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
