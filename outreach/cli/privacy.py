"""`outreach export-person WHO`: all that is held about one person, for whoever asks what it is."""

from pathlib import Path
from typing import Annotated

import typer

from outreach.cli._output import say, show, show_json
from outreach.cli._shell import shell


def register(app: typer.Typer) -> None:
    app.command("export-person")(export_person)


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
