"""The store itself: newer schema, backup, and the move to PostgreSQL and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._output import count, say, show, show_json
from outreach.cli._shell import Group, Json, shell

if TYPE_CHECKING:
    from outreach.store.copying import Copied

group = typer.Typer(
    cls=Group,
    help="The store itself: upgrade, backup, and the move to PostgreSQL.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_AFTER_COPY = (
    "next: outreach status   (each colleague needs the same OUTREACH_DATABASE_URL and this folder's outreach.key)"
)
_TOLD = (
    ("founders", "founder", ""),
    ("campaigns", "campaign", ""),
    ("outbox", "message", ""),
    ("inbound", "answer", ""),
    ("suppressions", "suppression", ""),
)
"""Tables that a person may want to compare, as they call what stands in them."""
_AFTER_BACK = "next: remove OUTREACH_DATABASE_URL from .env"


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="db")


@group.command()
def upgrade(context: typer.Context, json: Json = False) -> None:
    """Bring the store to the schema of this version, after a backup. A SQLite file is upgraded by any command.

    Example: outreach db upgrade
    """
    from outreach.workspace import upgrade_store

    host = shell(context)
    done = upgrade_store(host.directory, host.environment)
    if json:
        show_json({"before": done.before, "now": done.now, "backup": str(done.backup) if done.backup else None})
    elif done.before == done.now:
        show(f"nothing to do: the store has schema {done.now}")
    else:
        show(f"upgraded from schema {done.before} to {done.now}")
        if done.backup:
            show(f"backup: {done.backup}")


@group.command()
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
    json: Json = False,
) -> None:
    """Copy the store, whichever it is, into one SQLite file, while others go on working.

    Example: outreach db backup monday.db
    """
    from outreach.workspace import back_up_store

    host = shell(context)
    copied = back_up_store(host.directory, host.environment, file)
    _show_copied(copied, json=json)
    if not json:
        say("outreach.key, .env, sent.log and suppressions.jsonl belong to a whole backup")


@group.command()
def copy(
    context: typer.Context,
    back: Annotated[bool, typer.Option("--back", help="From there into this folder's outreach.db.")] = False,
    json: Json = False,
) -> None:
    """Move the store of this folder to where OUTREACH_DATABASE_URL says; with --back, from there to here.

    The store that was copied from is retired: it refuses to be used.

    Example: outreach db copy
    """
    from outreach.workspace import move_store

    host = shell(context)
    copied = move_store(host.directory, host.environment, back=back)
    _show_copied(copied, json=json)
    if not json:
        say(_AFTER_BACK if back else _AFTER_COPY)


def _show_copied(copied: "Copied", *, json: bool) -> None:
    if json:
        show_json({"to": copied.to, "rows": dict(copied.rows)})
        return
    show(f"{count(copied.total, 'row')} copied and counted: {copied.to}")
    show(", ".join(count(copied.rows.get(table, 0), noun, plural) for table, noun, plural in _TOLD))
