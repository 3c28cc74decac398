"""Whose turn it is among the messages that one mailbox is to send. Knows no store and no server."""

from collections.abc import Collection, Sequence
from datetime import datetime

from outreach.core.pacing import Limits, Slot, closed_until
from outreach.core.records import OutboxItem
from outreach.core.zones import zone_info


class Turns:
    """The messages that wait, in the order in which they go."""

    def __init__(self, items: Sequence[OutboxItem], limits: Limits) -> None:
        self._waiting, self._limits = list(items), limits
        self._held: dict[int, Slot] = {}
        """Messages whose turn comes later than that of others, by their id."""

    def __len__(self) -> int:
        return len(self._waiting)

    def ids(self) -> list[int]:
        return [item.id for item in self._waiting]

    def first(self, now: datetime) -> tuple[OutboxItem | None, Slot]:
        """The first message whose turn has come; or none, and the soonest slot of those that wait."""
        soonest: Slot | None = None
        for item in self._waiting:
            slot = self._slot(item, now)
            if slot.at <= now:
                return item, slot
            soonest = slot if soonest is None or slot.at < soonest.at else soonest
        return None, soonest or Slot(now)

    def due(self, now: datetime) -> OutboxItem | None:
        """The first that is due, whatever the hour."""
        return next((item for item in self._waiting if item.due_at <= now), None)

    def take(self, item: OutboxItem) -> None:
        self._waiting.remove(item)

    def put_back(self, item: OutboxItem) -> None:
        """It is the first again."""
        self._waiting.insert(0, item)

    def hold(self, item: OutboxItem, slot: Slot) -> None:
        """It waits until then, while others go."""
        self._held[item.id] = slot

    def keep(self, ids: Collection[int]) -> list[OutboxItem]:
        """Let only these wait on; the others."""
        gone = [item for item in self._waiting if item.id not in ids]
        self._waiting = [item for item in self._waiting if item.id in ids]
        return gone

    def _slot(self, item: OutboxItem, now: datetime) -> Slot:
        """When this message's turn comes, as far as it depends on itself and its recipient."""
        held = self._held.get(item.id)
        if held and held.at > now:
            return held
        if item.due_at > now:
            return Slot(item.due_at, "gap" if item.due_at - now <= self._limits.max_gap else "not-due")
        return closed(item, self._limits, now) or Slot(now)


def closed(item: OutboxItem, limits: Limits, now: datetime) -> Slot | None:
    """The next working hours of the recipient, where it is not their hour now."""
    return closed_until(limits, now, zone_info(item.zone) if item.zone else None)
