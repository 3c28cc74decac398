"""`outreach preview`: the exact mails, before they go out."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._campaign import NAME, say_edits, show_refused
from outreach.cli._export import check_target, export
from outreach.cli._files import is_our_page, write_private
from outreach.cli._output import count, say, screen_width, show, show_json
from outreach.cli._shell import Json, shell
from outreach.errors import NotFound, UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import Campaign
    from outreach.flows._writer import Writer
    from outreach.flows.preview import Blank, Shown


def register(app: typer.Typer) -> None:
    app.command()(preview)


def preview(  # noqa: PLR0917  Typer's options go by name
    context: typer.Context,
    campaign: NAME,
    who: Annotated[str, typer.Argument(metavar="WHO", help="One founder: id, address or name.")] = "",
    step: Annotated[int | None, typer.Option(min=1, help="This step, whether it is due or not.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 3,
    everyone: Annotated[bool, typer.Option("--all", help="Show all of them.")] = False,
    eml: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write each mail's bytes as a file.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="One page to flip through all of them.")] = None,
    diff: Annotated[str, typer.Option(metavar="WHO2", help="What differs between two people's mails.")] = "",
    approve: Annotated[str, typer.Option(metavar="HASH", help="Approve the mails of this hash, or of `all`.")] = "",
    export_lines: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A table to fill with a line for each person.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    json: Json = False,
) -> None:
    """The exact mails that `send` would put on the wire.

    Example: outreach preview ai-berlin --html mails.html
    """
    from outreach.flows.preview import Blank, Shown, batch_hash

    if export_lines:
        check_target(export_lines, force=force)
    with shell(context).app() as app:
        chosen = app.store.campaigns.get(campaign)
        writer = app.writer(chosen.sequence)
        found = _found(app, chosen, writer, who, step)
        mails = [mail for mail in found if isinstance(mail, Shown)]
        blanks = [blank for blank in found if isinstance(blank, Blank)]
        if diff:
            _show_diff(found, _found(app, chosen, writer, diff, step), json=json)
            return
        if approve:
            _approve(app, mails, approve, json=json)
            return
        if eml:
            _write_files(eml, mails)
        if export_lines:
            _write_lines(app, chosen, export_lines)
        if html:
            command = _approve_command(campaign, who, step, batch_hash(mails))
            _write_page(app, html, chosen, writer, found, command, force=force)
        if json:
            show_json(_json(mails, blanks))
            return
        if not (html or export_lines):
            _show_mails(mails if everyone or who else mails[:limit])
        show_refused([(blank.founder, blank.reasons) for blank in blanks], "held back")
        show(f"{count(len(mails), 'mail')} ready to look at, {len(blanks)} held back")
        say_edits(app, campaign)
        if len(mails) > limit and not (everyone or who or html):
            say(
                f"more: outreach preview {campaign} --all   in a browser: outreach preview {campaign} --html mails.html"
            )
        _say_next(chosen, mails, blanks, _approve_command(campaign, who, step, batch_hash(mails)))


def _say_next(campaign: "Campaign", mails: "Sequence[Shown]", blanks: "Sequence[Blank]", approve: str) -> None:
    if mails:
        say(f"approve exactly these: {approve}")
        say(f"next: outreach send {campaign.name}   (a dry run: nothing leaves without --live)")
    elif blanks:
        say(f"next: outreach check {campaign.sequence}   (names the file and line where a template is to blame)")


def _found(app: "App", campaign: "Campaign", writer: "Writer", who: str, step: int | None) -> "list[Shown | Blank]":
    from outreach.flows.preview import preview as run

    if step and step > len(writer.sequence.steps):
        raise UsageError(
            f"{campaign.sequence} has {count(len(writer.sequence.steps), 'step')}.", hint="name one of them"
        )
    founder_id = app.store.people.get_founder(who).id if who else None
    found = run(
        app.store, campaign, writer, founder_id=founder_id, step=step, now=app.clock.now(), zone=app.settings.zone
    )
    if who and not found:
        raise NotFound(
            f"{who} is not in {campaign.name}, or the sequence is over.", hint=f"outreach campaign show {campaign.name}"
        )
    return found


def _approve_command(campaign: str, who: str, step: int | None, digest: str) -> str:
    whom = f" {quote(who)}" if who else ""
    which = f" --step {step}" if step else ""
    return f"outreach preview {campaign}{whom}{which} --approve {digest}"


def _approve(app: "App", mails: "Sequence[Shown]", expected: str, *, json: bool) -> None:
    from outreach.flows.preview import approve as run

    number = run(app.store, mails, expected, app.clock.now())
    if json:
        show_json({"approved": number})
        return
    show(f"{count(number, 'mail')} approved; if a template or a fact changes before they are queued, they are held")
    say("only approved mails go with: outreach send --approved")


def _json(mails: "Sequence[Shown]", blanks: "Sequence[Blank]") -> dict[str, Any]:
    from outreach.flows.preview import batch_hash

    held = [{"founder": b.founder.id, "name": b.founder.full_name, "reasons": list(b.reasons)} for b in blanks]
    return {"messages": [_preview_json(mail) for mail in mails], "held": held, "hash": batch_hash(mails)}


def _preview_json(mail: "Shown") -> dict[str, Any]:
    return {
        "founder": mail.founder.id,
        "name": mail.founder.full_name,
        "address": mail.address,
        "from": _from(mail),
        "step": mail.step,
        "variant": mail.variant,
        "subject": mail.subject,
        "text": mail.text,
        "message_id": mail.message_id,
        "sha256": mail.sha256,
        "state": mail.state,
        "findings": [{"rule": each.rule, "message": each.message, "place": each.place} for each in mail.findings],
        "waits": list(mail.waits),
        "approval": mail.approval,
    }


def _from(mail: "Shown") -> str:
    return dict(mail.seen.headers).get("From", "")


def _show_mails(mails: "Sequence[Shown]") -> None:
    several = len({_from(mail) for mail in mails}) > 1
    for mail in mails:
        company = f", {mail.founder.company.name}" if mail.founder.company else ""
        variant = f" · variant {mail.variant}" if mail.variant else ""
        show(
            f"── {mail.founder.full_name}{company} · step {mail.step}{variant} · {mail.state} ".ljust(
                min(78, screen_width()), "─"
            )
        )
        if several:
            show(f"From: {_from(mail)}")
        show(f"To: {mail.founder.full_name} <{mail.address}>")
        show(f"Subject: {mail.subject}")
        for file in mail.seen.files:
            show(f"Attached: {file.name} ({max(1, round(file.size / 1000))} kB)")
        show()
        show(mail.text.rstrip("\n"))
        show()
        for line in [*(f"not now: {reason}" for reason in mail.waits), *map(str, mail.findings), mail.approval]:
            if line:
                show(f"  • {line}")


def _show_diff(left: "Sequence[Shown | Blank]", right: "Sequence[Shown | Blank]", *, json: bool) -> None:
    """Two mails line by line: what is the same for both is the template's, the rest is theirs."""
    from difflib import unified_diff

    from outreach.flows.preview import Shown

    pairs = [each for each in (*left[:1], *right[:1]) if isinstance(each, Shown)]
    if len(pairs) < 2:
        raise UsageError("both must have a mail to compare.", hint="name two people: preview CAMPAIGN WHO --diff WHO2")
    before, after = (f"Subject: {mail.subject}\n\n{mail.text}".splitlines() for mail in pairs)
    names = [mail.founder.full_name for mail in pairs]
    lines = list(unified_diff(before, after, names[0], names[1], lineterm="", n=1))
    if json:
        show_json({"founders": [mail.founder.id for mail in pairs], "diff": lines})
        return
    for line in lines:
        show(line)
    if not lines:
        show("both get the same words")


def _write_files(folder: Path, mails: "Sequence[Shown]") -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for mail in mails:
            (folder / f"{mail.founder.id:05d}-step{mail.step}.eml").write_bytes(mail.mime)
    except OSError as error:
        raise UsageError(
            f"the mails cannot be written to {folder}: {error.strerror}.", hint="name a folder of yours"
        ) from None
    say(f"{count(len(mails), 'file')} written to {folder}")


def _write_page(
    app: "App",
    path: Path,
    campaign: "Campaign",
    writer: "Writer",
    found: "Sequence[Shown | Blank]",
    command: str,
    *,
    force: bool,
) -> None:
    from outreach.cli._page import preview_page
    from outreach.flows.preview import NOT_SENT, Shown

    if not any(isinstance(mail, Shown) and mail.state == NOT_SENT for mail in found):
        command = ""
    made = app.clock.now().astimezone(app.settings.zone)
    page = preview_page(campaign, writer.sequence, found, command=command, made=made)
    write_private(path, page, force=force or is_our_page(path))
    say(f"{path.resolve()} written: open it in a browser")


def _write_lines(app: "App", campaign: "Campaign", path: Path) -> None:
    from outreach.flows.lines import HEADERS, line_rows

    rows = line_rows(app.store.people.enrolled(campaign.id))
    export(path, HEADERS, (dict(zip(HEADERS, row, strict=True)) for row in rows), raw=True)
    say(f"{path} written: fill the last column, then outreach import-lines {path}")
