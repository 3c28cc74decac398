"""What an edited template still reaches. Mails that are queued or gone keep the words they were written with; the next
ones get the new."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outreach.core.records import Campaign, OutboxState, Step
from outreach.core.records import Sequence as Steps
from outreach.core.variants import every_variant
from outreach.store.store import Store

_WAITING = frozenset((OutboxState.QUEUED, OutboxState.CLAIMED, OutboxState.HELD))
_GONE = frozenset((OutboxState.SENT, OutboxState.SENDING, OutboxState.UNKNOWN))


@dataclass(frozen=True, slots=True)
class Edit:
    """A step that was edited since mails were written from it: how many have gone with older words, and who waits in
    the outbox with them."""

    step: Step
    gone: int
    waiting: tuple[str, ...]

    def __str__(self) -> str:
        said = []
        if self.waiting:
            some = ", ".join(self.waiting[:3]) + (f" and {len(self.waiting) - 3} more" if len(self.waiting) > 3 else "")
            said.append(f"{len(self.waiting)} already in the outbox keep the old words ({some})")
        if self.gone:
            said.append(f"{self.gone} went with them")
        return f"{self.step.path} was edited: {'; '.join(said)}; everyone after that gets the new"


def edits(store: Store, campaign: Campaign, sequence: Steps) -> list[Edit]:
    """The steps of a campaign that are not as they were when mails were queued from them."""
    mails = [_Mail(*row) for row in store.outbox.written_from(campaign.id)]
    return [edit for step in sequence.steps for edit in _of_step(step, [mail for mail in mails if mail.template])]


@dataclass(frozen=True, slots=True)
class _Mail:
    step: int
    variant: str
    template: str
    state: OutboxState
    founder: str


def _of_step(step: Step, mails: Sequence[_Mail]) -> Iterator[Edit]:
    for file in every_variant(step):
        older = [
            mail
            for mail in mails
            if (mail.step, mail.variant) == (step.number, file.variant) and mail.template != file.digest
        ]
        waiting = tuple(mail.founder for mail in older if mail.state in _WAITING)
        gone = sum(mail.state in _GONE for mail in older)
        if waiting or gone:
            yield Edit(file, gone, waiting)
