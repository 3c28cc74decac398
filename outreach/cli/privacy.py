"""`outreach export-person WHO` and `outreach forget WHO`: what one person may ask for. All that is held about them, and
that it goes.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, is_terminal, say, show, show_json, show_some
from outreach.cli._shell import Json, shell
from outreach.errors import SendRefused, UsageError

if TYPE_CHECKING:
    from outreach.core.records import Founder
    from outreach.flows.forget import Forgotten


def register(app: typer.Typer) -> None:
    app.command("export-person")(export_person)
    app.command("forget")(forget)


def export_person(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="WHO", help="An id, an address, or a name.")],
    file: Annotated[Path | None, typer.Option("--file", help="Write it there instead of printing it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """All that is held about one person, as one JSON document: rows of lists, addresses, look-ups, mails, answers.

    Example: outreach export-person "Ada Testwell" --file ada.json
    """
    from outreach.store.journal import Journal

    with shell(context).app() as app:
        from outreach.flows.personal import everything_about

        logs = {"sent_log": app.workspace.sent_log, "suppression_log": app.workspace.suppression_log}
        founder = app.store.people.get_founder(who)
        read = {name: Journal(path).entries() for name, path in logs.items()}
        document = everything_about(app.store, founder, read, app.clock.now())
    if file is None:
        show_json(document)
    else:
        from outreach.cli._files import write_private
        from outreach.cli._output import as_json

        write_private(file, as_json(document).encode() + b"\n", force=force)
        show(f"all that is held about {founder.full_name or f'founder {founder.id}'} is in {file}")
    say("rows of lists and mails may name others too: look through it before you hand it on")


# --- forget ---------------------------------------------------------------------------------------

_SAID = {
    "lists": ("row of a list", "rows of lists"),
    "addresses": ("address", "addresses"),
    "edits": ("edit", "edits"),
    "notes": ("note", "notes"),
    "tags": ("tag", "tags"),
    "checks": ("check of an address", "checks of addresses"),
    "lookups": ("look-up", "look-ups"),
    "same_as": ("match with others", "matches with others"),
    "enrollments": ("place in a campaign", "places in campaigns"),
    "approvals": ("approved mail", "approved mails"),
    "mails": ("mail", "mails"),
    "answers": ("answer", "answers"),
    "suppressions": ("entry of the suppression list", "entries of the suppression list"),
}
_ELSEWHERE = (
    "your mailbox: its Sent folder and what they wrote to you",
    "files that were exported, copied or backed up outside of this folder",
)
_AT_A_SERVER = (
    "the database server's own archives, logs and backups",
    "sent.log and suppressions.jsonl on other machines, until outreach is used there next",
)


def forget(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="WHO", help="An id, an address, a LinkedIn page, or a name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Erase one person: rows of lists, addresses, mails, answers, everything. It cannot be taken back; keyed hashes
    stay, so that nobody writes to them again and no list brings them back.

    Example: outreach forget ada@acme.example
    """
    with shell(context).app() as app:
        from outreach.core.names import parse_name
        from outreach.flows.forget import check_free
        from outreach.flows.forget import forget as run
        from outreach.importers import all_importers
        from outreach.workspace import files_holding

        if app.store.erasures.known().has_called(who):
            _show_nothing_left(who, json=json)
            return
        app.note_doubts()
        founder = app.store.people.get_founder(who)
        alike = check_free(app.store, founder.id, app.clock.now())
        held = app.store.personal.held(founder, parse_name(founder.full_name).key)
        erased = {name: len(rows) for name, rows in held.items() if rows}
        if not json:
            _show_held(founder, erased)
        for other in app.store.people.by_ids(alike).values():
            say(f"may be the same person, and is not erased with them: {_named(other)}")
        if not yes:
            _agree(founder)
        done = run(
            app.store,
            all_importers(),
            founder.id,
            sent_log=app.journal,
            log=app.suppression_log,
            now=app.clock.now(),
        )
        names = [name for name in done.traces.names if " " in name]
        still = files_holding(app.workspace.folder, [*done.traces.unique, *names])
        elsewhere = [*_ELSEWHERE, *(_AT_A_SERVER if app.store.database.server else ())]
        inside = [str(path.relative_to(app.workspace.folder)) for path in still]
    if json:
        told = {"id": done.founder_id, "erased": erased, "hashes": done.marks, "swept": done.swept}
        left = {"still_in": inside, "mails_to_others": list(done.mails), "not_touched": elsewhere}
        show_json({"forgotten": told, "look_alikes": list(alike), **left})
    else:
        _show_done(founder, done, inside, elsewhere)


def _show_nothing_left(who: str, *, json: bool) -> None:
    """Erased before, perhaps by this very command: one that was cut off is finished when the store is opened."""
    if json:
        nothing: dict[str, Any] = {"id": None, "erased": {}, "hashes": 0, "swept": True}
        show_json({"forgotten": nothing, "look_alikes": [], "still_in": [], "mails_to_others": [], "not_touched": []})
    else:
        show(f"{who} was erased before: nothing of them is left here")


def _named(founder: "Founder") -> str:
    company = founder.company.name if founder.company else ""
    name = founder.full_name or "(no name)"
    return ", ".join(filter(None, (name, company, *(each.address for each in founder.addresses)))) + (
        f" (founder {founder.id})"
    )


def _show_held(founder: "Founder", erased: Mapping[str, int]) -> None:
    show(f"to be erased: {_named(founder)}")
    show(f"  with {', '.join(count(erased[name], *words) for name, words in _SAID.items() if name in erased)}")


def _agree(founder: "Founder") -> None:
    if not is_terminal(sys.stdin):
        raise UsageError(
            "erasing needs someone to agree, for it cannot be undone.", hint=f"outreach forget {founder.id} --yes"
        )
    if not typer.confirm("This cannot be undone. Erase all of it?", default=False, err=True):
        raise SendRefused("not erased: nothing was changed.")


def _show_done(founder: "Founder", done: "Forgotten", inside: Sequence[str], elsewhere: Sequence[str]) -> None:
    show(f"{founder.full_name or f'founder {founder.id}'} is erased, for good; nobody here writes to them again")
    show(f"  {count(done.marks, 'keyed hash', 'keyed hashes')} stay, by which lists and mails are told to be theirs")
    if not done.swept:
        say("another program holds the store, so its file is cleared of traces later: the next command tries again")
    if done.mails:
        show("mails to others in which their address stands, and that stay as they are:")
        show_some(f"message {id_}, `outreach outbox show {id_}`" for id_ in done.mails)
    if inside:
        show("in this folder, and not touched:")
        show_some(inside)
    show("not touched, and yours to see to:")
    for each in elsewhere:
        show(f"  {each}")
