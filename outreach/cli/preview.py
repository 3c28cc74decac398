"""`outreach preview`: the exact mails, before they go out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, say, show, show_json
from outreach.cli._shell import Json, shell
from outreach.cli.campaigns import NAME, show_refused
from outreach.errors import NotFound, UsageError

if TYPE_CHECKING:
    from outreach.flows.preview import Shown


def register(app: typer.Typer) -> None:
    app.command()(preview)


def preview(
    context: typer.Context,
    campaign: NAME,
    who: Annotated[str, typer.Argument(metavar="[WHO]", help="One founder: id, address or name.")] = "",
    step: Annotated[int | None, typer.Option(min=1, help="This step, whether it is due or not.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 3,
    everyone: Annotated[bool, typer.Option("--all", help="Show all of them.")] = False,
    eml: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write each mail's bytes as a file.")] = None,
    json: Json = False,
) -> None:
    """The exact mails that `send` would put on the wire.

    Example: outreach preview ai-berlin --limit 5
    """
    from outreach.flows.preview import Blank, Shown
    from outreach.flows.preview import preview as run

    with shell(context).app() as app:
        chosen = app.store.campaigns.get(campaign)
        founder_id = app.store.people.get_founder(who).id if who else None
        writer = app.writer(chosen)
        if step and step > len(writer.sequence.steps):
            raise UsageError(
                f"{chosen.sequence} has {count(len(writer.sequence.steps), 'step')}.", hint="name one of them"
            )
        found = run(app.store, chosen, writer, founder_id=founder_id, step=step, now=app.clock.now())
    if who and not found:
        raise NotFound(
            f"{who} is not in {campaign}, or the sequence is over.", hint=f"outreach campaign show {campaign}"
        )
    mails = [mail for mail in found if isinstance(mail, Shown)]
    blanks = [blank for blank in found if isinstance(blank, Blank)]
    if eml:
        _write_files(eml, mails)
    if json:
        held = [{"founder": b.founder.id, "name": b.founder.full_name, "reasons": list(b.reasons)} for b in blanks]
        show_json({"messages": [_preview_json(mail) for mail in mails], "held": held})
        return
    _show_mails(mails if everyone or who else mails[:limit])
    show_refused([(blank.founder, blank.reasons) for blank in blanks], "held back")
    show(f"{count(len(mails), 'mail')} ready to look at, {len(blanks)} held back")
    if len(mails) > limit and not (everyone or who):
        say(f"more: outreach preview {campaign} --all   one: outreach preview {campaign} WHO")
    if mails:
        say(f"next: outreach send {campaign}   (a dry run: nothing leaves without --live)")


def _preview_json(mail: "Shown") -> dict[str, Any]:
    return {
        "founder": mail.founder.id,
        "name": mail.founder.full_name,
        "address": mail.address,
        "step": mail.step,
        "subject": mail.subject,
        "text": mail.text,
        "message_id": mail.message_id,
        "sha256": mail.sha256,
        "state": mail.state,
    }


def _show_mails(mails: "Sequence[Shown]") -> None:
    for mail in mails:
        company = f", {mail.founder.company.name}" if mail.founder.company else ""
        show(f"── {mail.founder.full_name}{company} · step {mail.step} · {mail.state} ".ljust(78, "─"))
        show(f"To: {mail.founder.full_name} <{mail.address}>")
        show(f"Subject: {mail.subject}")
        show()
        show(mail.text.rstrip("\n"))
        show()


def _write_files(folder: Path, mails: "Sequence[Shown]") -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for mail in mails:
        (folder / f"{mail.founder.id:05d}-step{mail.step}.eml").write_bytes(mail.mime)
    say(f"{count(len(mails), 'file')} written to {folder}")
