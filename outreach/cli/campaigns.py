"""`outreach campaign …` and `outreach suppress …`: whom to write to, and whom never."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._filters import FOUNDERS, Filters, takes
from outreach.cli._output import count, in_words, local, say, show, show_json, show_table
from outreach.cli._shell import DONE_IN_PART, Json, listing, shell
from outreach.errors import NotFound, SendRefused, UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import AddressStatus, Campaign, Founder
    from outreach.flows.edits import Edit

_SHOWN_REASONS = 15
_SHOWN_CHOSEN = 20

Purpose = Annotated[str, typer.Option(help="job-search or commercial; default: as in the settings.")]
Why = Annotated[str, typer.Option(help="Why you write to these people, in one sentence.")]
AllowCountry = Annotated[
    list[str] | None,
    typer.Option(metavar="COUNTRY=REASON", help="Set a country's rule aside, with the reason. Can be given again."),
]

FromMailboxes = Annotated[
    list[str] | None,
    typer.Option("--mailbox", metavar="NAME", help="Write from this mailbox; given again, people are shared out."),
]

_NAME = re.compile(r"\w[\w.-]{0,63}")
NAME = Annotated[str, typer.Argument(help="The campaign.")]


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
    suppressions = listing("Who must not be written to.")
    suppressions.command("add")(suppress)
    suppressions.command("list")(list_suppressions)
    suppressions.command("remove")(unsuppress)
    suppressions.command("import")(import_suppressions)
    app.add_typer(suppressions, name="suppress")


@takes(FOUNDERS)
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A short name, such as ai-berlin.")],
    sequence: Annotated[str, typer.Option("--sequence", "-s", help="A folder in templates/.")],
    filters: Filters,
    allow_risky: Annotated[
        bool, typer.Option("--allow-risky", help="Also write to risky addresses, to 20 people at most.")
    ] = False,
    allow_guessed: Annotated[
        bool, typer.Option("--allow-guessed", help="Also write to guessed addresses, to 10 people at most.")
    ] = False,
    purpose: Purpose = "",
    why: Why = "",
    allow_country: AllowCountry = None,
    mailbox: FromMailboxes = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show whom, and whom not.")] = False,
    json: Json = False,
) -> None:
    """Make a campaign and enroll everyone who matches and may be written to.

    Example: outreach campaign new ai-berlin --sequence job-search --location Berlin
    """
    purpose, overrides = _checked_purpose(purpose), _overrides(allow_country or [])
    allows = tuple(_allows(risky=allow_risky, guessed=allow_guessed))
    with shell(context).app() as app:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no name for a campaign.", hint="use letters, digits, - and _, such as ai-berlin"
            )
        # A sequence or filter that cannot be used is named now, before anything is made.
        app.sequence(sequence)
        app.store.people.count_founders(filters)
        first, *more = _mailboxes(app, mailbox)
        if dry_run:
            from outreach.core.records import Campaign, CampaignState

            draft = Campaign(
                0, name, sequence, first, CampaignState.ACTIVE, "", filters, app.clock.now(),
                purpose, why, overrides, allows, more_mailboxes=tuple(more),
            )  # fmt: skip
            _enroll(app, draft, dry_run=True, json=json)
            return
        campaign = app.store.campaigns.create(
            name, sequence=sequence, mailbox_id=first, filters=filters, now=app.clock.now(),
            purpose=purpose, why=why, overrides=overrides, allows=allows, more_mailboxes=more,
        )  # fmt: skip
        _enroll(app, campaign, dry_run=False, json=json)


def _mailboxes(app: "App", names: Sequence[str] | None) -> list[int]:
    """The mailboxes of these names, each once; that of `.env` where none is named."""
    boxes = [app.box(name) for name in names] if names else [app]
    return list(dict.fromkeys(box.mailbox_id for box in boxes))


def _allows(*, risky: bool, guessed: bool) -> "list[AddressStatus]":
    from outreach.core.records import AddressStatus

    chosen = {AddressStatus.RISKY: risky, AddressStatus.GUESSED: guessed}
    found = [status for status, wanted in chosen.items() if wanted]
    if found:
        say(f"{' and '.join(found)} addresses may be tried; the campaign pauses at their first bounces")
    return found


def enroll(
    context: typer.Context,
    name: NAME,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show whom, and whom not.")] = False,
    json: Json = False,
) -> None:
    """Add those who match the campaign's filters now; who is in it stays in it.

    Example: outreach campaign enroll ai-berlin --dry-run
    """
    with shell(context).app() as app:
        campaign = _running(app, name)
        _enroll(app, campaign, dry_run=dry_run, json=json)


@takes(FOUNDERS)
def edit(
    context: typer.Context,
    name: NAME,
    filters: Filters,
    purpose: Purpose = "",
    why: Why = "",
    allow_country: AllowCountry = None,
    mailbox: FromMailboxes = None,
    json: Json = False,
) -> None:
    """Change what a campaign is for, why you write to these people, and which country's rule does not apply to it.

    With filters: whom `campaign enroll` adds from now on, instead of by those it has. With --mailbox: which mailboxes
    people get who are enrolled from now on. Those who are in it stay, and keep their mailbox.

    Example: outreach campaign edit ai-berlin --location Berlin --employees 1-50
    """
    purpose, overrides = _checked_purpose(purpose), _overrides(allow_country or [])
    with shell(context).app() as app:
        campaign = _running(app, name)
        # A filter or mailbox that cannot be used is named now, before anything changes.
        if filters:
            app.store.people.count_founders(filters)
        mailboxes = _mailboxes(app, mailbox) if mailbox else []
        if filters:
            app.store.campaigns.set_filters(campaign.id, filters)
        app.store.campaigns.set_terms(
            campaign.id,
            purpose=purpose or campaign.purpose,
            why=why or campaign.why,
            overrides={**campaign.overrides, **overrides},
        )
        if mailboxes:
            app.store.campaigns.set_mailboxes(campaign.id, mailboxes)
        changed = app.store.campaigns.get(name)
        senders = _senders(app, changed)
    if json:
        show_json({"campaign": name, "filters": dict(changed.filters), **_terms_json(changed), "mailboxes": senders})
        return
    for line in [*_terms_lines(changed), f"  from: {', '.join(senders)}"]:
        show(line)
    say(f"next: outreach campaign enroll {name}   (adds those who may be written to now)")


def _senders(app: "App", campaign: "Campaign") -> list[str]:
    """The addresses that new people of a campaign are written to from."""
    addresses = app.store.campaigns.addresses()
    return [addresses[each] for each in campaign.mailboxes]


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
        campaign = _running(app, name)
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


def _checked_purpose(text: str) -> str:
    if text not in ("", "job-search", "commercial"):
        raise UsageError(f"{text!r} is no purpose.", hint="it is job-search or commercial")
    return text


def _overrides(given: Sequence[str]) -> dict[str, str]:
    """`Germany=reason` → the table's name of the country, and the reason, which nobody can leave out."""
    from outreach.core.countries import countries_with_rules, known_country

    found = {}
    for text in given:
        country, _, reason = text.partition("=")
        name = known_country(country)
        if not name:
            raise UsageError(
                f"there is no rule for {country.strip() or 'no country'}.",
                hint=f"rules there are for {', '.join(countries_with_rules())}",
            )
        if not reason.strip():
            raise UsageError(
                f"{name} needs a reason.", hint=f'write e.g. --allow-country "{name}=they asked for offers by mail"'
            )
        found[name] = reason.strip()
    return found


def _terms_json(campaign: "Campaign") -> dict[str, object]:
    return {"purpose": campaign.purpose, "why": campaign.why, "overrides": dict(campaign.overrides)}


def _terms_lines(campaign: "Campaign") -> list[str]:
    lines = [f"  whom: {_in_filters(campaign.filters)}"]
    lines += [f"  purpose: {campaign.purpose or 'as in the settings'}", f"  why: {campaign.why or '-'}"]
    return lines + [f"  {country}: its rule is set aside ({reason})" for country, reason in campaign.overrides.items()]


def _in_filters(filters: Mapping[str, str]) -> str:
    """Filters as one types them."""
    words = [
        f"--{name.replace('_', '-')}{'' if value == 'yes' else f' {quote(value)}'}" for name, value in filters.items()
    ]
    return " ".join(words) or "everyone"


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
        senders = _senders(app, campaign)
    if json:
        show_json(
            {
                "campaign": campaign.name,
                "sequence": campaign.sequence,
                "state": campaign.state,
                "reason": campaign.reason,
                "filters": dict(campaign.filters),
                **_terms_json(campaign),
                "edited": [str(edit) for edit in edited],
                "allows": list(campaign.allows),
                "mailboxes": senders,
                "founders": [
                    {
                        "founder": founder.id,
                        "name": founder.full_name,
                        "address": entry.address,
                        "from": addresses[entry.mailbox_id],
                        "state": entry.state,
                        "reason": entry.reason,
                    }
                    for founder, entry in rows
                ],
            }
        )
        return
    show(f"{campaign.name}: {campaign.sequence}, {campaign.state}{f' ({campaign.reason})' if campaign.reason else ''}")
    for line in [*_terms_lines(campaign), f"  from: {', '.join(senders)}", *(f"  {edit}" for edit in edited)]:
        show(line)
    if campaign.allows:
        show(f"also writes to {' and '.join(campaign.allows)} addresses")
    several = len({entry.mailbox_id for _, entry in rows}) > 1
    show_table(
        ("id", "founder", "company", "address", "state", *(("from",) if several else ())),
        [
            (founder.id, founder.full_name, founder.company.name if founder.company else "", entry.address,
             f"{entry.state}{f' ({entry.reason})' if entry.reason else ''}",
             *((addresses[entry.mailbox_id],) if several else ()))
            for founder, entry in rows
        ],
    )  # fmt: skip


def pause(context: typer.Context, name: NAME, json: Json = False) -> None:
    """Let nothing of a campaign go out until it is resumed.

    Example: outreach campaign pause ai-berlin
    """
    from outreach.core.records import CampaignState

    with shell(context).app() as app:
        app.store.campaigns.set_state(_running(app, name).id, CampaignState.PAUSED, "by hand")
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
        campaign, now, zone = _running(app, name), app.clock.now(), app.settings.zone
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


def stop(context: typer.Context, name: NAME, json: Json = False) -> None:
    """End a campaign for good, follow-ups included. Answers are still logged.

    Example: outreach campaign stop ai-berlin
    """
    with shell(context).app() as app:
        app.store.campaigns.stop(_running(app, name).id, "by hand", app.clock.now())
    if json:
        show_json({"campaign": name, "state": "stopped"})
        return
    show(f"{name} is stopped")


def _running(app: "App", name: str) -> "Campaign":
    campaign = app.store.campaigns.get(name)
    if campaign.state == "stopped":
        raise UsageError(f"{name} was stopped for good.", hint="outreach campaign new … starts another")
    return campaign


def _enroll(app: "App", campaign: "Campaign", *, dry_run: bool, json: bool) -> None:
    from outreach.flows.enroll import enroll as run

    rooms = app.rooms(campaign)
    result = run(app.store, campaign, clock=app.clock, dry_run=dry_run, purpose=app.settings.purpose, rooms=rooms)
    shared = Counter(result.shares.values())
    shares = {box.sender.address: shared[box.mailbox_id] for box in app.boxes if shared[box.mailbox_id]}
    refused = [
        {"founder": held.founder.id, "name": held.founder.full_name, "reasons": list(held.reasons)}
        for held in result.refused
    ]
    if json:
        warned = [{"founder": each.founder.id, "reasons": list(each.reasons)} for each in result.warned]
        show_json({"campaign": campaign.name, "enrolled": result.enrolled, "not_enrolled": refused,
                   "warned": warned, "dry_run": dry_run, "mailboxes": shares})  # fmt: skip
        return
    if dry_run:
        _show_chosen(result.chosen)
    show_refused([(held.founder, held.reasons) for held in result.refused], "not enrolled")
    show_refused([(held.founder, held.reasons) for held in result.warned], "enrolled, with a warning")
    show(f"{campaign.name}: {count(result.enrolled, 'founder')} {'would be ' if dry_run else ''}enrolled")
    if len(rooms) > 1:
        for address, number in shares.items():
            show(f"  {number} from {address}")
    resting = {room.mailbox_id for room in rooms if not room.open}
    for box in app.boxes:
        if box.mailbox_id in resting:
            say(f"{box.sender.address} rests until you act: outreach mailboxes")
    if result.enrolled and not dry_run:
        say(f"next: outreach preview {campaign.name}")
    elif not result.enrolled and not result.refused and not app.store.people.count_founders(campaign.filters):
        say(f"nobody fits {_in_filters(campaign.filters)}; outreach founders shows who is there")
        if not dry_run:
            again = f"outreach campaign enroll {campaign.name}"
            say(f"next: outreach campaign edit {campaign.name} with other filters, then {again}")


def edits_of(app: "App", campaign: "Campaign") -> "list[Edit]":
    """Steps that were edited since mails were written from them; none where the sequence cannot be read."""
    from outreach.errors import TemplateError
    from outreach.flows.edits import edits

    try:
        return edits(app.store, campaign, app.sequence(campaign.sequence))
    except TemplateError as error:
        say(f"the sequence cannot be used: {error}")
        return []


def say_edits(app: "App", name: str) -> None:
    """What an edited template still reaches: the campaign of that name, or all that are under way."""
    for campaign in app.store.campaigns.all():
        if campaign.name == name or (not name and campaign.state != "stopped"):
            for each in edits_of(app, campaign):
                say(f"note: {each}")


def _show_chosen(founders: "Sequence[Founder]") -> None:
    for founder in founders[:_SHOWN_CHOSEN]:
        show(f"would be enrolled: {founder.full_name}{f', {founder.company.name}' if founder.company else ''}")
    if len(founders) > _SHOWN_CHOSEN:
        show(f"… and {len(founders) - _SHOWN_CHOSEN} more")


def show_refused(
    refused: "Sequence[tuple[Founder, Sequence[str]]]", what: str, tell: Callable[[str], None] = show
) -> None:
    """People who are left out, grouped by their reasons, so that the long list of one reason stays one line."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for founder, reasons in refused:
        told = "; ".join(map(in_words, reasons))
        rules = "; ".join(in_words(reason.partition(":")[0]) for reason in reasons)
        groups.setdefault(told if len(refused) <= _SHOWN_REASONS else rules, []).append((founder.full_name, told))
    for rules, people in sorted(groups.items(), key=lambda group: -len(group[1])):
        some = ", ".join(name for name, _ in people[:3]) + (f" and {len(people) - 3} more" if len(people) > 3 else "")
        why = {told for _, told in people}
        tell(f"{what}: {some} ({why.pop() if len(why) == 1 else rules})")


def suppress(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="A founder (id, address or name), any address, or a domain.")],
    reason: Annotated[str, typer.Option(help="For your own memory.")] = "by hand",
    json: Json = False,
) -> None:
    """Never write to someone again: a founder with all their addresses, any address, or a whole domain.

    Example: outreach suppress add acme.example --reason "asked us not to"
    """
    with shell(context).app() as app:
        from outreach.flows.suppress import suppress as run

        covered = run(app.store, who, reason=reason, clock=app.clock)
    if json:
        show_json({"suppressed": list(covered)})
    else:
        show(f"never written to again: {', '.join(covered)}")


def list_suppressions(context: typer.Context, json: Json = False) -> None:
    """Who must not be written to, and why.

    Example: outreach suppress list
    """
    with shell(context).app() as app:
        entries, zone = app.store.suppressions.all(), app.settings.zone
        names = _named(app, [entry["value"] for entry in entries])
    if json:
        show_json({"suppressions": [dict(entry) for entry in entries], "total": len(entries)})
    elif not entries:
        show("nobody is suppressed")
    else:
        show_table(
            ("who", "kind", "reason", "since"),
            [
                (names[each["value"]], each["kind"].replace("_", "-"), each["reason"], each["created_at"])
                for each in entries
            ],
            zone,
        )


def _named(app: "App", values: Sequence[str]) -> dict[str, str]:
    """Entries of the list as a person reads them: an address, a domain with everyone there, a founder by name."""
    ids = [int(value.removeprefix("person:")) for value in values if value.startswith("person:")]
    people = app.store.people.by_ids(ids)
    named = {f"person:{each.id}": f"{each.full_name} (founder {each.id})" for each in people.values()}
    return {
        value: named.get(value, value.removeprefix("address:").replace("domain:", "everyone at ", 1))
        for value in values
    }


def unsuppress(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="A founder, an address, a domain, or an entry of `suppress list`.")],
    consent: Annotated[
        str, typer.Option("--i-have-consent", metavar="REASON", help="When and how they asked you to write again.")
    ] = "",
    json: Json = False,
) -> None:
    """Take someone off the list. An opt-out is final, unless they have asked you since.

    Example: outreach suppress remove acme.example
    """
    with shell(context).app() as app:
        from outreach.flows.suppress import unsuppress as run

        removed = run(app.store, who, consent=consent, clock=app.clock)
        names = _named(app, removed)
    if json:
        show_json({"removed": list(removed)})
    else:
        show(f"may be written to again: {', '.join(names[each] for each in removed)}")
        say("campaigns that were stopped for them stay stopped")


def import_suppressions(
    context: typer.Context,
    file: Annotated[typer.FileText, typer.Argument(help="Addresses and domains, one to a line; - for stdin.")],
    reason: Annotated[str, typer.Option(help="For your own memory.")] = "imported list",
    json: Json = False,
) -> None:
    """Never write to anyone on a list, such as the opt-outs of another tool.

    Example: outreach suppress import unsubscribed.csv
    """
    with shell(context).app() as app:
        from outreach.flows.suppress import suppress_all

        listed = suppress_all(app.store, file, reason=reason, clock=app.clock)
    if json:
        show_json({"suppressed": listed.covered, "skipped": [{"line": n, "reason": why} for n, why in listed.refused]})
    else:
        show(f"{count(listed.covered, 'line')} on the list")
        for number, why in listed.refused:
            show(f"skipped line {number}: {why}")
    if listed.refused:
        raise typer.Exit(DONE_IN_PART)
