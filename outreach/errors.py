"""What can go wrong, as one tree.

Every error says what happened (its message) and what to type next (`hint`); further facts are attributes.
Only `cli._shell` catches these; third-party exceptions are translated into them by the adapter that met them.

    OutreachError
    ├── UsageError            the command was typed wrongly (exit code 2)
    ├── SettingsError         `.env` or the environment cannot be used; carries every problem at once
    ├── WorkspaceError        no workspace here, or one that is in use
    ├── StoreError            the database is missing, foreign, newer or damaged
    │   └── StoreUnavailable  its server is away; whether the last change was recorded is not known
    ├── ImportRefused         a file that no importer can read
    ├── TemplateError         a sequence that cannot be used
    ├── NotFound              a founder, campaign or message that does not exist
    ├── SendRefused           nothing was sent, and why
    └── MailboxError          the SMTP or IMAP server cannot be used
"""

from collections.abc import Sequence


class OutreachError(Exception):
    """This command cannot go on. `str(error)` is one sentence for the user; `hint` is the next thing to type."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(OutreachError):
    """The command was typed wrongly."""

    exit_code = 2


class SettingsError(OutreachError):
    """The settings cannot be used. `problems` holds one line for each, with the line to write instead."""

    def __init__(self, problems: Sequence[str], *, source: str, hint: str = "") -> None:
        count = "1 setting needs" if len(problems) == 1 else f"{len(problems)} settings need"
        super().__init__(
            "\n".join([f"{count} your attention in {source}:", *(f"  {line}" for line in problems)]), hint=hint
        )
        self.problems = tuple(problems)


class WorkspaceError(OutreachError):
    """There is no workspace here, or it cannot be used now."""


class StoreError(OutreachError):
    """The database is missing, foreign, newer than this program, or damaged."""


class StoreUnavailable(StoreError):
    """The database server is away, or left in the middle: whether the last change was recorded is not known."""


class ImportRefused(OutreachError):
    """No importer can read this file; nothing of it was imported."""


class TemplateError(OutreachError):
    """A sequence of templates that cannot be used; the message names file and line."""


class NotFound(OutreachError):
    """No such founder, campaign, message or reply, or more than one that fits."""


class SendRefused(OutreachError):
    """Nothing was sent: a safeguard said no."""


class MailboxError(OutreachError):
    """The SMTP or IMAP server cannot be reached, or refuses us."""
