"""What a person does with an answer: a label, a note, an answer of their own."""

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import say, show, show_json
from outreach.cli._shell import Json, shell
from outreach.errors import UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import Founder, Reply

ID = Annotated[int, typer.Argument(metavar="ID", help="The reply's number in `outreach replies`.")]
LABELS = ("interested", "interview", "offer", "not-now", "no", "wrong-person")
"""Those that the funnel and the reminders know; any other word is the user's own."""
_OPENERS = {"darwin": "open", "win32": "explorer"}


def label(
    context: typer.Context,
    reply_id: ID,
    text: Annotated[str, typer.Argument(metavar="LABEL", help="interested, interview, offer, not-now, no, …")],
    until: Annotated[str, typer.Option(metavar="DATE", help="With not-now: remind me on this day.")] = "",
    referral: Annotated[
        str, typer.Option(metavar="'NAME <ADDRESS>'", help="With wrong-person: the right one, added to the company.")
    ] = "",
    json: Json = False,
) -> None:
    """Say what an answer means: interested, interview, offer, not-now, no, wrong-person, or a word of your own.

    An empty word takes the label back.

    Example: outreach replies label 12 not-now --until 2026-09-01
    """
    plain = "-".join(text.lower().split())
    with shell(context).app() as app:
        remind_on = _day(until, app.clock.now().astimezone(app.settings.zone).date())
        reply = app.store.replies.get(reply_id)
        added = _refer(app, reply, referral) if referral else None
        reply = app.store.replies.label(reply_id, plain, app.clock.now(), remind_on=remind_on)
    told = f"reply {reply.id} is {reply.label or 'unlabelled'}" + (
        f"; it comes back on {remind_on}" if remind_on else ""
    )
    tell_changed(reply, told, json=json)
    if added and not json:
        company = f" of {added.company.name}" if added.company else ""
        show(f"{added.full_name}{company} is founder {added.id} now; nobody writes to them until you enroll them")
    if plain and plain not in LABELS:
        say(f"{plain} is a label of your own, which `outreach report` does not count; it knows {', '.join(LABELS)}")
    if plain == "not-now" and not until:
        say(f"to be reminded: outreach replies label {reply.id} not-now --until DATE")


def note(
    context: typer.Context,
    reply_id: ID,
    text: Annotated[str, typer.Argument(help="Anything to remember; empty takes it back.")],
    json: Json = False,
) -> None:
    """Write something beside an answer.

    Example: outreach replies note 12 "call on Thursday"
    """
    with shell(context).app() as app:
        reply = app.store.replies.note(reply_id, text)
    tell_changed(reply, f"noted beside reply {reply.id}", json=json)


def answer(
    context: typer.Context,
    reply_id: ID,
    draft: Annotated[bool, typer.Option("--draft", help="Put a draft into the mailbox's folder for drafts.")] = False,
    link: Annotated[bool, typer.Option("--print", help="Print the mailto: link instead of opening it.")] = False,
) -> None:
    """Answer in your own mail program, in the thread: opened with who, subject and quote filled in. Nothing is sent.

    Example: outreach replies answer 12 --draft
    """
    from outreach.core.answer import draft_bytes, mailto, plan_answer
    from outreach.core.inbound import read_mail

    with shell(context).app() as app:
        reply = app.store.replies.get(reply_id)
        if not reply.from_address:
            raise UsageError(f"reply {reply.id} has no sender to answer.", hint=f"outreach replies show {reply.id}")
        head = read_mail(app.store.replies.raw(reply_id), reply.received_at).headers
        planned = plan_answer(reply, (*head.ids("references", "in-reply-to"), *head.ids("message-id")))
        if draft:
            box = app.box_of(app.store.replies.thread_mailbox(reply_id)) or app  # the thread's own mailbox
            folder = box.file_draft(draft_bytes(planned, box.sender, box.new_message_id(), app.clock.now()))
            show(f"a draft to {planned.to} lies in {folder}; finish and send it there")
            return
    url = mailto(planned)
    if link or not _opened(url):
        show(url)
    else:
        show(f"opened in your mail program: to {planned.to}, {planned.subject}")


def tell_changed(reply: "Reply", text: str, *, json: bool) -> None:
    if json:
        show_json(document(reply))
    else:
        show(text)


def document(reply: "Reply") -> dict[str, Any]:
    """The JSON that scripts rely on."""
    return {
        "id": reply.id,
        "kind": reply.kind,
        "subkind": reply.subkind,
        "from": reply.from_address,
        "name": reply.founder or reply.from_name,
        "subject": reply.subject,
        "received_at": reply.received_at,
        "campaign": reply.campaign or None,
        "step": reply.step,
        "founder": reply.founder_id,
        "text": reply.text,
        "inline": reply.inline,
        "evidence": list(reply.evidence),
        "failures": [dict(failure) for failure in reply.failures],
        "returns_on": reply.returns_on or None,
        "attachments": [dict(part) for part in reply.attachments],
        "guess": {"meaning": reply.guess, "words": reply.guess_evidence} if reply.guess else None,
        "label": reply.label or None,
        "remind_on": reply.remind_on or None,
        "note": reply.note or None,
        "trouble": reply.trouble or None,
    }


def _day(text: str, today: date) -> str:
    if not text:
        return ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text} is not a date.", hint="write it as 2026-09-01") from None
    if day <= today:
        raise UsageError(f"{text} is over.", hint="name a day to come")
    return day.isoformat()


def _refer(app: "App", reply: "Reply", referral: str) -> "Founder":
    """The right person, added as a founder of the same company, by an import of one row: so `why` knows from where."""
    from outreach.cli._one_row import add_row

    name, address = _person(referral)
    if reply.founder_id is None:
        raise UsageError(f"nobody knows whom reply {reply.id} is about.", hint="add the person with `outreach import`")
    company = app.store.people.get_founder(str(reply.founder_id)).company
    found = add_row(app, f"referral-by-reply-{reply.id}.csv", name, address, company)
    if found is None:
        raise UsageError(f"{address} could not be added.", hint="add the person with `outreach import`")
    return found


def _person(text: str) -> tuple[str, str]:
    from email.utils import parseaddr

    name, address = parseaddr(text)
    if not name.strip() or "@" not in address:
        raise UsageError(f"{text} is not a person.", hint='write it as "Cy Doe <cy@acme.example>"')
    return name.strip(), address


def _opened(url: str) -> bool:
    """By the system's own opener, without a shell; False where there is none or no screen."""
    import os
    import shutil
    import subprocess

    opener = shutil.which(_OPENERS.get(sys.platform, "xdg-open"))
    screen = sys.platform in _OPENERS or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not opener or not screen:
        return False
    try:
        done = subprocess.run(  # noqa: S603  the link is built by us and percent-encoded; no shell
            [opener, url], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
