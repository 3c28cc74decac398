"""`outreach sync`: reads every mailbox, and says what came and what it did."""

from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._output import count, of, say, show, show_json
from outreach.cli._shell import DONE_IN_PART, Json, shell
from outreach.errors import MailboxError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from outreach.bootstrap import App
    from outreach.flows.sync import Seen, SyncReport
    from outreach.store.consequences import Effects

HOLDING = ("automatic", "challenge")
WORDS = {
    "reply": ("reply", "replies"),
    "auto_reply": ("automatic reply", "automatic replies"),
    "bounce": ("bounce", "bounces"),
    "unsubscribe": ("opt-out", "opt-outs"),
    "complaint": ("complaint", "complaints"),
    "challenge": ("sender check", "sender checks"),
    "receipt": ("receipt", "receipts"),
    "automatic": ("machine mail", "machine mails"),
    "unrelated": ("other mail", "other mails"),
    "own": ("mail of yours", "mails of yours"),
}


def sync(
    context: typer.Context,
    since: Annotated[str, typer.Option(metavar="DATE", help="Read again from this day on, such as 2026-03-01.")] = "",
    reclassify: Annotated[
        bool, typer.Option("--reclassify", help="Judge the mail that was kept again, by today's rules.")
    ] = False,
    json: Json = False,
) -> None:
    """Read your mailboxes, changing nothing that is there: replies, out-of-office notes, bounces, opt-outs.

    Whoever answered, bounced or opted out is not written to again. A copy of what you sent is put into the Sent folder
    where your provider does not do that.

    Example: outreach sync
    """
    if reclassify and since:
        raise UsageError(
            "--since reads mailboxes again, --reclassify judges what was kept of them: one at a time.",
            hint=f"outreach sync --since {since}, then outreach sync --reclassify",
        )
    if reclassify:
        _judge_again(context, json=json)
        return
    with shell(context).app() as app:
        report, failed = _sync_all(app, day(app, since), quiet=json)
    if json:
        show_json(report.document())
    else:
        for line in _summary(report):
            show(line)
        if report.by_kind.get("reply"):
            say("next: outreach replies")
        if report.by_kind.get("bounce") and report.effects.suppressed:
            say("outreach find offers another address for whom a mail came back")
    if report.effects.held and any(report.by_kind.get(kind) for kind in HOLDING):
        say("a machine answered for someone; read and label it to go on: outreach replies --kind automatic")
    if report.quarantined:
        say(f"{count(report.quarantined, 'mail')} could not be read whole; look at the mailbox yourself")
    if report.quarantined or failed:
        raise typer.Exit(DONE_IN_PART)


def _judge_again(context: typer.Context, *, json: bool) -> None:
    from dataclasses import asdict

    from outreach.flows.reclassify import reclassify as run

    with shell(context).app() as app:
        found = run(
            app.store, mailbox=app.mailbox, owner_name=app.sender.name, own=_own(app), clock=app.clock,
            read=app.read_mail,
        )  # fmt: skip
    if json:
        show_json(asdict(found))
        return
    for change in found.changed:
        lifts = "; by itself this would stop nobody, so look whether the stop is still right" if change.lifts else ""
        show(f"{change.id}  {change.founder or 'unknown'}: {change.before} → {change.after}{lifts}")
    show(f"{count(found.judged, 'mail')} judged again, {len(found.changed)} changed")
    told = _told(found.effects)
    if told:
        show(told)
    if found.still_unread:
        say(f"{count(found.still_unread, 'mail')} still cannot be read whole")


def read_inbox(box: "App", *, aloud: bool = True) -> "SyncReport":
    """Sync of one mailbox in passing, before mails go out: what came is said on stderr."""
    report = _sync(box, None, quiet=True)
    if aloud and any(kind not in ("unrelated", "own") for kind in report.by_kind):
        for line in _summary(report):
            say(f"inbox{of(box, 'of')}: {line}")
    return report


def read_all(app: "App", read: "Callable[[App], object]") -> "dict[str, MailboxError]":
    """Read every inbox there is. Which mailboxes' could not be read, by name, and why: that keeps none of the others.
    Raises MailboxError where none could."""
    boxes = [box for box in app.boxes if box.reads_inbox] or [app]
    failed: dict[str, MailboxError] = {}
    for box in boxes:
        try:
            read(box)
        except MailboxError as error:
            failed[box.name] = error
    if len(failed) == len(boxes):
        raise failed[boxes[0].name]
    return failed


def _sync_all(app: "App", since: datetime | None, *, quiet: bool) -> tuple["SyncReport", bool]:
    """What came into all mailboxes, and whether one of them could not be read."""
    from outreach.flows.sync import SyncReport

    found = SyncReport()

    def read(box: "App") -> None:
        nonlocal found
        found += _sync(box, since, quiet=quiet)

    failed = read_all(app, read)
    for name, error in failed.items():
        say(f"{name}: {error} {error.hint}")
    return found, bool(failed)


def _own(box: "App") -> list[str]:
    return [each.sender.address for each in box.boxes]


def _sync(box: "App", since: datetime | None, *, quiet: bool) -> "SyncReport":
    from outreach.flows.sync import sync as run

    box.note_doubts()  # what comes may prove that they did leave
    report = run(
        box.store,
        box.inbox(),
        mailbox=box.mailbox,
        owner_name=box.sender.name,
        own=_own(box),
        clock=box.clock,
        since=since,
        narrate=(lambda _seen: None) if quiet else _tell,
        read=box.read_mail,
    )
    return replace(report, filed=_file_copies(box))


def _file_copies(box: "App") -> int:
    """What was read counts, whether the mailbox takes copies or not."""
    try:
        return box.file_copies()
    except MailboxError as error:
        say(f"{error} {error.hint}; OUTREACH_SENT_COPIES=never leaves the copies out")
        return 0


def _tell(seen: "Seen") -> None:
    kind = seen.subkind.replace("_", " ") if seen.kind == "auto_reply" else WORDS[seen.kind][0]
    who = f"{seen.name} <{seen.address}>" if seen.name else seen.address or "unknown sender"
    show(f"{kind}: {who}" + (f"  {seen.says}" if seen.says else ""))


def _summary(report: "SyncReport") -> list[str]:
    filed = [f"{count(report.filed, 'copy', 'copies')} of your mails put into Sent"] if report.filed else []
    if not report.fetched:
        return ["nothing new", *filed]
    parts = [count(number, *WORDS[kind]) for kind, number in sorted(report.by_kind.items()) if number]
    known = [f"{report.again} known already"] if report.again else []
    lines = [f"{count(report.fetched, 'new mail')}: {', '.join([*parts, *known])}"]
    told = _told(report.effects)
    return [*lines, *([told] if told else []), *filed]


def _told(effects: "Effects") -> str:
    """What reading mail did to people."""
    stopped = [count(effects.people, "person", "people")] if effects.people else []
    stopped += [f"colleagues at {count(effects.companies, 'company', 'companies')}"] if effects.companies else []
    told = [f"stopped writing to {', '.join(stopped)}"] if stopped else []
    told += [f"{count(effects.held, 'person', 'people')} on hold"] if effects.held else []
    told += [f"{count(effects.suppressed, 'new suppression')}"] if effects.suppressed else []
    told += [f"{count(effects.confirmed, 'doubtful mail')} proved sent"] if effects.confirmed else []
    return "; ".join(told)


def day(app: "App", text: str) -> datetime | None:
    """The start of a day in the user's zone."""
    if not text:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), time(), app.settings.zone)
    except ValueError:
        raise UsageError(f"{text} is not a date.", hint="write it as 2026-03-01") from None
