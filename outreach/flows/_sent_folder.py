"""Our own mails in the Sent folder. Compared here, never searched for: a server's search misses ids, and foreign text
has no place in a command."""

from collections.abc import Collection, Sequence
from datetime import datetime

from outreach.core.inbound import read_head
from outreach.core.message import message_id_of
from outreach.core.normalize import address_key
from outreach.core.ports import Cursor, Inbox
from outreach.core.sent_log import Story


def filed_mails(inbox: Inbox, sender: str, since: datetime, others: Collection[str] = ()) -> dict[str, Story]:
    """What this sender sent, by the Message-ID it left with: some providers change it, but leave the token. One folder
    may also hold what the owner's `others` addresses sent. Closes the inbox."""
    foreign = {address_key(other) for other in others} - {address_key(sender)}
    found = {}
    try:
        for folder in inbox.folders():
            if folder.role != "sent":
                continue
            for incoming in inbox.fetch(folder, None, _none_known, since, _heads_only):
                if isinstance(incoming, Cursor):
                    continue
                mail = read_head(incoming.raw, incoming.received_at)
                if address_key(mail.from_address) in foreign:
                    continue
                token = mail.headers.raw("x-outreach-id").strip()
                message_id = message_id_of(token, sender) if token else mail.message_id
                found[message_id] = Story(
                    message_id, "sent", at=mail.sent_at.isoformat(), rcpt=next(iter(mail.to), ""), mailbox=sender
                )
    finally:
        inbox.close()
    return found


def _none_known(_keys: Sequence[str]) -> Sequence[str]:
    return ()


def _heads_only(heads: Sequence[bytes]) -> Sequence[bool]:
    return [False] * len(heads)
