"""Mails the planned messages to their author, to be looked at in a real mail program. Nothing is recorded."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from outreach.core.message import build_copy
from outreach.core.ports import Envelope, Outcome, SendResult, Transport
from outreach.core.records import Sender


def rehearse(
    transport: Transport, mails: Sequence[tuple[str, bytes]], sender: Sender, now: datetime
) -> list[SendResult]:
    """Send each (recipient, message) to `sender`, the real recipient in its subject; stop at the first one refused."""
    results = []
    for recipient, mime in mails:
        message = build_copy(mime, sender=sender, tag=recipient, date=now, token=f"rehearsal-{uuid4().hex}")
        envelope = Envelope(sender.address, sender.address, message.mime)
        results.append(transport.stage(envelope) or transport.commit())
        if results[-1].outcome is not Outcome.ACCEPTED:
            break
    return results
