"""Looks for the doubtful mails in the Sent folder. Found is sent; not found proves nothing, and stays a doubt."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from outreach.core.ports import Clock, Inbox
from outreach.core.records import Mailbox, OutboxItem, OutboxState
from outreach.flows._sent_folder import filed_mails
from outreach.store.store import Store

_BEFORE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was looked for: found in the Sent folder, and so sent, or still in doubt."""

    sent: Sequence[OutboxItem] = ()
    doubtful: Sequence[OutboxItem] = ()


def reconcile(store: Store, inbox: Inbox, *, mailbox: Mailbox, clock: Clock, own: Collection[str] = ()) -> Reconciled:
    """The doubts of one mailbox; `own` are the owner's other addresses. Raises MailboxError where the folder cannot be
    read."""
    doubts = store.outbox.items(states=[OutboxState.UNKNOWN], mailbox_id=mailbox.id)
    if not doubts:
        return Reconciled()
    since = min(item.due_at for item in doubts) - _BEFORE
    filed = filed_mails(inbox, mailbox.address, since, own)
    sent = [item for item in doubts if item.message_id in filed]
    for item in sent:
        store.outbox.confirm(item.id, "it lies in the Sent folder", clock.now())
    return Reconciled(sent, [item for item in doubts if item not in sent])
