"""Frees what dead workers left: their claims go back to the queue, what they meant to send becomes a doubt."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from outreach.core.delivery import decide
from outreach.core.ports import Outcome, Phase, SendResult
from outreach.core.records import OutboxState
from outreach.core.sent_log import accepted
from outreach.store.claims import Claim, Held
from outreach.store.store import Store

LogEntries = Iterable[Mapping[str, Any]]


def recover(store: Store, is_dead: Callable[[str], bool], now: datetime, log: LogEntries = ()) -> list[int]:
    """Free what dead workers left: claims go back to the queue, intents become doubts. The ids of the new doubts."""
    store.claims.expire(now)
    doubts = find_doubts(store, is_dead, now, log)
    for held in store.claims.held(OutboxState.CLAIMED):
        if held.lease_expires_at <= now or is_dead(held.owner):
            store.claims.reap(held, now)
    return doubts


def find_doubts(store: Store, is_dead: Callable[[str], bool], now: datetime, log: LogEntries = ()) -> list[int]:
    """Intents whose worker is dead become doubts, so that whoever looks sees them; their ids. Where the sent log has
    the server's own word on that very try, which the worker noted before it died, there is no doubt: it is sent."""
    dead = [
        held for held in store.claims.held(OutboxState.SENDING) if held.lease_expires_at <= now or is_dead(held.owner)
    ]
    taken = accepted(log) if dead else {}
    for held in dead:
        if held.token in taken:
            _take_its_word(store, held, *taken[held.token])
    return [held.id for held in dead if held.token not in taken and store.claims.reap(held, now)]


def _take_its_word(store: Store, held: Held, at: datetime, text: str) -> None:
    item, result = store.outbox.get(held.id), SendResult(Outcome.ACCEPTED, Phase.DOT, 250, text=text, provider_id=text)
    decision = decide(result, attempts=item.attempts, now=at)
    store.claims.settle(Claim(item, held.token, item.attempts), OutboxState.SENDING, result, decision, at)
