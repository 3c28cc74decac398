"""A state machine that drives the real flows on the real store: lists come in, mails go out, processes die, answers
arrive, people change their minds, clocks are set, backups are put back. At every dot and after every step the promises
are checked, against what the receiving server saw and against triggers that watch each change of the outbox.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress as ignoring
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from outreach.core.clock import WRONG_BY
from outreach.core.normalize import address_key
from outreach.core.pacing import DAY, FRESH_INBOX, HOUR, Limits, unpaced
from outreach.core.records import CampaignState, Founder, Mailbox, OutboxState
from outreach.core.records import Sender as Owner
from outreach.core.sharing import Room
from outreach.errors import OutreachError, SendRefused
from outreach.flows import curate
from outreach.flows.adopt import adopt
from outreach.flows.enqueue import Conditions, Plan, Writer, enqueue, plan_all
from outreach.flows.enroll import enroll
from outreach.flows.ingest import Source, ingest
from outreach.flows.reconcile import reconcile
from outreach.flows.recover import recover
from outreach.flows.retry import retry
from outreach.flows.send import Sender, send_all
from outreach.flows.suppress import suppress, suppress_all, unsuppress
from outreach.flows.sync import sync
from outreach.flows.why import why
from outreach.importers import Importers, all_importers
from outreach.resources import data_dir
from outreach.store.database import Database
from outreach.store.journal import Journal
from outreach.store.schema import memory_database
from outreach.store.store import Store
from outreach.templating import load_sequence
from tests.factory import KEY, SENDER
from tests.fakes import MONDAY_MORNING, FakeClock
from tests.machine.processes import (
    ANSWERS,
    AT_THE_DOT,
    KILLS,
    TAKEN_UNHEARD,
    Killed,
    Life,
    Line,
    Log,
    MortalDatabase,
    Post,
    Provider,
    Taken,
    holds,
)
from tests.mails import mail, report

LIMITS = Limits(
    daily_cap=4, hourly_cap=2, min_gap=timedelta(seconds=60), max_gap=timedelta(seconds=190),
    window=(time(0), time(23, 59)), weekdays=frozenset(range(7)), zone=ZoneInfo("UTC"), company_daily_cap=1,
    run_limit=50, fresh_inbox=FRESH_INBOX,
)  # fmt: skip
PEOPLE = (
    ("Bo Brightly", "Bo Labs", "bo.example", ("bo@bo.example",)),
    ("Cy Coder", "Cy Works", "cy.example", ("cy@cy.example",)),
    ("Di Dasher", "Cy Works", "cy.example", ("di@cy.example",)),
    ("Ed Early", "Ed Co", "ed.example", ("ed@ed.example", "ed@home.example")),
    ("Fay Fine", "Fay Co", "fay.example", ("fay@fay.example",)),
    ("Gus Grand", "Gus Co", "gus.example", ("gus@gus.example",)),
    ("Hal Hill", "Hal Co", "hal.example", ("hal@hal.example",)),
    ("Bob Brightly", "Bob Ventures", "bob.example", ("bob@bob.example",)),
    ("Bo Brightly", "Bo Labs", "bo.example", ("bo@bo.example", "bob@bob.example")),
    ("Cy Coder", "Cy Works", "cy.example", ("cy@cy.example", "cy@home.example")),
)
"""The last two rows say that somebody has another address: one of them somebody else's."""
ADDRESSES = tuple(dict.fromkeys(address for *_, addresses in PEOPLE for address in addresses))
CAMPAIGNS = ("spring", "autumn")
EVENTS = (
    "suppress", "list of noes", "answer", "pause", "stop", "learn", "merge", "second sender", "suspend", "clock",
)  # fmt: skip
HOURS = st.sampled_from((0, 1, 1, 4, 24, 24, 80))
STEPS = ("claimed", "staged", "logged", "intended", "answered", "owed", "settled")
ANSWER_KINDS = ("reply", "opt-out", "bounce", "away")
AWAY = timedelta(days=5)
"""Whoever is away without a date is left alone for longer than this."""
BETWEEN_FIRST_STEPS = timedelta(days=80)
BY_HAND = frozenset(("suppressed", "opt-out", "bounce"))
"""Reasons that a person's word can lift."""
ABOUT_PEOPLE = frozenset(("suppressed", "opt-out", "reply"))
MAY_MOVE = frozenset((
    *(("queued", to) for to in ("claimed", "cancelled", "held", "unknown", "sent")),
    *(("claimed", to) for to in ("queued", "sending", "failed", "cancelled", "sent", "held", "unknown")),
    *(("sending", to) for to in ("sent", "queued", "failed", "unknown")),
    *(("unknown", to) for to in ("sent", "queued", "failed", "cancelled")),
    *(("held", to) for to in ("queued", "cancelled", "sent", "unknown")),
    ("failed", "queued"),
))  # fmt: skip
ADOPTION_MOVES = frozenset((before, after) for before in ("failed", "cancelled") for after in ("sent", "unknown"))
_WATCH = (
    "CREATE TEMP TABLE moves (message_id TEXT, before TEXT, after TEXT, intended BOOLEAN)",
    (
        "CREATE TEMP TRIGGER moved AFTER UPDATE OF state ON outbox WHEN OLD.state <> NEW.state BEGIN"
        " INSERT INTO moves VALUES (NEW.message_id, OLD.state, NEW.state, OLD.intent_at IS NOT NULL); END"
    ),
    (
        "CREATE TEMP TRIGGER frozen BEFORE UPDATE OF mime, message_id, sha256, step, campaign_id, rcpt ON outbox"
        " WHEN OLD.mime IS NOT NEW.mime OR OLD.message_id IS NOT NEW.message_id OR OLD.sha256 IS NOT NEW.sha256"
        " OR OLD.step IS NOT NEW.step OR OLD.campaign_id IS NOT NEW.campaign_id OR OLD.rcpt IS NOT NEW.rcpt"
        " BEGIN SELECT RAISE(ABORT, 'a queued mail was changed'); END"
    ),
    "CREATE TEMP TRIGGER lasting BEFORE DELETE ON attempts BEGIN SELECT RAISE(ABORT, 'an attempt was deleted'); END",
    (
        "CREATE TEMP TRIGGER unchanged BEFORE UPDATE OF outcome, phase, at, code, text ON attempts"
        " BEGIN SELECT RAISE(ABORT, 'an attempt was changed'); END"
    ),
)


class Broken(AssertionError):
    """A promise of the sending engine does not hold."""


def promise(kept: object, what: str) -> None:
    if not kept:
        raise Broken(what)


@dataclass(frozen=True)
class Noes:
    """Who must not be written to, and what must not go, at the moment before an intent."""

    people: dict[str, str]
    campaigns: frozenset[str]
    at: datetime


@cache
def importers() -> Importers:
    return all_importers()


class Outreach(RuleBasedStateMachine):
    """One workspace over some weeks. `make_store` is where a faulty implementation can be put in."""

    make_store: Callable[[Database, Journal], Store] = Store
    limits = LIMITS
    owners: tuple[Owner, ...] = (SENDER,)
    """Whose mailboxes mails are sent from."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.provider = Provider(self.true_time)
        self.database = memory_database()
        self.sent_log: list[dict[str, Any]] = []
        self.no_log: list[dict[str, Any]] = []
        self.store = self.open(Life("shell"))
        senders = {box.id: owner for box, owner in zip(self.mailboxes, self.owners, strict=True)}
        sequence = load_sequence(data_dir() / "templates" / "job-search")
        self.writer = Writer(sequence, SENDER, KEY, senders=senders)
        self.processes = 0
        self.dead: set[str] = set()
        self.noes: dict[str, set[str]] = {}
        """address → why it must not be written to."""
        self.resting: set[str] = set()
        self.away: dict[str, datetime] = {}
        self.snapshots: dict[str, Noes] = {}
        self.resends, self.copies = Counter[str](), Counter[str]()
        self.dots: list[Taken] = []
        """Those that were not refused."""
        self.reservations: dict[str, list[datetime]] = {}
        """Mailbox → when the intents of its mails were recorded, in true time."""
        self.said_sent: set[str] = set()
        self.backup: tuple[sqlite3.Connection, set[str]] | None = None
        self.adopting = self.restored = self.clock_was_set = False
        self.count = 0
        self.answered: dict[bytes, tuple[str, str]] = {}
        """What arrived → who wrote it, and of what kind it is."""
        self.read: set[bytes] = set()
        for statement in _WATCH:
            self.sql(statement)

    # --- the workspace ------------------------------------------------------------------------------------------

    def true_time(self) -> datetime:
        return MONDAY_MORNING + timedelta(seconds=self.clock.reading().steady)

    def open(self, life: Life) -> Store:
        return type(self).make_store(MortalDatabase(self.database, life), Log(self.no_log, life))

    def sql(self, statement: str, **values: object) -> Sequence[Any]:
        with self.database.write() as connection:
            done = connection.execute(sa.text(statement), values)
            return done.all() if done.returns_rows else ()

    @property
    def mailboxes(self) -> list[Mailbox]:
        return [self.store.campaigns.mailbox(owner.address, self.clock.now()) for owner in self.owners]

    def inbox(self, mailbox: Mailbox) -> Post:
        return Post(self.provider, mailbox.address)

    def names(self) -> list[str]:
        return [campaign.name for campaign in self.store.campaigns.all()]

    def plan(self, store: Store, *, wait: bool = False) -> Plan:
        work = [(each, self.writer) for each in store.campaigns.all() if each.state is not CampaignState.STOPPED]
        conditions = [Conditions(mailbox, self.limits, wait) for mailbox in self.mailboxes]
        return plan_all(store, work, conditions, self.clock.now())

    def put_in_order(self, store: Store) -> None:
        """As every `send` does before anything else."""
        if store.instance.forgotten(self.sent_log):
            raise SendRefused("an older copy")
        for mailbox in self.mailboxes:
            store.bookings.mind_clock(mailbox.id, self.clock.reading())
        recover(store, self.dead.__contains__, self.clock.now(), self.sent_log)

    def read_answers(self, store: Store) -> None:
        own = [owner.address for owner in self.owners]
        for mailbox in self.mailboxes:
            sync(
                store, self.inbox(mailbox), mailbox=mailbox, owner_name=SENDER.name, own=own, clock=self.clock
            )  # fmt: skip
        for _, role, raw, _ in self.provider.arrived:
            if role == "inbox":
                self.heard(raw)

    def heard(self, raw: bytes) -> None:
        address, what = self.answered[raw]
        if what == "away":
            self.away.setdefault(address, self.true_time() + AWAY)
        elif raw not in self.read:
            self.read.add(raw)
            self.refuse([address], what)

    def refuse(self, addresses: Iterable[str], why: str) -> None:
        for address in addresses:
            self.noes.setdefault(address, set()).add(why)

    def of_founder(self, address: str) -> list[str]:
        owner = self.store.people.find_by_address(address_key(address))
        return [address, *(each.address for each in owner.addresses)] if owner else [address]

    def who_said_no(self) -> dict[str, str]:
        """Everyone who is not to be written to by what is committed now: a no is about the person, a bounce about the
        address."""
        found = {address: ", ".join(why) for address, why in self.noes.items() if why}
        for founder in self.store.people.founders({}):
            mine = [each.address for each in founder.addresses]
            if any(self.noes.get(each, set()) & ABOUT_PEOPLE for each in mine):
                found |= dict.fromkeys(mine, "is the same person as somebody who said no")
        if not self.clock_was_set and not self.restored:
            found |= {address: "away" for address, until in self.away.items() if self.true_time() < until}
        return found

    # --- at the dot ---------------------------------------------------------------------------------------------

    def judge(self, life: Life, mail: Taken, answer: str) -> None:
        """Whether this dot may be written."""
        seen = self.snapshots[life.name]
        promise(mail.rcpt not in seen.people, f"{mail.rcpt} is written to: {seen.people.get(mail.rcpt)}")
        promise(mail.campaign not in seen.campaigns, f"{mail.campaign} rests or is over, and wrote to {mail.rcpt}")
        allowed = self.resends[mail.message_id]
        promise(self.copies[mail.message_id] <= allowed, f"a second copy to {mail.rcpt} that nobody ordered")
        others = [dot for dot in self.dots if dot.message_id != mail.message_id]
        same = (mail.campaign, mail.step, mail.rcpt)
        promise(same not in [(o.campaign, o.step, o.rcpt) for o in others], f"{mail.rcpt} gets step {mail.step} twice")
        writers = {o.sender for o in others if (o.campaign, o.rcpt) == (mail.campaign, mail.rcpt)}
        promise(writers <= {mail.sender}, f"{mail.rcpt} hears from {mail.sender} after {writers}")
        if mail.step == 1:
            mine = set(self.of_founder(mail.rcpt))
            recent = [o for o in others if o.step == 1 and o.rcpt in mine and mail.at - o.at < BETWEEN_FIRST_STEPS]
            promise(not recent, f"{mail.rcpt} gets a second first mail, after {recent}")
        if answer not in AT_THE_DOT:
            self.copies[mail.message_id] += 1
            self.dots.append(mail)
            self.reservations.setdefault(mail.sender, []).append(seen.at)

    def find(self, message_id: str) -> tuple[int, str]:
        [row] = self.sql(
            "SELECT o.step, c.name FROM outbox o JOIN campaigns c ON c.id = o.campaign_id WHERE o.message_id = :id",
            id=message_id,
        )
        return row.step, row.name

    # --- a process that sends -----------------------------------------------------------------------------------

    def work(
        self, *, answers: Sequence[str], label: str = "", number: int = 0, limit: int = 50, wait: bool = False,
        step: str = "", event: str = "", at_mail: int = 1,
    ) -> None:  # fmt: skip
        """`event` happens at the so-manieth mail, when the process is at `step`."""
        self.processes += 1
        life = Life(f"process {self.processes}", label, number)
        passed = Counter[str]()

        def then(at: str) -> None:
            passed[at] += 1
            if at == step and event and passed[at] == at_mail:
                self.meanwhile(life, event)
            if at == "logged":
                self.snapshots[life.name] = Noes(self.who_said_no(), frozenset(self.resting), self.true_time())

        life.then = then
        store = self.open(life)
        coming = list(answers)
        senders = [
            Sender(
                store=store, transport=Line(self.provider, life, coming, self.judge, self.find),
                mailbox=mailbox, limits=self.limits, clock=self.clock, journal=Log(self.sent_log, life),
                owner=life.name, chance=lambda: 0.5, wait=wait, at=life.at,
            )
            for mailbox in self.mailboxes
        ]  # fmt: skip
        try:
            self.put_in_order(store)
            self.read_answers(store)
            planned = self.plan(store, wait=wait).first(limit)
            items = enqueue(store, planned, self.clock.now(), paced=self.limits.paced)
            found = send_all([
                (sender, [item for item in items if item.mailbox_id == sender.mailbox.id]) for sender in senders
            ])  # fmt: skip
            errors = [error for report in found for error in report.errors]
            promise(all(isinstance(error, OutreachError) for error in errors), f"{errors!r}")
            in_hand = [held for held in self.held() if held[1] == life.name]
            promise(not in_hand, f"a run that ended still holds {in_hand}")
        except (Killed, KeyboardInterrupt, OutreachError):
            pass
        finally:
            self.dead.add(life.name)

    def held(self) -> list[tuple[int, str, str, int]]:
        """What is in hand; what was answered already, and waits to be recorded, comes last."""
        rows = self.sql(
            "SELECT id, owner, rcpt, founder_id FROM outbox WHERE state IN ('claimed', 'sending') ORDER BY state, id"
        )
        return [(row.id, row.owner, row.rcpt, row.founder_id) for row in rows]

    def meanwhile(self, life: Life, event: str) -> None:  # noqa: C901  one case for each event
        """Another process does something while this one has a mail in hand."""
        mine = [held for held in self.held() if held[1] == life.name]
        rcpt = mine[0][2] if mine else ADDRESSES[0]
        if event == "suppress":
            self.say_no(rcpt, "address")
        elif event == "list of noes":
            self.say_no(rcpt, "list")
        elif event == "answer":
            for earlier in [taken for taken in self.provider.ledger if taken.rcpt == rcpt][:1]:
                self.arrive(earlier, "reply")
                self.read_answers(self.store)
        elif event == "pause":
            self.set_campaigns(CampaignState.PAUSED)
        elif event == "stop":
            self.stop_campaign(CAMPAIGNS[0])
        elif event == "learn":
            self.learn(rcpt)
        elif event == "merge":
            self.merge_with_no(mine[0][3] if mine else 0)
        elif event == "second sender":
            self.work(answers=[])
        elif event == "suspend":
            self.clock.move(timedelta(minutes=20))
            with ignoring(OutreachError):
                self.put_in_order(self.store)
        else:
            self.set_clock(48)

    # --- rules: mails go out ------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.bring(PEOPLE[:8])
        self.new_campaign(CAMPAIGNS[0])

    @rule(hours=HOURS, limit=st.integers(1, 5), wait=st.booleans())
    def send(self, hours: float, limit: int, wait: bool) -> None:
        self.pass_time(hours)
        self.work(answers=[], limit=limit, wait=wait)

    @rule(hours=HOURS, answers=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=3), limit=st.integers(1, 3))
    def send_to_a_bad_server(self, hours: float, answers: list[str], limit: int) -> None:
        self.pass_time(hours)
        self.work(answers=answers, limit=limit)

    @rule(hours=HOURS, label=st.sampled_from(KILLS), number=st.integers(1, 3), answer=st.sampled_from(ANSWERS))
    def send_and_die(self, hours: float, label: str, number: int, answer: str) -> None:
        self.pass_time(hours)
        self.work(answers=[answer], label=label, number=number)

    @rule(
        hours=HOURS, step=st.sampled_from(STEPS), event=st.sampled_from(EVENTS), at_mail=st.sampled_from((1, 1, 2, 3)),
        label=st.sampled_from((*[""] * 6, *KILLS)),
    )  # fmt: skip
    def send_while(self, hours: float, step: str, event: str, at_mail: int, label: str) -> None:
        self.pass_time(hours)
        self.work(answers=[], step=step, event=event, at_mail=at_mail, label=label, number=2)

    @rule(limit=st.integers(1, 5))
    def queue_only(self, limit: int) -> None:
        with ignoring(OutreachError):
            self.put_in_order(self.store)
            enqueue(self.store, self.plan(self.store).first(limit), self.clock.now())

    @rule(hours=HOURS)
    def clear_up(self, hours: float) -> None:
        self.pass_time(hours)
        with ignoring(OutreachError):
            self.put_in_order(self.store)
            for mailbox in self.mailboxes:
                reconcile(self.store, self.inbox(mailbox), mailbox=mailbox, clock=self.clock)

    def in_state(self, *states: OutboxState) -> list[Any]:
        return self.store.outbox.items(states=states)

    @rule(number=st.integers(0, 9), to=st.sampled_from((OutboxState.SENT, OutboxState.QUEUED, OutboxState.CANCELLED)))
    def settle_by_hand(self, number: int, to: OutboxState) -> None:
        """A person settles a doubt, and tries again what failed; where there is neither, a doubt is made."""
        if failed := self.in_state(OutboxState.FAILED, OutboxState.HELD):
            with ignoring(OutreachError):
                retry(self.store, failed[number % len(failed)].id, reason="retried by Ada", clock=self.clock)
        doubts = self.in_state(OutboxState.UNKNOWN)
        if not doubts:
            return self.work(answers=[TAKEN_UNHEARD], limit=1)
        item = doubts[number % len(doubts)]
        word = {OutboxState.SENT: "sent", OutboxState.QUEUED: "sent again", OutboxState.CANCELLED: "abandoned"}[to]
        with ignoring(OutreachError):
            self.store.outbox.resolve(item.id, to, f"{word} by Ada", self.clock.now())
            self.resends[item.message_id] += to is OutboxState.QUEUED
            self.said_sent |= {item.message_id} if to is OutboxState.SENT else set()
            told = {"at": self.clock.now().isoformat(), "kind": word, "message_id": item.message_id}
            Log(self.sent_log, Life("shell")).record(told)
        return None

    # --- rules: answers come ------------------------------------------------------------------------------------

    def arrive(self, earlier: Taken, kind: str) -> None:
        self.count += 1
        texts = {"reply": "Yes, let us talk.", "opt-out": "Please stop, unsubscribe me."}
        message_id = f"<answer-{self.count}@{earlier.rcpt.partition('@')[2]}>"
        if kind == "bounce":
            raw = report(recipient=earlier.rcpt, returned_id=earlier.message_id).replace(
                b"<dsn-1@mx.bo.example>", message_id.encode()
            )
        else:
            fields = {"auto_submitted": "auto-replied", "subject": "Out of office"} if kind == "away" else {}
            text = texts.get(kind, "I am out of office.")
            raw = mail(
                text, sender=f"<{earlier.rcpt}>", date=self.true_time(), message_id=message_id,
                in_reply_to=earlier.message_id, references=earlier.message_id, **fields,
            )  # fmt: skip
        self.answered[raw] = (earlier.rcpt, kind)
        # A person may write to whichever of our addresses they find; a machine answers the one that wrote.
        by_hand = kind in texts
        self.provider.arrive(self.owners[self.count % len(self.owners)].address if by_hand else earlier.sender, raw)

    @rule(number=st.integers(0, 99), kind=st.sampled_from(ANSWER_KINDS), read=st.booleans())
    def answer_comes(self, number: int, kind: str, read: bool) -> None:
        if not self.provider.ledger:
            return self.work(answers=[])
        self.arrive(self.provider.ledger[number % len(self.provider.ledger)], kind)
        if read:
            self.read_answers(self.store)
        return None

    # --- rules: people decide -----------------------------------------------------------------------------------

    def say_no(self, address: str, how: str) -> None:
        who = address.partition("@")[2] if how == "domain" else address
        everyone = self.of_founder(address)
        if how == "list":
            suppress_all(self.store, [who], reason="a list", clock=self.clock)
        else:
            suppress(self.store, who, reason="by hand", clock=self.clock)
        if how == "domain":
            there = [each.address for founder in self.founders() for each in founder.addresses]
            self.refuse([each for each in (*ADDRESSES, *there) if each.endswith(f"@{who}")], f"domain {who}")
        else:
            self.refuse(everyone, "suppressed")

    def take_back_no(self, number: int) -> None:
        said = sorted(address for address, why in self.noes.items() if why & BY_HAND)
        if not said:
            return
        with ignoring(OutreachError):
            removed = unsuppress(self.store, said[number % len(said)], consent="by phone", clock=self.clock)
            for address in said:
                if f"address:{address}" in removed:
                    self.noes[address] -= BY_HAND

    @rule(
        number=st.integers(0, 99),
        how=st.sampled_from(("address", "list", "domain", "take back", "pause", "stop", "enroll")),
    )
    def decide(self, number: int, how: str) -> None:
        """Whom not to write to, or again; which campaign rests, is over, or begins."""
        if how == "take back":
            self.take_back_no(number)
        elif how == "pause":
            self.set_campaigns(CampaignState.PAUSED)
        elif how == "stop":
            self.stop_campaign(CAMPAIGNS[0])
        elif how == "enroll":
            self.enroll_everyone(CAMPAIGNS[number % len(CAMPAIGNS)])
        else:
            self.say_no(ADDRESSES[number % len(ADDRESSES)], how)

    def set_campaigns(self, state: CampaignState) -> None:
        for campaign in self.store.campaigns.all():
            if campaign.state is not CampaignState.STOPPED:
                self.store.campaigns.set_state(campaign.id, state, "by hand")
                (self.resting.add if state is CampaignState.PAUSED else self.resting.discard)(campaign.name)

    @rule()
    def resume(self) -> None:
        self.set_campaigns(CampaignState.ACTIVE)
        for mailbox in self.mailboxes:
            self.store.campaigns.wake_mailbox(mailbox.id)

    def stop_campaign(self, name: str) -> None:
        """Its place is taken by the other one."""
        self.store.campaigns.stop(self.store.campaigns.get(name).id, "by hand", self.clock.now())
        self.resting.add(name)
        self.enroll_everyone(CAMPAIGNS[1])

    def new_campaign(self, name: str) -> None:
        first, *more = (mailbox.id for mailbox in self.mailboxes)
        self.store.campaigns.create(
            name, sequence="job-search", mailbox_id=first, more_mailboxes=more, filters={}, now=self.clock.now()
        )
        self.enroll_everyone(name)

    def enroll_everyone(self, name: str) -> None:
        if name not in self.names():
            return self.new_campaign(name)
        campaign = self.store.campaigns.get(name)
        if campaign.state is not CampaignState.STOPPED:
            rooms = [Room(mailbox.id, self.limits.daily_cap) for mailbox in self.mailboxes]
            enroll(self.store, campaign, clock=self.clock, dry_run=False, rooms=rooms)
        return None

    # --- rules: who is who --------------------------------------------------------------------------------------

    def founders(self) -> list[Founder]:
        return self.store.people.founders({})

    def bring(self, rows: Iterable[tuple[str, str, str, tuple[str, ...]]]) -> None:
        lines = [f"{name},{company},{host},{' '.join(addresses)}" for name, company, host, addresses in rows]
        data = "\n".join(("Name,Company,Website,Email", *lines, "")).encode()
        ingest(self.store, [Source("list.csv", data, self.clock.now())], importers=importers(), clock=self.clock)

    def learn(self, rcpt: str) -> None:
        """A list brings somebody an address that must not be written to."""
        self.say_no("old@away.example", "address")
        for name, company, host, addresses in PEOPLE:
            if rcpt in addresses:
                return self.bring([(name, company, host, (rcpt, "old@away.example"))])
        return None

    def merge_with_no(self, founder_id: int) -> None:
        """Somebody turns out to be a person who said no."""
        others = [each for each in self.founders() if each.id != founder_id]
        noes = self.who_said_no()
        said = [each for each in others if any(address.address in noes for address in each.addresses)]
        for other in (said or others)[:1]:
            if not said:
                self.say_no(other.addresses[0].address, "address")
            with ignoring(OutreachError):
                curate.say_same(self.store, importers(), self.clock, "founder", founder_id, other.id)

    @rule(
        numbers=st.tuples(st.integers(0, 9), st.integers(0, 9)),
        how=st.sampled_from(("row", "same", "apart", "split", "undo")),
    )
    def judge_people(self, numbers: tuple[int, int], how: str) -> None:
        """A list is read, or taken back; two are one, or not; one is two."""
        if how == "row":
            return self.bring([PEOPLE[number % len(PEOPLE)] for number in set(numbers)])
        founders, done = self.founders(), self.store.leads.imports()
        with ignoring(OutreachError):
            if how == "undo":
                curate.undo_import(self.store, importers(), self.clock, done[numbers[0] % len(done)].id)
            elif how == "split" and founders:
                curate.split(self.store, importers(), self.clock, "founder", founders[numbers[0] % len(founders)].id)
            elif founders:
                say = curate.say_same if how == "same" else curate.say_apart
                left, right = (founders[number % len(founders)].id for number in numbers)
                say(self.store, importers(), self.clock, "founder", left, right)
        return None

    # --- rules: time and copies ---------------------------------------------------------------------------------

    def pass_time(self, hours: float) -> None:
        self.clock.move(timedelta(hours=hours))

    @rule(hours=st.sampled_from((-48, -1, 1, 48)))
    def set_clock(self, hours: int) -> None:
        """Never so wrong that the answers of a server would seem to be older than what they answer."""
        by = timedelta(hours=hours)
        if abs(self.clock.now() + by - self.true_time()) <= WRONG_BY:
            self.clock.set(by)
            self.clock_was_set = True

    def driver(self) -> sqlite3.Connection:
        connection = self.database.engine.raw_connection().driver_connection
        assert isinstance(connection, sqlite3.Connection)
        return connection

    @rule()
    def back_up(self) -> None:
        copy = sqlite3.connect(":memory:")
        self.driver().backup(copy)
        self.drop_backup()
        self.backup = copy, set(self.resting)

    @precondition(lambda self: self.backup)
    @rule()
    def restore(self) -> None:
        assert self.backup
        self.backup[0].backup(self.driver())
        self.resting = set(self.backup[1])
        self.read.clear()
        self.restored = True
        self.store = self.open(Life("shell"))
        self.store.suppressions.merge(self.no_log)

    @precondition(lambda self: self.restored)
    @rule(looks=st.booleans())
    def adopt(self, looks: bool) -> None:
        self.adopting = True
        adopt(
            self.store, journal=Log(self.sent_log, Life("shell")),
            mailboxes=[(mailbox, self.inbox(mailbox) if looks else None) for mailbox in self.mailboxes],
            here={"file": "the same"}, key=KEY, clock=self.clock,
        )  # fmt: skip

    # --- what always holds --------------------------------------------------------------------------------------

    @rule(number=st.integers(0, 9))
    def ask_why(self, number: int) -> None:
        """Whoever is in a campaign has a next time, or a reason."""
        founders = self.founders()
        told = why(
            self.store, founders[number % len(founders)], importers=importers(),
            steps_of=lambda _campaign: self.writer.sequence,
            mailboxes=[(mailbox, self.limits) for mailbox in self.mailboxes], now=self.clock.now(),
        )  # fmt: skip
        for standing in told.standings:
            promise(standing.next_at or standing.reason, f"nobody can say why nothing goes to {told.founder.full_name}")

    @invariant()
    def every_move_is_allowed(self) -> None:
        moves = self.sql("SELECT * FROM moves")
        self.sql("DELETE FROM moves")
        refused, resent = Counter(self.provider.refused), Counter(self.resends)
        for move in moves:
            pair = (move.before, move.after)
            promise(pair in MAY_MOVE or (self.adopting and pair in ADOPTION_MOVES), f"{pair}: {move.message_id}")
            if move.after == "queued" and move.before in ("sending", "unknown"):
                word = refused[move.message_id] or resent[move.message_id]
                promise(word, f"{pair} without a refusal or a person's word: {move.message_id}")
            if pair == ("queued", "sent"):
                promise(move.intended or self.adopting, f"{move.message_id} was never sent")
        self.adopting = False

    @invariant()
    def the_ledger_agrees(self) -> None:
        if self.restored and self.store.instance.forgotten(self.sent_log):
            return
        rows = {row.message_id: row for row in self.sql("SELECT message_id, state, intent_at FROM outbox")}
        taken = {mail.message_id: mail for mail in self.provider.ledger}
        for message_id, row in rows.items():
            known = message_id in taken or message_id in self.said_sent or self.restored
            promise(row.state != "sent" or known, f"{message_id} is called sent and the server never got it")
        for message_id, copy in taken.items():
            row = rows.get(message_id)
            if row is None:
                promise(
                    copy.rcpt in self.who_said_no() or self.is_blocked(copy.rcpt),
                    f"nobody knows of the mail to {copy.rcpt}",
                )
                continue
            again = self.resends[message_id] > 0
            known = row.state in ("sent", "sending", "unknown") or (row.state == "cancelled" and row.intent_at)
            promise(known or again, f"{message_id} is {row.state}, and the server has it")

    def is_blocked(self, rcpt: str) -> bool:
        return bool(self.sql("SELECT id FROM suppressions WHERE value = :value", value=f"address:{rcpt}"))

    @precondition(lambda self: self.limits.paced)
    @invariant()
    def caps_hold_in_true_hours(self) -> None:
        for times in self.reservations.values():
            promise(holds(times, DAY, LIMITS.daily_cap), f"more than {LIMITS.daily_cap} in 24 hours: {times}")
            promise(holds(times, HOUR, LIMITS.hourly_cap), f"more than {LIMITS.hourly_cap} in an hour: {times}")
            promise(holds(times, LIMITS.min_gap, 1), f"closer than {LIMITS.min_gap}: {times}")

    def drop_backup(self) -> None:
        if self.backup:
            self.backup[0].close()

    def teardown(self) -> None:
        self.drop_backup()
        self.database.close()


class Unpaced(Outreach):
    """The same without gaps and caps: one mail follows the other, and they share their commits."""

    limits = unpaced(LIMITS)


class TwoMailboxes(Outreach):
    """Campaigns whose people are shared out to two mailboxes, and moved from one to the other."""

    owners = (SENDER, Owner("Bea Testwell", "bea@bea.example", "Bea", ""))

    @rule(number=st.integers(0, 3))
    def move(self, number: int) -> None:
        source, target = self.mailboxes if number % 2 else reversed(self.mailboxes)
        campaigns = self.store.campaigns.all()
        self.store.campaigns.move(campaigns[number // 2 % len(campaigns)].id, source.id, target.id, self.clock.now())
