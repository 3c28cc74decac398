"""What a plan to send is made under, and what it says."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from outreach.core.pacing import Limits
from outreach.core.records import Campaign, Enrollment, Founder, Mailbox, OutboxItem
from outreach.core.zones import Zone
from outreach.flows._writer import Writer, Written

Later = tuple[datetime, str]
"""When somebody's turn comes, and their time zone, empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which a run sends from one mailbox. With `wait` it stays until everyone whose turn comes within 24 hours is
    through."""

    mailbox: Mailbox
    limits: Limits
    wait: bool = False
    allowed: Callable[[str], bool] = lambda _address: True
    """Whether an address may be written to at all: a test profile allows few."""
    approved_only: bool = False
    """Only mails go that a person has approved one by one, or with the batch they were shown in."""
    unusable: str = ""
    """Why the mailbox cannot be used at all now: its people wait for it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that may be queued, with the moment it is planned for."""

    campaign: Campaign
    enrollment: Enrollment
    founder: Founder
    step: int
    written: Written
    due_at: datetime
    zone: Zone


@dataclass(frozen=True, slots=True)
class Held:
    """A founder who is not written to now, and every reason."""

    founder: Founder
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What a plan has for one mailbox: `size` mails now; `later` more must wait for `next_at`, because of `reason`."""

    mailbox: Mailbox
    size: int
    later: int
    next_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do now. `queued` are waiting already, `ready` would be queued; together, in this order, they are
    the batch. `stale` are follow-ups more than a week late: they are queued, but a person must release them. `later`
    more are due but must wait for `next_at`, because of `reason`. `ended` are enrollments that are over."""

    queued: tuple[OutboxItem, ...] = ()
    ready: tuple[Ready, ...] = ()
    held: tuple[Held, ...] = ()
    stale: tuple[Ready, ...] = ()
    later: int = 0
    next_at: datetime | None = None
    reason: str = ""
    ended: Mapping[int, str] = field(default_factory=dict)
    shares: tuple[Share, ...] = ()
    """The same for each mailbox; the plan's own `next_at` and `reason` are those of the mailbox that goes on first."""

    @property
    def size(self) -> int:
        return len(self.queued) + len(self.ready)

    def first(self, limit: int) -> "Plan":
        """The same plan with the first `limit` of its mails."""
        queued = self.queued[:limit]
        ready = self.ready[: max(0, limit - len(queued))]
        left = self.size - len(queued) - len(ready)
        sizes = Counter([item.mailbox_id for item in queued] + [mail.enrollment.mailbox_id for mail in ready])
        shares = [
            replace(share, size=sizes[share.mailbox.id], later=share.later + share.size - sizes[share.mailbox.id])
            for share in self.shares
        ]
        return replace(
            self,
            queued=queued,
            ready=ready,
            later=self.later + left,
            reason="limit" if left else self.reason,
            shares=tuple(shares),
        )


Work = Sequence[tuple[Campaign, Writer]]
