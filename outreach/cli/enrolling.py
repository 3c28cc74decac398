"""`campaign new`, `enroll` and `edit`: whom a campaign is for, on which terms, and who gets into it."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from outreach.cli._campaign import NAME, in_filters, running, senders_of, show_refused, terms_json, terms_lines
from outreach.cli._filters import FOUNDERS, Filters, takes
from outreach.cli._output import count, say, show, show_json
from outreach.cli._shell import Json, shell
from outreach.errors import UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import AddressStatus, Campaign, Founder
    from outreach.flows.enroll import Enrolled, Refused

_SHOWN_CHOSEN = 20
_NAME = re.compile(r"\w[\w.-]{0,63}")

Purpose = Annotated[
    Literal["job-search", "commercial"] | None, typer.Option(help="What for; default: as in the settings.")
]
Why = Annotated[str, typer.Option(help="Why you write to these people, in one sentence.")]
AllowCountry = Annotated[
    list[str] | None,
    typer.Option(metavar="COUNTRY=REASON", help="Set a country's rule aside, with the reason. Can be given again."),
]
FromMailboxes = Annotated[
    list[str] | None,
    typer.Option("--mailbox", metavar="NAME", help="Write from this mailbox; given again, people are shared out."),
]


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
    purpose: Purpose = None,
    why: Why = "",
    allow_country: AllowCountry = None,
    mailbox: FromMailboxes = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show whom, and whom not.")] = False,
    json: Json = False,
) -> None:
    """Make a campaign and enroll everyone who matches and may be written to.

    Example: outreach campaign new ai-berlin --sequence job-search --location Berlin
    """
    overrides = _overrides(allow_country or [])
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
                purpose or "", why, overrides, allows, more_mailboxes=tuple(more),
            )  # fmt: skip
            _enroll(app, draft, dry_run=True, json=json)
            return
        campaign = app.store.campaigns.create(
            name, sequence=sequence, mailbox_id=first, filters=filters, now=app.clock.now(),
            purpose=purpose or "", why=why, overrides=overrides, allows=allows, more_mailboxes=more,
        )  # fmt: skip
        _enroll(app, campaign, dry_run=False, json=json)


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
        campaign = running(app, name)
        _enroll(app, campaign, dry_run=dry_run, json=json)


@takes(FOUNDERS)
def edit(
    context: typer.Context,
    name: NAME,
    filters: Filters,
    purpose: Purpose = None,
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
    overrides = _overrides(allow_country or [])
    with shell(context).app() as app:
        campaign = running(app, name)
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
        senders = senders_of(app, changed)
    if json:
        show_json({"campaign": name, "filters": dict(changed.filters), **terms_json(changed), "mailboxes": senders})
        return
    for line in [*terms_lines(changed), f"  from: {', '.join(senders)}"]:
        show(line)
    say(f"next: outreach campaign enroll {name}   (adds those who may be written to now)")


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


def _enroll(app: "App", campaign: "Campaign", *, dry_run: bool, json: bool) -> None:
    from outreach.flows.enroll import enroll as run

    rooms = app.rooms(campaign)
    result = run(app.store, campaign, clock=app.clock, dry_run=dry_run, purpose=app.settings.purpose, rooms=rooms)
    shared = Counter(result.shares.values())
    shares = {box.sender.address: shared[box.mailbox_id] for box in app.boxes if shared[box.mailbox_id]}
    if json:
        show_json(
            {
                "campaign": campaign.name,
                "enrolled": result.enrolled,
                "chosen": [{"founder": each.id, "name": each.full_name} for each in result.chosen],
                "not_enrolled": [_with_reasons(each) for each in result.refused],
                "warned": [_with_reasons(each) for each in result.warned],
                "dry_run": dry_run,
                "mailboxes": shares,
            }
        )
        return
    if dry_run:
        _show_chosen(result.chosen)
    show_refused([(held.founder, held.reasons) for held in result.refused], "not enrolled")
    show_refused([(held.founder, held.reasons) for held in result.warned], "enrolled, with a warning")
    show(f"{campaign.name}: {count(result.enrolled, 'founder')} {'would be ' if dry_run else ''}enrolled")
    for address, number in shares.items() if len(rooms) > 1 else ():
        show(f"  {number} from {address}")
    resting = {room.mailbox_id for room in rooms if not room.open}
    for box in app.boxes:
        if box.mailbox_id in resting:
            say(f"{box.sender.address} rests until you act: outreach mailboxes")
    _say_next(app, campaign, result, dry_run=dry_run)


def _with_reasons(held: "Refused") -> dict[str, object]:
    return {"founder": held.founder.id, "name": held.founder.full_name, "reasons": list(held.reasons)}


def _say_next(app: "App", campaign: "Campaign", result: "Enrolled", *, dry_run: bool) -> None:
    if result.enrolled and not dry_run:
        say(f"next: outreach preview {campaign.name}")
    elif not result.enrolled and not result.refused and not app.store.people.count_founders(campaign.filters):
        say(f"nobody fits {in_filters(campaign.filters)}; outreach founders shows who is there")
        if not dry_run:
            again = f"outreach campaign enroll {campaign.name}"
            say(f"next: outreach campaign edit {campaign.name} with other filters, then {again}")


def _show_chosen(founders: "Sequence[Founder]") -> None:
    for founder in founders[:_SHOWN_CHOSEN]:
        show(f"would be enrolled: {founder.full_name}{f', {founder.company.name}' if founder.company else ''}")
    if len(founders) > _SHOWN_CHOSEN:
        show(f"… and {len(founders) - _SHOWN_CHOSEN} more")
