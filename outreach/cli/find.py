"""`outreach find`: an address for every founder who has none; what it may cost is shown before it is spent."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._filters import WITHOUT_ADDRESS, Filters, takes
from outreach.cli._output import count, is_terminal, local, say, show, show_json, show_table
from outreach.cli._shell import DONE_IN_PART, INTERRUPTED, Json, shell
from outreach.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from outreach.bootstrap import App
    from outreach.core.ports import Finder
    from outreach.flows.find import FindPlan, FindReport, Result

_SHOWN = 20
_FEW = 3


def register(app: typer.Typer) -> None:
    app.command()(find)


@takes(WITHOUT_ADDRESS)
def find(
    context: typer.Context,
    filters: Filters,
    using: Annotated[
        str, typer.Option(metavar="NAMES", help="Which finders, in which order: website,hunter,pattern.")
    ] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many founders.")] = None,
    max_credits: Annotated[
        int | None, typer.Option("--max-credits", min=0, help="Spend at most so many credits, without asking.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Have a provider check what was found or guessed (costs credits).")
    ] = False,
    ask_again: Annotated[
        bool,
        typer.Option(
            "--ask-again", help="Also ask again sites that could not be reached, and what may have been paid for."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many calls and credits; ask nobody.")
    ] = False,
    json: Json = False,
) -> None:
    """Look for the address of every founder who has none that may be written to.

    Example: outreach find --location Berlin --using website,pattern
    """
    from outreach.flows.find import plan

    with shell(context).app() as app:
        finders = app.finders([name.strip() for name in using.split(",") if name.strip()])
        found = plan(app.store, finders, filters, app.clock.now(), limit=limit, verify=verify, ask_again=ask_again)
        left = app.find_budget_left()
        if dry_run:
            _show_plan(found, left, app.settings.zone, json=json)
            return
        allowed = _allowed(app, finders, found, left, max_credits, json=json)
        report = _run(app, finders, found, allowed, verify=verify, ask_again=ask_again)
        zone = app.settings.zone
        ready = sum(1 for each in report.results if each.checked and each.checked.status == "verified")
    _show_report(report, found, ready, zone, json=json)
    if report.interrupted:
        raise typer.Exit(INTERRUPTED)
    if report.resting or report.doubts:
        raise typer.Exit(DONE_IN_PART)


# --- before ---------------------------------------------------------------------------------------


def _allowed(
    app: "App", finders: "Sequence[Finder]", found: "FindPlan", left: int, max_credits: int | None, *, json: bool
) -> int:
    """How many credits this run may spend: none unless a person, or --max-credits, has agreed to them."""
    from outreach.core.ports import Account

    if not found.credits:
        return 0
    if not json:
        for finder in finders:
            if isinstance(finder, Account) and (account := finder.credits_left()):
                say(f"{finder.name}: {account} left")
    if max_credits is not None:
        return min(max_credits, found.credits)
    if json or not is_terminal(sys.stdin):
        raise UsageError(
            f"this may cost up to {count(found.credits, 'credit')}, and nobody has agreed to that.",
            hint=f"add --max-credits {found.credits}, or --using website,pattern, which cost nothing",
        )
    _show_plan(found, left, app.settings.zone, json=False, dry=False)
    if not typer.confirm(f"Spend up to {count(found.credits, 'credit')}?", default=False, err=True):
        say("nothing was spent: only what is free is asked")
        return 0
    return found.credits


def _show_plan(found: "FindPlan", left: int, zone: "tzinfo", *, json: bool, dry: bool = True) -> None:
    if json:
        show_json(
            {
                "dry_run": True,
                "founders": len(found.wanted),
                **_left_out(found),
                "calls": found.calls,
                "credits": found.credits,
                "budget_left": left,
                "finders": [
                    {"name": name, "questions": c.questions, "calls": c.calls, "credits": c.credits, "known": c.known}
                    for name, c in found.costs.items()
                ],
            }
        )
        return
    tell = show if dry else say
    tell(f"{count(len(found.wanted), 'founder')} without an address that may be written to")
    for name, cost in found.costs.items():
        known = f"; {cost.known} already answered" if cost.known else ""
        tell(f"  {name}: at most {count(cost.calls, 'call')} and {count(cost.credits, 'credit')}{known}")
    if found.credits:
        tell(f"  OUTREACH_FIND_BUDGET leaves {count(left, 'credit')} for now")
    _say_left_out(found, zone)
    if dry:
        tell("dry run: nobody was asked")


def _left_out(found: "FindPlan") -> dict[str, Any]:
    return {
        "suppressed": found.suppressed,
        "without_domain": found.homeless,
        "settled": found.settled,
        "waiting": found.waiting,
        "again_at": found.again_at,
        "later": found.later,
    }


def _say_left_out(found: "FindPlan", zone: "tzinfo") -> None:
    if found.suppressed:
        why = "suppressed, in touch already, or their company is gone"
        say(f"{found.suppressed} more are not looked up: {why}")
    if found.settled:
        say(f"{found.settled} more were looked for within 30 days, and nothing has changed since")
    if found.again_at:
        more, again = count(found.waiting, "more founder"), local(found.again_at.astimezone(zone))
        say(f"{more} left for later, as the company's site could not be reached: tried again from {again},")
        say("or now with --ask-again")
    if found.homeless:
        say(f"{found.homeless} more have no company domain: a list with a Website column gives them one")


# --- the run --------------------------------------------------------------------------------------


def _run(
    app: "App", finders: "Sequence[Finder]", found: "FindPlan", allowed: int, *, verify: bool, ask_again: bool
) -> "FindReport":
    from outreach.flows.find import Search, find

    with _interruptible() as stopped, _progress(len(found.wanted)) as advance:
        return find(
            Search(
                store=app.store,
                finders=finders,
                mail_hosts=app.mail_hosts(),
                clock=app.clock,
                credits=allowed,
                budget=app.settings.find_budget,
                verify=verify,
                ask_again=ask_again,
                stopped=stopped,
                narrate=advance,
            ),
            found,
        )


@contextmanager
def _progress(total: int) -> "Iterator[Callable[[Result], None]]":
    """A bar on a terminal, nothing elsewhere."""
    if not total or not is_terminal(sys.stderr):
        yield lambda _result: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("finding addresses"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("find", total=total)
        yield lambda _result: bar.advance(task)


@contextmanager
def _interruptible() -> "Iterator[Callable[[], bool]]":
    """Ctrl-C and SIGTERM ask the run to end after the founder in hand; the second cuts off what is asked."""
    import signal

    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        say("stopping after this founder …")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# --- after ----------------------------------------------------------------------------------------


def _show_report(report: "FindReport", found: "FindPlan", ready: int, zone: "tzinfo", *, json: bool) -> None:
    from outreach.core.records import AddressStatus

    by_status = {status.value: report.count(status) for status in AddressStatus if report.count(status)}
    if json:
        show_json(
            {
                "founders": len(found.wanted),
                "found": by_status,
                "not_found": report.count(None),
                **_left_out(found),
                "calls": report.calls,
                "credits": report.credits,
                "doubtful": report.doubts,
                "resting": dict(report.resting),
                "unreachable": dict(report.absent),
                "interrupted": report.interrupted,
                "results": [_result_json(each) for each in report.results],
            }
        )
        return
    _show_results(report)
    parts = [f"{number} {status}" for status, number in by_status.items()]
    parts += [f"{report.count(None)} not found"] if report.count(None) else []
    asked = f" ({count(report.calls, 'call')}, {count(report.credits, 'credit')})" if report.calls else ""
    show(f"{count(len(report.results), 'founder')} looked for{asked}: {', '.join(parts) or 'nothing to do'}")
    _say_rest(report, found, ready, zone)


def _show_results(report: "FindReport") -> None:
    rows = [
        (each.wanted.full_name, each.checked.key, each.checked.status, f"{each.checked.confidence} %", each.finder)
        for each in report.results
        if each.checked
    ]
    if rows:
        show_table(("founder", "address", "status", "sure", "source"), rows[:_SHOWN])
    if len(rows) > _SHOWN:
        say(f"{_SHOWN} of {len(rows)} shown; outreach founders list --has-email shows all")
    missing = [each for each in report.results if not each.checked]
    for each in missing[:_SHOWN]:
        show(f"not found: {each.wanted.full_name} ({each.reason})")
    if len(missing) > _SHOWN:
        say(f"and {len(missing) - _SHOWN} more were not found; outreach why NAME says why")
    for each in report.results:
        if each.inboxes and not each.checked:
            say(f"{each.wanted.company} itself has {', '.join(each.inboxes)}")


def _say_rest(report: "FindReport", found: "FindPlan", ready: int, zone: "tzinfo") -> None:
    for name, why in report.resting.items():
        say(f"{name} was left alone: {why}")
    if report.absent:
        few = "; ".join(list(report.absent.values())[:_FEW]) + ("; …" if len(report.absent) > _FEW else "")
        say(f"{count(len(report.absent), 'site')} gave no page and will be tried again after a day: {few}")
    if report.doubts:
        say(f"{count(report.doubts, 'answer')} got lost and may have been paid for: --ask-again asks once more")
    _say_left_out(found, zone)
    if report.interrupted:
        say(f"stopped; {count(report.left, 'founder')} left: the same command goes on from here")
    elif found.later:
        say(f"{count(found.later, 'more founder')} beyond --limit: the same command goes on with them")
    doubtful = sum(1 for each in report.results if each.checked and each.checked.status in ("guessed", "risky"))
    if doubtful:
        say(
            f"{doubtful} not sure enough to be written to by default; a campaign may try a few: "
            "outreach campaign new … --allow-risky --allow-guessed"
        )
    if ready:
        say("next: outreach campaign new NAME --sequence job-search")


def _result_json(result: "Result") -> dict[str, Any]:
    checked = result.checked
    return {
        "founder": result.wanted.founder_id,
        "name": result.wanted.full_name,
        "address": checked.key if checked else None,
        "status": checked.status if checked else None,
        "confidence": checked.confidence if checked else None,
        "origin": result.finder or None,
        "evidence": list(checked.evidence) if checked else [],
        "reason": result.reason,
        "inboxes": list(result.inboxes),
    }
