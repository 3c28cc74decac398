"""What `sent.log` tells: of each message whether it left, or may have. It outlives a store that is restored."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

_HARMLESS = ("void", "refused")
"""Kinds of entries after which the message is surely not at the server."""
ADOPTED = "adopted"
"""A person has settled what this log knows of a message that the store does not: in the store that went through this
adoption, and not in one that is put back from before it."""


@dataclass(frozen=True, slots=True)
class Story:
    """One message in the log. `left`: "sent", "unknown" or empty; `tries` are the tokens of all that may have left,
    `open` the one without an outcome; the rest is what the newest entry that says it says."""

    message_id: str
    left: str = ""
    open: str = ""
    tries: frozenset[str] = frozenset()
    at: str = ""
    campaign: str = ""
    step: int = 0
    founder: int = 0
    rcpt: str = ""
    mailbox: str = ""

    @property
    def may_have_left(self) -> bool:
        return bool(self.left)


def read_log(entries: Iterable[Mapping[str, Any]], adoptions: Collection[str] = ()) -> dict[str, Story]:
    """Message-ID → its story; what one of these adoptions has settled is not told any more."""
    told: dict[str, Story] = {}
    for entry in entries:
        message_id, kind = str(entry.get("message_id")), str(entry.get("kind"))
        if kind == ADOPTED:
            if entry.get("adoption") in adoptions:
                told.pop(message_id, None)
            continue
        story = _with_facts(told.get(message_id, Story(message_id)), entry)
        if kind == "intent":
            token = str(entry.get("token") or "?")
            told[message_id] = replace(story, open=token, tries=story.tries | {token})
        else:
            tries = story.tries - {story.open} if kind in _HARMLESS else story.tries
            told[message_id] = replace(story, open="", tries=tries, left=_left(story.left, kind))
    return told


def accepted(entries: Iterable[Mapping[str, Any]]) -> dict[str, tuple[datetime, str]]:
    """Token → when the server took that try, and with which words: noted as soon as it was read, before the store."""
    return {
        str(entry["token"]): (datetime.fromisoformat(entry["at"]), str(entry.get("text")))
        for entry in entries
        if entry.get("kind") == "sent" and entry.get("token")
    }


def _left(so_far: str, kind: str) -> str:
    if kind == "sent" or so_far == "sent":
        return "sent"
    return so_far if kind in _HARMLESS else "unknown"


def _with_facts(story: Story, entry: Mapping[str, Any]) -> Story:
    known = {name: entry[name] for name in ("at", "campaign", "step", "founder", "rcpt", "mailbox") if entry.get(name)}
    return replace(story, **known)
