"""`outreach campaign …`: whom you write to, by which sequence, and whether it goes on."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._campaign import NAME, edits_of, running, senders_of, terms_json, terms_lines
from outreach.cli._output import count, is_terminal, local, say, show, show_json, show_table
from outreach.cli._shell import Json, listing, shell
from outreach.cli.enrolling import edit, enroll, new
from outreach.errors import NotFound, SendRefused, UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import Campaign, Enrollment, Founder


def register(app: typer.Typer) -> None:
    group = listing("Whom to write to, and with which sequence.")
    group.command("new")(new)
    group.command("list")(list_campaigns)
    group.command("show")(show_campaign)
    group.command("enroll")(enroll)
    group.command("edit")(edit)
    group.command("move")(move)
    group.command("pause")(pause)
    group.command("resume")(resume)
    group.command("stop")(stop)
    app.add_typer(group, name="campaign")


def list_campaigns(context: typer.Context, json: Json = False) -> None:
    """All campaigns.

    Example: outreach campaign list
    """
    with shell(context).app() as app:
        funnels = app.store.report.funnels()
        sequences = {campaign.name: campaign.sequence for campaign in app.store.campaigns.all()}
    if json:
        keys = ("name", "state", "reason", "enrolled", "mailed", "replied")
        told = [{**{key: getattr(f, key) for key in keys}, "sequence": sequences[f.name]} for f in funnels]
        show_json({"campaigns": told, "total": len(funnels)})
    elif not funnels:
        show("no campaigns yet")
        say("next: outreach campaign new NAME --sequence job-search")
    else:
        show_table(
            ("name", "sequence", "state", "enrolled", "mailed", "replied"),
            [(f.name, sequences[f.name], f.state, f.enrolled, f.mailed, f.replied) for f in funnels],
        )


def show_campaign(context: typer.Context, name: NAME, json: Json = False) -> None:
    """One campaign and everyone in it.

    Example: outreach campaign show ai-berlin
    """
    with shell(context).app() as app:
        campaign = app.store.campaigns.get(name)
        people = {founder.id: founder for founder in app.store.people.enrolled(campaign.id)}
        rows = [(people[entry.founder_id], entry) for entry in app.store.campaigns.enrollments(campaign.id)]
        edited = edits_of(app, campaign)
        addresses = app.store.campaigns.addresses()
        senders = senders_of(app, campaign)
    if json:
        show_json(
            {
                "campaign": campaign.name,
                "sequence": campaign.sequence,
                "state": campaign.state,
                "reason": campaign.reason,
                "filters": dict(campaign.filters),
                **terms_json(campaign),
                "edited": [str(each) for each in edited],
                "allows": list(campaign.allows),
                "mailboxes": senders,
                "founders": [_entry_json(founder, entry, addresses) for founder, entry in rows],
            }
        )
        return
    show(f"{campaign.name}: {campaign.sequence}, {campaign.state}{f' ({campaign.reason})' if campaign.reason else ''}")
    for line in [*terms_lines(campaign), f"  from: {', '.join(senders)}", *(f"  {each}" for each in edited)]:
        show(line)
    if campaign.allows:
        show(f"also writes to {' and '.join(campaign.allows)} addresses")
    several = len({entry.mailbox_id for _, entry in rows}) > 1
    headers = ("id", "founder", "company", "address", "state", "from")
    cells = [_entry_cells(founder, entry, addresses) for founder, entry in rows]
    columns = len(headers) if several else -1
    show_table(headers[:columns], [each[:columns] for each in cells])


def _entry_json(founder: "Founder", entry: "Enrollment", addresses: Mapping[int, str]) -> dict[str, object]:
    return {
        "founder": founder.id,
        "name": founder.full_name,
        "address": entry.address,
        "from": addresses[entry.mailbox_id],
        "state": entry.state,
        "reason": entry.reason,
    }


def _entry_cells(founder: "Founder", entry: "Enrollment", addresses: Mapping[int, str]) -> tuple[object, ...]:
    company = founder.company.name if founder.company else ""
    state = f"{entry.state}{f' ({entry.reason})' if entry.reason else ''}"
    return founder.id, founder.full_name, company, entry.address, state, addresses[entry.mailbox_id]


def move(
    context: typer.Context,
    name: NAME,
    source: Annotated[str, typer.Option("--from", metavar="NAME", help="The mailbox that they have, or its address.")],
    target: Annotated[str, typer.Option("--to", metavar="NAME", help="The mailbox that is to write to them.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show how many.")] = False,
    json: Json = False,
) -> None:
    """Let another mailbox write to those of a campaign to whom nothing was sent yet.

    Whoever has a mail keeps its sender.

    Example: outreach campaign move ai-berlin --from sales --to default
    """
    from outreach.core.normalize import address_key

    with shell(context).app() as app:
        campaign = running(app, name)
        known = {address: each for each, address in app.store.campaigns.addresses().items()}
        named = [box for box in app.boxes if source == box.name]
        leaves = named[0].mailbox_id if named else known.get(address_key(source))
        if leaves is None:
            raise NotFound(f"there is no mailbox {source}.", hint=f"there is {', '.join(known)}")
        new = app.box(target).mailbox_id
        if new == leaves:
            raise UsageError(f"{source} and {target} are one mailbox.", hint="outreach mailboxes lists them")
        moved = app.store.campaigns.move(campaign.id, leaves, new, app.clock.now(), dry_run=dry_run)
    if json:
        show_json({"campaign": name, "moved": moved.moved, "kept": moved.kept, "dry_run": dry_run})
        return
    would = "would be" if dry_run else "are"
    show(f"{count(moved.moved, 'person', 'people')} {would} written to from {target}")
    if moved.kept:
        show(f"{count(moved.kept, 'person', 'people')} keep their mailbox: they have a mail from it, or one on its way")
    if moved.moved and not dry_run:
        say(f"next: outreach preview {name}   (what was queued is written anew)")


def pause(context: typer.Context, name: NAME, json: Json = False) -> None:
    """Let nothing of a campaign go out until it is resumed.

    Example: outreach campaign pause ai-berlin
    """
    from outreach.core.records import CampaignState

    with shell(context).app() as app:
        app.store.campaigns.set_state(running(app, name).id, CampaignState.PAUSED, "by hand")
    if json:
        show_json({"campaign": name, "state": "paused"})
        return
    show(f"{name} is paused")
    say(f"to let it go on: outreach campaign resume {name}")


def resume(context: typer.Context, name: NAME, json: Json = False) -> None:
    """Let a paused campaign go on, within the same caps as ever, and its mailbox too if it was paused for a fault.

    It says why it was paused.

    Example: outreach campaign resume ai-berlin
    """
    from outreach.core.records import CampaignState

    with shell(context).app() as app:
        campaign, now, zone = running(app, name), app.clock.now(), app.settings.zone
        if campaign.rests_until and campaign.rests_until > now:
            raise SendRefused(
                f"{name} was paused for its reputation: {campaign.reason}.",
                hint=f"it can be resumed from {local(campaign.rests_until.astimezone(zone))} on",
            )
        app.store.campaigns.set_state(campaign.id, CampaignState.ACTIVE, "")
        for each in {*campaign.mailboxes, *app.store.campaigns.served().get(campaign.id, ())}:
            app.store.campaigns.wake_mailbox(each)
        mailboxes = [box.mailbox for box in app.boxes_for(name)]
    if json:
        show_json({"campaign": name, "state": "active", "was_paused": campaign.reason or None})
        return
    show(f"{name} is active" + (f"; it was paused: {campaign.reason}" if campaign.reason else ""))
    for mailbox in mailboxes:
        if mailbox.paused_until and mailbox.paused_until > now:
            until = local(mailbox.paused_until.astimezone(zone))
            whose = f" from {mailbox.address}" if len(mailboxes) > 1 else ""
            show(f"nothing goes{whose} before {until} all the same: {mailbox.pause_reason}")


def stop(
    context: typer.Context,
    name: NAME,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """End a campaign for good, follow-ups included; at a terminal it asks first. Answers are still logged.

    Example: outreach campaign stop ai-berlin
    """
    with shell(context).app() as app:
        campaign = running(app, name)
        if not yes and is_terminal(sys.stdin):
            _agree_to_stop(app, campaign)
        app.store.campaigns.stop(campaign.id, "by hand", app.clock.now())
    if json:
        show_json({"campaign": name, "state": "stopped"})
        return
    show(f"{name} is stopped")


def _agree_to_stop(app: "App", campaign: "Campaign") -> None:
    """Where nobody can be asked it is done unasked: it writes to nobody."""
    left = sum(entry.state in ("active", "held") for entry in app.store.campaigns.enrollments(campaign.id))
    say(f"{count(left, 'person', 'people')} in {campaign.name} would get no more mail, and it cannot be taken back")
    if not typer.confirm("End it for good?", err=True):
        raise SendRefused(
            f"not stopped: {campaign.name} goes on.", hint=f"outreach campaign pause {campaign.name} can be taken back"
        )
