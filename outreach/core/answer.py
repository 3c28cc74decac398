"""An answer to a reply, as a person will write it: whom it goes to, its subject and thread, and what it answers.

It is a draft for the user's own mail program: nothing here is sent.
"""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote, urlencode

from outreach.core.encoding import encode_mailbox, encode_text, header_text
from outreach.core.headers import find_ids
from outreach.core.records import Reply, Sender
from outreach.core.text import plain_text

_MAX_QUOTED = 4_000
_MAX_REFERENCES = 20
_MAX_ID = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything but the words. `references` ends with the id that is answered."""

    to: str
    subject: str
    references: tuple[str, ...]
    quoted: str


def plan_answer(reply: Reply, message_ids: tuple[str, ...]) -> Answer:
    """`message_ids`: the thread as the reply tells it, oldest first, its own id last."""
    subject = header_text(reply.subject)
    threaded = subject if subject.lower().startswith("re:") else f"Re: {subject}".strip()
    said = "\n".join(f"> {line}".rstrip() for line in plain_text(reply.text[:_MAX_QUOTED]).strip().splitlines())
    who = reply.from_name or reply.from_address
    quoted = f"\n\nOn {reply.received_at:%a, %d %b %Y}, {header_text(who)} wrote:\n{said}\n" if said else "\n"
    return Answer(reply.from_address, threaded, _clean(message_ids), quoted)


def mailto(answer: Answer) -> str:
    """A link that opens the user's mail program (RFC 6068). Programs that know In-Reply-To keep the thread."""
    fields = {"subject": answer.subject, "body": answer.quoted.replace("\n", "\r\n")}
    if answer.references:
        fields["in-reply-to"] = answer.references[-1]
    return f"mailto:{quote(answer.to, safe='@')}?{urlencode(fields, quote_via=quote)}"


def draft_bytes(answer: Answer, sender: Sender, message_id: str, now: datetime) -> bytes:
    """The answer as a mail that is not finished: for the folder of drafts, threaded."""
    head = [
        ("From", encode_mailbox("From", sender.name, sender.address)),
        ("To", answer.to),
        ("Subject", encode_text("Subject", answer.subject)),
        ("Date", format_datetime(now)),
        ("Message-ID", message_id),
        *(
            (("In-Reply-To", answer.references[-1]), ("References", "\r\n ".join(answer.references)))
            if answer.references
            else ()
        ),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
    ]
    lines = "".join(f"{name}: {value}\r\n" for name, value in head)
    return f"{lines}\r\n{answer.quoted}".replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "replace")


def _clean(message_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Ids of received mail become part of a header: only such that are plain and short."""
    plain = [each for text in message_ids for each in find_ids(text) if each.isascii() and each.isprintable()]
    return tuple(dict.fromkeys(each for each in plain if len(each) <= _MAX_ID and " " not in each))[-_MAX_REFERENCES:]
