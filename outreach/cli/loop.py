"""`outreach run`: reads the answers, plans and sends, again and again, until it is told to stop."""

import sys
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._desks import Desks, FromMailbox, Unread, connected, locked, plain, read_answers, send_plan
from outreach.cli._listening import wait_for_mail
from outreach.cli._output import count, in_words, is_terminal, local, say
from outreach.cli._shell import INTERRUPTED, shell
from outreach.errors import MailboxError, OutreachError, SendRefused, StoreError, TemplateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outreach.bootstrap import App
    from outreach.cli._signals import Signals
    from outreach.flows.enqueue import Conditions, Plan, Share

_UNITS = {"s": 1, "m": 60, "h": 3600}
_LATER = timedelta(days=1)
_UNREACHED = timedelta(minutes=1)
_PASSING = (MailboxError, StoreError, TemplateError)
"""What may be over by the next round: a server that is down, a locked store, a template that is being edited."""


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(
    context: typer.Context,
    every: Annotated[str, typer.Option(help="How often the inbox is read: 90s, 5m, 1h.")] = "5m",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the first mail: for services.")] = False,
    mailbox: FromMailbox = "",
    install: Annotated[
        bool, typer.Option("--install", help="Write a service that runs this at login, and say how to start it.")
    ] = False,
) -> None:
    """Send for as long as it runs: everyone in your active campaigns, within caps and working hours.

    Answers are read before each round. Ctrl-C ends it after the mail in flight.

    Example: outreach run --every 10m
    """
    pause = _span(every)
    host = shell(context)
    if install:
        from outreach.cli._service import install as write

        write(host.directory.resolve(), every, mailbox)
        return
    from outreach.cli._signals import Signals

    signals = Signals()
    with host.app() as app, signals.caught():
        boxes = (app.box(mailbox),) if mailbox else app.boxes
        with locked(boxes):
            _agree(app, boxes, yes=yes)
            for box in boxes:
                with suppress(MailboxError):  # the first round says why nothing goes
                    box.try_login()
            rounds = _Rounds(app, boxes, signals)
            while not signals.asked():
                rounds.rest(min(app.clock.now() + pause, rounds.work()))
    say("stopped; `outreach run` goes on where this one ended")
    raise typer.Exit(INTERRUPTED)


def _span(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in _UNITS or not int(number):
        raise UsageError(f"{text!r} is not a length of time.", hint="write it as 90s, 5m or 1h")
    return timedelta(seconds=int(number) * _UNITS[unit])


def _agree(app: "App", boxes: "Sequence[App]", *, yes: bool) -> None:
    """Nothing is sent before a person has seen to whom, and said so once."""
    from outreach.cli.send import put_in_order

    app.check_may_send()
    put_in_order(app)
    active = [campaign for campaign, _ in app.work() if campaign.state == "active"]
    people = app.store.campaigns.in_progress([each.id for each in active], [box.mailbox_id for box in boxes])
    if not active:
        raise SendRefused(
            "there is no active campaign.", hint="outreach campaign new NAME --sequence job-search makes one"
        )
    names, senders = ", ".join(each.name for each in active), ", ".join(box.sender.address for box in boxes)
    say(f"{count(people, 'person', 'people')} in {names}, from {senders}")
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise SendRefused("sending needs someone to agree.", hint="outreach run --yes, where nobody can be asked")
    typed = typer.prompt(
        f"Type {people} to write to them as their turn comes", default="", show_default=False, err=True
    )
    if typed.strip() != str(people):
        raise SendRefused("not confirmed: nothing was sent.")


def _next_of_others(shares: "Sequence[Share]") -> datetime | None:
    """When a mailbox has something to do again that is through, or has nothing, while others still send."""
    times = [share.next_at for share in shares if share.next_at and (share.later or not share.size)]
    return min(times) if times and len(shares) > 1 else None


class _Rounds:
    """Round after round, with one line for each event: the same one is not said twice in a row."""

    def __init__(self, app: "App", boxes: "Sequence[App]", signals: "Signals") -> None:
        self._app, self._boxes, self._signals = app, boxes, signals
        self._last = ""
        self._unread: list[str] = []
        """What the round before could not read: it is not said again."""
        self._listening: Sequence[App] = ()
        """The mailboxes that could be read in this round: what comes to another one could not be read either."""

    def work(self) -> datetime:
        """Sync, plan, send; when there is something to do again."""
        try:
            return self._work()
        except _PASSING as error:
            self._listening = ()
            self._complain(error)
        return self._app.clock.now() + _LATER

    def rest(self, until: datetime) -> None:
        """Until then, or until a mailbox tells that something came: an answer is read within seconds."""
        clock = self._app.clock
        listening = [box for box in self._listening if box.can_wait_for_mail]
        while listening and not self._signals.asked() and (left := (until - clock.now()).total_seconds()) > 0:
            try:
                wait_for_mail(listening, left, self._signals.asked)
            except (MailboxError, StoreError):  # it was just there
                self._pause(min(until, clock.now() + _UNREACHED))
            else:
                return
        self._pause(until)

    def _pause(self, until: datetime) -> None:
        clock = self._app.clock
        while not self._signals.asked() and (left := (until - clock.now()).total_seconds()) > 0:
            clock.sleep(min(left, 1.0))

    def _work(self) -> datetime:
        from outreach.cli.send import put_in_order
        from outreach.flows.enqueue import enqueue

        app = self._app
        put_in_order(app)
        unread = self._read_answers()
        self._listening = [box for box in self._boxes if box.name not in unread.names]
        found, _ = self._plan(Desks(self._boxes, faults=dict(unread.faults)))
        if not found.size:
            enqueue(app.store, found, app.clock.now())  # ends what is over, and queues what a person must release
            return self._idle(found.reason, found.next_at)
        sending = {share.mailbox.id for share in found.shares if share.size}
        idle = [share for share in found.shares if not share.size]
        with connected([box for box in self._boxes if box.mailbox_id in sending]) as desks:
            for mailbox_id, fault in desks.faults.items():
                self._event(f"{next(box.name for box in self._boxes if box.mailbox_id == mailbox_id)}: {fault}")
            unconnected = {share.mailbox.id: "its turn comes in the next round" for share in idle}
            faults = {**unconnected, **unread.faults, **desks.faults}
            found, conditions = self._plan(Desks(self._boxes, desks.transports, faults))
            self._event(f"{count(found.size, 'mail')} to send")
            until = _next_of_others([*found.shares, *idle])
            report = send_plan(app, desks, found, conditions, self._signals, until=until)
        for error in report.errors[1:]:
            self._complain(error)
        if report.errors:
            raise report.errors[0]
        return self._idle(report.reason or found.reason, report.next_at or found.next_at)

    def _read_answers(self) -> Unread:
        told: list[str] = []
        try:
            return read_answers(self._app, self._boxes, told.append)
        finally:
            for text in told:
                if text not in self._unread:
                    self._event(text)
            self._unread = told

    def _plan(self, desks: Desks) -> "tuple[Plan, list[Conditions]]":
        from outreach.flows.enqueue import plan_all

        conditions = desks.conditions()
        return plan_all(self._app.store, self._app.work(), conditions, self._app.clock.now()), conditions

    def _idle(self, reason: str, next_at: datetime | None) -> datetime:
        """Say why nothing goes now, and when the next mail can."""
        if reason and reason != "interrupted":
            when = f", next {local(next_at.astimezone(self._app.settings.zone))}" if next_at else ""
            self._event(f"{in_words(reason)}{when}")
        return next_at or self._app.clock.now() + _LATER

    def _complain(self, error: OutreachError) -> None:
        self._event(f"{plain(error)}; trying again")

    def _event(self, text: str) -> None:
        if text != self._last:
            say(f"{self._app.clock.now().astimezone(self._app.settings.zone):%Y-%m-%d %H:%M:%S}  {text}")
        self._last = text
