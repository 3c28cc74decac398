"""`outreach doctor`: does everything work, and what to do where it does not."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from outreach.cli._desks import locked
from outreach.cli._output import count, is_terminal, say, show, show_json
from outreach.cli._shell import DONE_IN_PART, Json, shell
from outreach.errors import SendRefused, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outreach.bootstrap import App
    from outreach.doctor import Finding
    from outreach.store.instance import Adopted


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(
    context: typer.Context,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take a copied or restored store for the one to use from now on.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --adopt: do not ask.")] = False,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Also mail yourself once, and see what your provider makes of it.")
    ] = False,
    json: Json = False,
) -> None:
    """Check everything: store, files, settings, templates, clock, disk, the mail servers, and what DNS
    says of your domain (SPF, DKIM, DMARC). Nothing is changed, and nothing sent but the test to yourself.

    Example: outreach doctor
    """
    if adopt and self_test:
        raise UsageError("--adopt and --self-test do not go together.", hint="outreach doctor --adopt comes first")
    with shell(context).app() as app:
        if adopt:
            found = _adopt(app, yes=yes)
            if json:
                show_json(asdict(found))
            else:
                _show_adopted(found)
            return
        from outreach.doctor import examine

        if self_test and not json:
            say("sending yourself a mail, and waiting up to two minutes for it")
        wrong = tell(examine(app, self_test=self_test), json=json)
    if wrong:
        raise typer.Exit(DONE_IN_PART)


def tell(checks: "Iterable[Finding]", *, json: bool) -> int:
    """Each check as it is answered; how many found something wrong."""
    findings = []
    for finding in checks:
        findings.append(finding)
        if not json:
            show(f"{'ok ' if finding.ok else 'NO '} {finding.check:<12} {finding.says}")
            if not finding.ok and finding.remedy:
                show(f"    {'':<12} → {finding.remedy}")
    wrong = sum(not finding.ok for finding in findings)
    if json:
        show_json({"checks": [asdict(finding) for finding in findings], "failed": wrong})
    else:
        show(f"{count(wrong, 'check')} to look at" if wrong else "all is well")
    return wrong


def _adopt(app: "App", *, yes: bool) -> "Adopted":
    from outreach.flows.adopt import adopt
    from outreach.workspace import workspace_key

    missing, moved = app.store.instance.forgotten(app.journal.entries()), app.copied()
    if not missing and not moved:
        raise SendRefused("this store is the one that was used last: there is nothing to adopt.", hint="outreach send")
    say("this store is " + ("an older copy" if missing else "a copy, or was moved"))
    say(f"sent.log knows {count(len(missing), 'mail')} that it has forgotten; the Sent folder is looked at too")
    if others := sorted(app.store.outbox.senders() - {app.host}):
        say(f"{', '.join(others)} sent with this store too, and only their own sent.log knows what they sent")
        say("run `outreach doctor --adopt` there as well, before anybody sends")
    if not yes:
        if not is_terminal(sys.stdin):
            raise SendRefused("adopting needs someone to agree.", hint="outreach doctor --adopt --yes")
        if not typer.confirm("Is this the only copy that will be used from now on?", err=True):
            raise SendRefused("not adopted: nothing was changed.")
    with locked(app.boxes):
        return adopt(
            app.store,
            journal=app.journal,
            mailboxes=[(box.mailbox, box.inbox() if box.reads_inbox else None) for box in app.boxes],
            here=app.here,
            key=workspace_key(app.workspace, app.store),
            clock=app.clock,
        )


def _show_adopted(found: "Adopted") -> None:
    show(f"{count(len(found.sent), 'mail')} had been sent; {count(len(found.doubtful), 'mail')} in doubt")
    if found.recreated:
        show(f"{count(len(found.recreated), 'message')} put back into the outbox, so that nobody gets a second one")
    for address in found.blocked:
        show(f"not known here, and not to be written to again: {address}")
    if found.doubtful:
        say("look in your Sent folder, then: outreach outbox resolve ID --sent | --resend | --abandon")
    say(f"{count(found.waiting, 'mail')} wait in the outbox; next: outreach send")
