"""`outreach run`: reads the answers, plans and sends, again and again, until it is told to stop."""

import sys
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._output import count, in_words, local, say
from outreach.cli._shell import INTERRUPTED, shell
from outreach.errors import MailboxError, SendRefused, StoreError, TemplateError, UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.cli._signals import Signals

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
    install: Annotated[
        bool, typer.Option("--install", help="Write a service that runs this at login, and say how to start it.")
    ] = False,
) -> None:
    """Send for as long as it runs: everyone in your active campaigns, within caps and working hours.

    Answers are read before each round. Ctrl-C ends it after the mail in flight. Example: outreach run --every 10m
    """
    pause = _span(every)
    host = shell(context)
    if install:
        from outreach.cli._service import install as write

        write(host.directory.resolve(), every)
        return
    from outreach.cli._signals import Signals

    signals = Signals()
    with host.app() as app, signals.caught(), app.sending():
        _agree(app, yes=yes)
        with suppress(MailboxError):  # the first round says why nothing goes
            app.try_login()
        rounds = _Rounds(app, signals)
        while not signals.asked():
            rounds.rest(min(app.clock.now() + pause, rounds.work()))
    say("stopped; `outreach run` goes on where this one ended")
    raise typer.Exit(INTERRUPTED)


def _span(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in _UNITS or not int(number):
        raise UsageError(f"{text!r} is not a length of time.", hint="write it as 90s, 5m or 1h")
    return timedelta(seconds=int(number) * _UNITS[unit])


def _agree(app: "App", *, yes: bool) -> None:
    """Nothing is sent before a person has seen to whom, and said so once."""
    from outreach.cli.send import put_in_order

    app.check_may_send()
    put_in_order(app)
    names = [campaign.name for campaign, _ in app.work() if campaign.state == "active"]
    people = sum(funnel.waiting + funnel.held for funnel in app.store.report.funnels() if funnel.name in names)
    if not names:
        raise SendRefused(
            "there is no active campaign.", hint="outreach campaign new NAME --sequence job-search makes one"
        )
    say(f"{count(people, 'person', 'people')} in {', '.join(names)}, from {app.sender.address}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise SendRefused("sending needs someone to agree.", hint="outreach run --yes, where nobody can be asked")
    typed = typer.prompt(
        f"Type {people} to write to them as their turn comes", default="", show_default=False, err=True
    )
    if typed.strip() != str(people):
        raise SendRefused("not confirmed: nothing was sent.")


class _Rounds:
    """Round after round, with one line for each event: the same one is not said twice in a row."""

    def __init__(self, app: "App", signals: "Signals") -> None:
        self._app, self._signals = app, signals
        self._last = ""
        self._well = False

    def work(self) -> datetime:
        """Sync, plan, send; when there is something to do again."""
        self._well = False
        try:
            until = self._work()
        except _PASSING as error:
            self._event(f"{str(error).partition(chr(10))[0].rstrip('.')}; trying again")
            return self._app.clock.now() + _LATER
        self._well = True
        return until

    def rest(self, until: datetime) -> None:
        """Until then, or until the mailbox tells that something came: an answer is read within seconds."""
        clock = self._app.clock
        while (
            not self._signals.asked()
            and self._well
            and self._app.can_wait_for_mail
            and (left := (until - clock.now()).total_seconds()) > 0
        ):
            try:
                self._app.wait_for_mail(left, self._signals.asked)
            except MailboxError:  # it was just there
                self._pause(min(until, clock.now() + _UNREACHED))
            else:
                return
        self._pause(until)

    def _pause(self, until: datetime) -> None:
        clock = self._app.clock
        while not self._signals.asked() and (left := (until - clock.now()).total_seconds()) > 0:
            clock.sleep(min(left, 1.0))

    def _work(self) -> datetime:
        from outreach.cli.send import put_in_order, read_answers, send_plan
        from outreach.flows.enqueue import enqueue, plan

        app = self._app
        put_in_order(app)
        read_answers(app)
        conditions = app.conditions()
        found = plan(app.store, app.work(), conditions, app.clock.now())
        if not found.size:
            enqueue(app.store, found, app.clock.now())  # ends what is over, and queues what a person must release
            return self._idle(found.reason, found.next_at)
        self._event(f"{count(found.size, 'mail')} to send")
        with app.connected() as transport:
            app.lift_login_pause()
            report = send_plan(app, transport, found, conditions, self._signals)
        if report.error:
            raise report.error
        return self._idle(report.reason or found.reason, report.next_at or found.next_at)

    def _idle(self, reason: str, next_at: datetime | None) -> datetime:
        """Say why nothing goes now, and when the next mail can."""
        if reason and reason != "interrupted":
            when = f", next {local(next_at.astimezone(self._app.settings.zone))}" if next_at else ""
            self._event(f"{in_words(reason)}{when}")
        return next_at or self._app.clock.now() + _LATER

    def _event(self, text: str) -> None:
        if text != self._last:
            say(f"{self._app.clock.now().astimezone(self._app.settings.zone):%Y-%m-%d %H:%M:%S}  {text}")
        self._last = text
