"""Which commands there are, by what they are for, and where each one is: a command line loads and builds only its own.

The lines stand in `outreach --help`, uncut in 80 columns; the whole story of a command is its function's docstring.
"""

from collections.abc import Mapping
from importlib import import_module
from itertools import chain
from typing import Any

import typer
from typer.main import get_group

SECTIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Set up": {
        "demo": ("demo", "Watch the whole job on invented startups, in seconds."),
        "init": ("setup", "Make a workspace: settings, starter sequences, the store."),
        "doctor": ("doctor", "Check everything, with the remedy for what is wrong."),
        "mailboxes": ("mailboxes", "The mailboxes that you send from."),
        "db": ("db", "The store itself: upgrade, backup, move to another."),
    },
    "People": {
        "import": ("importing", "Bring lists of startups in: nobody twice, nothing lost."),
        "imports": ("imports", "What came from where, and taking it back."),
        "founders": ("founders", "The people you may write to."),
        "companies": ("companies", "The startups they founded."),
        "duplicates": ("duplicates", "Pairs that may be one: merge them or keep them apart."),
        "find": ("find", "Look for an address for everyone who has none."),
        "suppress": ("suppressions", "Who must not be written to."),
        "why": ("why", "Everything about one person, and when a mail may go."),
        "export-person": ("privacy", "All that is held about one person, as JSON."),
        "forget": ("privacy", "Erase one person, for good."),
    },
    "Campaigns": {
        "campaign": ("campaigns", "Whom to write to, and with which sequence."),
        "check": ("check", "Read the templates as a careful colleague would."),
        "preview": ("preview", "The exact mails that `send` would put on the wire."),
        "import-lines": ("lines", "Take a line for each person from a filled table."),
        "send": ("send", "Show who would be written to and, with --live, write."),
        "run": ("loop", "Read answers and send, for as long as it runs."),
        "outbox": ("outbox", "What waits, failed or is in doubt."),
    },
    "Replies and results": {
        "sync": ("replies", "Read your mailboxes, changing nothing that is there."),
        "replies": ("replies", "The answers, and what you make of them."),
        "status": ("status", "What is due, why nothing goes out now, what is new."),
        "report": ("report", "The funnel: from imported to offer, with its rates."),
    },
}
_PLACES = dict(chain.from_iterable(section.items() for section in SECTIONS.values()))
LINES: Mapping[str, str] = {name: line for name, (_, line) in _PLACES.items()}


def build(name: str) -> Any:
    """The command of this name, ready to run."""
    module, _ = _PLACES[name]
    part = typer.Typer(rich_markup_mode=None)
    import_module(f"outreach.cli.{module}").register(part)
    return get_group(part).commands[name]
