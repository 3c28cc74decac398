"""`outreach report`: what came of it, with what a handful of answers can and cannot tell."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, say, show, show_json, show_table
from outreach.cli._shell import DONE_IN_PART, Json, shell
from outreach.core.breakdown import By

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outreach.bootstrap import App
    from outreach.core.breakdown import Group
    from outreach.core.stats import Rate
    from outreach.store.report import Funnel, Share

_SHOWN = 20
RATES = (
    ("bounce", "bounced", "mailed"),
    ("reply", "replied", "delivered"),
    ("interested", "interested", "delivered"),
    ("interview", "interview", "delivered"),
    ("offer", "offer", "delivered"),
)


def register(app: typer.Typer) -> None:
    app.command()(report)


def report(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Default: all of them.")] = "",
    by: Annotated[By | None, typer.Option(help="Also the numbers of each step, variant, tag or industry.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as a page for your browser.")] = None,
    force: Annotated[bool, typer.Option("--force", help="With --html: write over another file.")] = False,
    json: Json = False,
) -> None:
    """The funnel: from imported to offer, with rates and their 95 % intervals.

    With --by, an answer counts for the mail that it answers, and whoever has several tags or industries for each.

    Example: outreach report ai-berlin --by step
    """
    with shell(context).app() as app:
        app.note_doubts()
        if campaign:
            app.store.campaigns.get(campaign)
        people = app.store.report.people()
        funnels = [funnel for funnel in app.store.report.funnels() if campaign in ("", funnel.name)]
        shares = app.store.report.shares()
        groups = {funnel.name: _groups(app, funnel.name, by) for funnel in funnels} if by else {}
        if html:
            _write_page(app, html, funnels, by, force=force)
    if json:
        campaigns = [_funnel_json(funnel, shares.get(funnel.name, ()), groups.get(funnel.name)) for funnel in funnels]
        show_json({"imported": people.imported, "with_address": people.with_address, "campaigns": campaigns})
    else:
        show(f"{count(people.imported, 'founder')} imported, {people.with_address} with an address")
        for funnel in funnels:
            _show_funnel(funnel)
            if len(shares.get(funnel.name, ())) > 1:
                _show_shares(shares[funnel.name])
            if by:
                _show_groups(by, groups[funnel.name])
    if html:
        say(f"{html.resolve()} written: open it in a browser")
    if any(funnel.unknown for funnel in funnels):
        say("some mails may or may not have left: outreach outbox --state unknown")
        raise typer.Exit(DONE_IN_PART)


def _groups(app: "App", campaign: str, by: By) -> "list[Group]":
    return app.store.report.breakdown(app.store.campaigns.get(campaign).id, by)


def _funnel_json(funnel: "Funnel", shares: "Sequence[Share]", groups: "Sequence[Group] | None") -> dict[str, Any]:
    told: dict[str, Any] = {
        **asdict(funnel),
        "mailboxes": [asdict(share) for share in shares],
        "rates": _rates_json(funnel),
    }
    if groups is None:
        return told
    return {**told, "by": [{**asdict(group), "rates": _rates_json(group)} for group in groups]}


def _rates_json(counted: "Funnel | Group") -> dict[str, dict[str, float] | None]:
    return {name: asdict(found) if found else None for name, found in rates_of(counted).items()}


def _show_funnel(funnel: "Funnel") -> None:
    show()
    show(f"{funnel.name} ({funnel.state}{f': {funnel.reason}' if funnel.reason else ''})")
    found = rates_of(funnel)
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
    stopped = funnel.enrolled - funnel.waiting - funnel.held - funnel.finished
    show(
        f"{count(funnel.sent, 'mail')} sent; {funnel.waiting} in progress, {funnel.held} on hold, "
        f"{funnel.finished} finished, {stopped} stopped"
    )
    if funnel.failed:
        show(f"{count(funnel.failed, 'mail')} refused by the recipient's server, or given up")
    if funnel.unknown:
        show(f"{count(funnel.unknown, 'mail')} in doubt")


def _show_shares(shares: "Sequence[Share]") -> None:
    show_table(
        ("from", "enrolled", "mailed", "bounced", "replied"),
        [(each.mailbox, each.enrolled, each.mailed, each.bounced, each.replied) for each in shares],
    )


def _show_groups(by: By, groups: "Sequence[Group]") -> None:
    from outreach.core.breakdown import compare_variants

    show()
    if not groups:
        show(f"no mail of it has a {by}" if by is By.VARIANT else "nobody was mailed yet")
        return
    show_table(
        (f"by {by}", "mailed", "bounced", "replied", "share", "95 % interval", "interested", "interview", "offer"),
        [
            (group.key, group.mailed, group.bounced, group.replied, *_shares(rates_of(group)["reply"]),
             group.interested, group.interview, group.offer)
            for group in groups[:_SHOWN]
        ],
    )  # fmt: skip
    if len(groups) > _SHOWN:
        show(f"{_SHOWN} of {len(groups)}; --json and --html have all")
    for line in compare_variants(groups) if by is By.VARIANT else ():
        show(line)


def rates_of(counted: "Funnel | Group") -> "Mapping[str, Rate | None]":
    from outreach.core.stats import rate

    return {name: rate(getattr(counted, hits), getattr(counted, total)) for name, hits, total in RATES}


def _shares(found: "Rate | None") -> tuple[str, str]:
    return (f"{found.value:.0%}", f"{found.low:.0%} to {found.high:.0%}") if found else ("", "")


def _write_page(app: "App", path: Path, funnels: "Sequence[Funnel]", by: By | None, *, force: bool) -> None:
    """Every breakdown that says something, or only the one that was asked for."""
    from outreach.cli._files import is_our_page, write_private
    from outreach.cli._report_page import Charted, report_page
    from outreach.core.breakdown import tells_something

    wanted = [by] if by else list(By)
    made = app.clock.now().astimezone(app.settings.zone)
    charted = [
        Charted(funnel, {each: found for each in wanted if tells_something(found := _groups(app, funnel.name, each))})
        for funnel in funnels
    ]
    write_private(path, report_page(app.store.report.people(), charted, made=made), force=force or is_our_page(path))
