"""`outreach mailboxes …`: from where mails go, what each mailbox may still send, and whether it works."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, local, say, show, show_json, show_table
from outreach.cli._shell import DONE_IN_PART, Json, listing, shell

if TYPE_CHECKING:
    from outreach.bootstrap import App

NAME = Annotated[str, typer.Argument(metavar="NAME", help="The mailbox's name, or its address.")]


def register(app: typer.Typer) -> None:
    group = listing("The mailboxes that you send from: .env, and a file mailboxes/NAME.env for each further one.")
    group.command("list")(list_mailboxes)
    group.command("check")(check)
    group.command("pause")(pause)
    group.command("resume")(resume)
    app.add_typer(group, name="mailboxes")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a mailbox with settings may still send. `cap_24h` is today's: a new mailbox is warmed up, and a provider's
    own limit is kept."""

    cap_24h: int
    left_24h: int
    cap_1h: int
    left_1h: int
    daily_cap: int
    ceiling: int
    next_free_at: datetime | None


def standings(app: "App") -> list[dict[str, Any]]:
    """Every mailbox of the store, those with settings first; `name` is None where there are none."""
    from outreach.core.pacing import DAY

    for box in app.boxes:
        _ = box.mailbox_id  # made on first use
    found = {health.address: health for health in app.store.report.mailboxes(app.clock.now() - DAY)}
    told: list[dict[str, Any]] = []
    for box in app.boxes:
        health = found.pop(box.mailbox.address)
        told.append({"name": box.name, **asdict(health), **asdict(_allowance(box))})
    return told + [{"name": None, **asdict(health)} for health in found.values()]


def _allowance(box: "App") -> Allowance:
    from outreach.core.pacing import UNTIL_FIXED, left, next_slot, on_day

    mailbox, now = box.mailbox, box.clock.now()
    booked = box.store.bookings.booked(mailbox.id, box.limits, (), now)
    limits = on_day(box.limits, mailbox, box.store.bookings.sent_by_day(mailbox.id), now)
    hour, day = left(booked, limits, now)
    free_at = next_slot(booked, limits, max(now, mailbox.paused_until or now)).at
    return Allowance(
        limits.daily_cap, day, limits.hourly_cap, hour, box.limits.daily_cap, limits.ceiling,
        free_at if free_at < UNTIL_FIXED else None,
    )  # fmt: skip


def list_mailboxes(context: typer.Context, json: Json = False) -> None:
    """Each mailbox: what it sent in 24 hours and in the last one, of how much; when it is free again; whether it rests.

    Example: outreach mailboxes
    """
    with shell(context).app() as app:
        found, zone, now = standings(app), app.settings.zone, app.clock.now()
        folder = app.workspace.mailboxes.name
    if json:
        show_json({"mailboxes": found, "total": len(found)})
        return
    show_table(
        ("name", "address", "24 h", "1 h", "people", "free"),
        [
            (each["name"] or "-", each["address"], *_used(each), each["people"], _free(each, now, zone))
            for each in found
        ],
    )
    for each in found:
        if each["paused_until"] and each["paused_until"] > now:
            show(f"{each['address']} rests: {each['pause_reason']}")
        if each["name"] is None and each["people"]:
            show(f"{each['address']} has no settings here; waiting for it: {count(each['people'], 'person', 'people')}")
    say(f"another one: write {folder}/NAME.env, with OUTREACH_FROM and its servers; then outreach mailboxes check NAME")


def _used(each: dict[str, Any]) -> tuple[str, str]:
    if each["name"] is None:
        return str(each["sent_24h"]), ""
    cap, left = each["cap_24h"], each["left_24h"]
    warming = f" (later {each['daily_cap']})" if cap < each["daily_cap"] else ""
    return f"{each['sent_24h']} of {cap}, {left} left{warming}", f"{each['left_1h']} of {each['cap_1h']} left"


def _free(each: dict[str, Any], now: datetime, zone: Any) -> str:
    if each["name"] is None:
        return "no settings here"
    if each["next_free_at"] is None:
        return "when you act"
    return "now" if each["next_free_at"] <= now else local(each["next_free_at"].astimezone(zone))


def check(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Default: all of them.")] = "",
    json: Json = False,
) -> None:
    """Does each mailbox work: its clock, its mail server and login, its inbox and Sent folder? Nothing is sent.

    Example: outreach mailboxes check sales
    """
    from outreach.cli.doctor import tell
    from outreach.doctor import examine_mailbox

    with shell(context).app() as app:
        boxes = (app.box(name),) if name else app.boxes
        wrong = tell((finding for box in boxes for finding in examine_mailbox(box)), json=json)
    if wrong:
        raise typer.Exit(DONE_IN_PART)


def pause(context: typer.Context, name: NAME) -> None:
    """Let nothing go from a mailbox until it is resumed. Whoever it writes to waits for it.

    Example: outreach mailboxes pause sales
    """
    from outreach.core.pacing import UNTIL_FIXED

    with shell(context).app() as app:
        box = app.box(name)
        app.store.campaigns.pause_mailbox(box.mailbox_id, UNTIL_FIXED, "by hand")
    show(f"{box.sender.address} rests")
    say(f"to let it send again: outreach mailboxes resume {box.name}")


def resume(context: typer.Context, name: NAME) -> None:
    """Let a mailbox send again that waits for you. What rests for a time goes on resting.

    Example: outreach mailboxes resume sales
    """
    with shell(context).app() as app:
        box, now = app.box(name), app.clock.now()
        app.store.campaigns.wake_mailbox(box.mailbox_id)
        mailbox = box.mailbox
    if mailbox.paused_until and mailbox.paused_until > now:
        until = local(mailbox.paused_until.astimezone(box.settings.zone))
        show(f"{mailbox.address} rests until {until} all the same: {mailbox.pause_reason}")
    else:
        show(f"{mailbox.address} may send")


def summary(each: dict[str, Any], now: datetime, zone: Any, *, several: bool) -> str:
    """One line of `outreach status`."""
    rests = each["paused_until"] and each["paused_until"] > now
    paused = f", paused: {each['pause_reason']}" if rests else ""
    read = f"inbox read {local(each['synced_at'].astimezone(zone))}" if each["synced_at"] else "inbox never read"
    by_hand = f" and {each['by_hand_24h']} by hand" if each["by_hand_24h"] else ""
    learned = f", at most {each['learned_cap']} a day since the provider's limit" if each["learned_cap"] else ""
    if each["name"] is None:
        waiting = f"; waiting for it: {count(each['people'], 'person', 'people')}" if each["people"] else ""
        return f"{each['address']}: no settings here{waiting}"
    name = f"{each['name']}, " if several else ""
    of = f" of {each['cap_24h']}" if several else ""
    return f"{name}{each['address']}: {each['sent_24h']}{of} sent{by_hand} in 24 h, {read}{learned}{paused}"
