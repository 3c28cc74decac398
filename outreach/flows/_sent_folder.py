"""Our own mails in the Sent folder. Compared here, never searched for: a server's search misses ids, and foreign text
has no place in a command."""

from collections.abc import Sequence
from datetime import datetime

from outreach.core.inbound import read_head
from outreach.core.message import message_id_of
from outreach.core.ports import Cursor, Inbox
from outreach.core.sent_log import Story


def filed_mails(inbox: Inbox, sender: str, since: datetime) -> dict[str, Story]:
    """By the Message-ID they left with: some providers change it, but leave the token. Closes the inbox."""
    found = {}
    try:
        for folder in inbox.folders():
            if folder.role != "sent":
                continue
            for incoming in inbox.fetch(folder, None, _none_known, since, _heads_only):
                if isinstance(incoming, Cursor):
                    continue
                mail = read_head(incoming.raw, incoming.received_at)
                token = mail.headers.raw("x-outreach-id").strip()
                message_id = message_id_of(token, sender) if token else mail.message_id
                found[message_id] = Story(message_id, "sent", at=mail.sent_at.isoformat(), rcpt=next(iter(mail.to), ""))
    finally:
        inbox.close()
    return found


def _none_known(_keys: Sequence[str]) -> Sequence[str]:
    return ()


def _heads_only(heads: Sequence[bytes]) -> Sequence[bool]:
    return [False] * len(heads)
