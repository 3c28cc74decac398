"""Puts the pieces together: the only file that knows every room. Clock, environment and randomness enter here."""

import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parseaddr
from functools import cached_property, partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, cast

from outreach import __version__
from outreach.core.clock import Reading
from outreach.core.normalize import address_key
from outreach.core.pacing import FRESH_INBOX, Limits, on_day, unpaced
from outreach.core.records import Campaign, CampaignState, Mailbox, OutboxState, Sender, Sequence
from outreach.errors import (
    ImportRefused,
    MailboxError,
    NotFound,
    SendRefused,
    TemplateError,
    WorkspaceError,
)
from outreach.processes import ChildFailed, in_child, is_surely_dead, place_of, steady_time, this_process
from outreach.settings import (
    DEFAULT_MAILBOX,
    Purpose,
    SentCopies,
    Settings,
    StaleInbox,
    TransportName,
    is_loopback,
    load_mailboxes,
)
from outreach.store.journal import Journal
from outreach.store.postgres import ServerClock
from outreach.store.store import Store
from outreach.workspace import Workspace, open_store, workspace_key

if TYPE_CHECKING:  # what only some commands need is loaded where they need it
    from outreach.core.inbound import Arrival
    from outreach.core.ports import Clock, Filing, Finder, Inbox, MailHosts, SendResult, Transport, Waiting, Web
    from outreach.core.sharing import Room
    from outreach.flows.enqueue import Conditions, Writer

ROOM_BYTES = 50_000_000
BALLAST_BYTES = 1_048_576
READ_HERE = 1_000_000
READ_SECONDS = 30.0


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def reading(self) -> Reading:
        return Reading(self.now(), *steady_time())


@dataclass(frozen=True)
class Network:
    """How this program reaches the web and DNS. Tests and the demo bring servers of their own; no setting does."""

    web: "Callable[[str], Web] | None" = None
    """User-Agent → client."""
    mail_hosts: "Callable[[], MailHosts] | None" = None
    base_urls: Mapping[str, str] = field(default_factory=dict)
    patience: float = 60.0


@dataclass(frozen=True)
class App:
    """An open workspace, seen from one of its mailboxes: settings, store, clock, and the adapters that the settings
    name. It is opened as the mailbox of `.env`; `boxes` are all of them."""

    workspace: Workspace
    settings: Settings
    store: Store
    clock: "Clock"
    owner: str
    is_dead: Callable[[str], bool]
    chance: Callable[[], float]
    network: Network = Network()
    at: Callable[[str], None] = lambda _label: None
    """Is told each labelled step of sending, so that a test can kill the program there."""
    name: str = DEFAULT_MAILBOX
    everyone: Mapping[str, Settings] = field(default_factory=dict)
    """The settings of every mailbox, by its name."""

    @cached_property
    def boxes(self) -> tuple["App", ...]:
        """The same workspace seen from each mailbox, that of `.env` first."""
        return tuple(
            self if name == self.name else replace(self, name=name, settings=settings)
            for name, settings in (self.everyone or {self.name: self.settings}).items()
        )

    def box(self, name: str) -> "App":
        """The mailbox of this name, or with this address."""
        found = [box for box in self.boxes if name == box.name or address_key(name) == address_key(box.sender.address)]
        if not found:
            raise NotFound(f"there is no mailbox {name}.", hint=f"there is {', '.join(box.name for box in self.boxes)}")
        return found[0]

    def box_of(self, mailbox_id: int | None) -> "App | None":
        """The mailbox that the store knows by this id, if it has settings."""
        return next((box for box in self.boxes if box.mailbox_id == mailbox_id), None)

    def boxes_for(self, campaign: str = "", mailbox: str = "") -> tuple["App", ...]:
        """The mailboxes that a run sends from: the one of this name, else those that write to anybody in this campaign,
        or in any; the one of `.env` where that is none."""
        if mailbox:
            return (self.box(mailbox),)
        if len(self.boxes) == 1:
            return self.boxes
        served = self.store.campaigns.served()
        chosen = {self.store.campaigns.get(campaign).id} if campaign else served.keys()
        wanted = {mailbox_id for each in chosen for mailbox_id in served.get(each, ())}
        return tuple(box for box in self.boxes if box.mailbox_id in wanted) or self.boxes[:1]

    @property
    def host(self) -> str:
        """The name of this machine."""
        return self.owner.partition("|")[0]

    @cached_property
    def sender(self) -> Sender:
        name, address = parseaddr(self.settings.from_)
        return Sender(name, address, self.settings.signature, self.settings.postal_address)

    @cached_property
    def mailbox_id(self) -> int:
        return self.mailbox.id

    @property
    def mailbox(self) -> Mailbox:
        return self.store.campaigns.mailbox(self.sender.address, self.clock.now())

    @cached_property
    def limits(self) -> Limits:
        settings = self.settings
        return Limits(
            daily_cap=min(settings.daily_cap, settings.ceiling),
            hourly_cap=settings.hourly_cap,
            min_gap=settings.min_gap,
            max_gap=settings.max_gap,
            window=settings.window,
            weekdays=settings.weekdays,
            zone=settings.zone,
            company_daily_cap=settings.company_daily_cap,
            run_limit=settings.run_limit,
            ramp=settings.ramp,
            fresh_inbox=FRESH_INBOX if self.reads_inbox else None,
            first_steps_pass=settings.stale_inbox is StaleInbox.FIRST_STEPS,
            holidays=settings.holidays,
            domain_gap=settings.domain_gap,
            ceiling=settings.ceiling,
        )

    @property
    def clock_is_real(self) -> bool:
        """Whether waiting takes time."""
        return isinstance(self.clock, SystemClock | ServerClock)

    def has_room(self) -> bool:
        """Whether the disk can take what a run records."""
        return shutil.disk_usage(self.workspace.folder).free >= ROOM_BYTES

    @property
    def journal(self) -> Journal:
        return Journal(self.workspace.sent_log)

    @property
    def suppression_log(self) -> Journal:
        return Journal(self.workspace.suppression_log)

    def copied(self) -> tuple[str, ...]:
        """What says that this store is a copy: it lies in another file, or on another machine, than when it was used
        last. Empty where all is as it was."""
        return self.store.instance.moved(self.here)

    @property
    def here(self) -> dict[str, str]:
        """Where the store lies: a file on this machine, or a database server and one of its histories."""
        database = self.store.database
        if database.server:
            return {"server": database.cluster()}
        return place_of(database.path) if database.path else {}

    def note_doubts(self) -> list[int]:
        """What a dead run left without an outcome is in doubt, and shown as that by whichever command looks first."""
        if not self.store.outbox.count(states=[OutboxState.SENDING]):
            return []  # as nearly always: nothing is between dot and answer
        from outreach.flows.recover import find_doubts

        return find_doubts(self.store, self.is_dead, self.clock.now(), self.journal.entries())

    def sequence(self, name: str) -> Sequence:
        from outreach.templating import load_sequence, sequence_folder

        return load_sequence(sequence_folder(self.workspace.templates, name))

    def steps_of(self, campaign: Campaign) -> Sequence | None:
        """A campaign's sequence, or None where its templates cannot be used."""
        try:
            return self.sequence(campaign.sequence)
        except TemplateError:
            return None

    def finders(self, names: Collection[str] = ()) -> "list[Finder]":
        """The finders of these names, else those of the settings, else all that are ready."""
        from outreach.core.ports import FinderTools
        from outreach.finders import make_finders

        contact = f" (+mailto:{self.sender.address})" if self.sender.address.isascii() else ""
        web, agent = self.network.web, f"outreach/{__version__}{contact}"
        if web is None:
            from outreach.webclient import GuardedWeb

            web = GuardedWeb
        tools = FinderTools(web(agent), self.clock, self.settings.secret, self.network.base_urls, self.network.patience)
        return make_finders(list(names or self.settings.finders), tools)

    def find_budget_left(self) -> int:
        """How many credits `find` may still spend in these 24 hours."""
        from outreach.core.lookups import BUDGET_SPAN

        spent = self.store.finds.spent(self.clock.now() - BUDGET_SPAN)
        return max(0, self.settings.find_budget - spent)

    def mail_hosts(self) -> "MailHosts":
        """Who knows which domains take mail."""
        if self.network.mail_hosts is not None:
            return self.network.mail_hosts()
        from outreach.mailhosts import DnsMailHosts

        return DnsMailHosts()

    def writer(self, sequence: str) -> "Writer":
        """What turns a step of this sequence into a message, from whichever mailbox writes to the founder."""
        from outreach.flows.enqueue import Writer

        return Writer(
            self.sequence(sequence),
            self.sender,
            workspace_key(self.workspace, self.store),
            zone=self.settings.zone,
            purpose=self.settings.purpose,
            senders={box.mailbox_id: box.sender for box in self.boxes},
        )

    def work(self, name: str = "") -> "list[tuple[Campaign, Writer]]":
        """The campaign of that name, or all that are not over, each with its writer."""
        campaigns = self.store.campaigns
        found = [campaigns.get(name)] if name else [c for c in campaigns.all() if c.state is not CampaignState.STOPPED]
        ours, served = {box.mailbox_id for box in self.boxes}, campaigns.served()
        mine = [each for each in found if not ours.isdisjoint((*each.mailboxes, *served.get(each.id, ())))]
        if name and not mine:
            raise SendRefused(
                f"{name} was started from another address than {self.sender.address}; a thread keeps its sender.",
                hint=f"set OUTREACH_FROM back for it, write {self.workspace.mailboxes.name}/NAME.env, or start a new "
                "campaign",
            )
        return [(campaign, self.writer(campaign.sequence)) for campaign in mine]

    def unserved(self) -> list[tuple[str, str, int]]:
        """Campaigns with people whose mailbox has no settings now: its name, that address, how many people."""
        return self.store.campaigns.unserved([box.mailbox_id for box in self.boxes])

    def rooms(self, campaign: Campaign) -> "list[Room]":
        """The mailboxes that new people of a campaign are shared out to, those of them that have settings."""
        return [box.room() for box in self.boxes if box.mailbox_id in campaign.mailboxes]

    def room(self) -> "Room":
        from outreach.core.pacing import UNTIL_FIXED
        from outreach.core.sharing import Room

        mailbox, now = self.mailbox, self.clock.now()
        cap = on_day(self.limits, mailbox, self.store.bookings.sent_by_day(mailbox.id), now).daily_cap
        return Room(mailbox.id, cap, open=mailbox.paused_until is None or mailbox.paused_until < UNTIL_FIXED)

    def lift_login_pause(self) -> None:
        """The server has just taken the login: what made the mailbox rest until somebody mended that is mended."""
        from outreach.core.delivery import mended_by_login

        mailbox = self.mailbox
        if mailbox.paused_until and mended_by_login(mailbox.pause_reason):
            self.store.campaigns.pause_mailbox(mailbox.id, None, "")

    def conditions(self, *, wait: bool = False, paced: bool = True) -> "Conditions":
        """Under which a run would send now."""
        from outreach.core.guards import recipient_allowed
        from outreach.flows.enqueue import Conditions

        limits = self.limits if paced else unpaced(self.limits)
        allowed = partial(recipient_allowed, allowed=self.settings.allow_recipients)
        return Conditions(self.mailbox, limits, wait, allowed)

    def transport(self) -> "Transport":
        """The way out that the settings name."""
        settings = self.settings
        if settings.transport is TransportName.DIRECTORY:
            from outreach.transports.directory import DirectoryTransport

            return DirectoryTransport(self.workspace.folder / (settings.outbox_dir or "outbox"))
        if settings.no_send:
            raise SendRefused(
                "OUTREACH_NO_SEND is set: nothing is delivered.", hint="remove it from .env to send for real"
            )
        if not settings.smtp_host:
            raise MailboxError(
                "no mail server is set.", hint=f"set OUTREACH_PROVIDER or OUTREACH_SMTP_HOST in {self.workspace.env}"
            )
        from outreach.transports.smtp import Server, SmtpTransport

        server = Server(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_username,
            lambda: settings.password("smtp"),
            self._ca_file("smtp"),
            settings.allow_recipients,
        )
        return SmtpTransport(server)

    def _ca_file(self, service: str) -> str:
        """The file with the authority of a server's certificate, if the settings name one."""
        named = getattr(self.settings, f"{service}_ca_file")
        path = self.workspace.folder / named
        if named and not path.is_file():
            raise MailboxError(
                f"there is no file {path} with the authority of the server's certificate.",
                hint=f"set OUTREACH_{service.upper()}_CA_FILE in {self.workspace.env} to where it is",
            )
        return str(path) if named else ""

    @contextmanager
    def connected(self) -> "Iterator[Transport]":
        """The way out, found to work, and closed at the end. Raises MailboxError if the server can't be used."""
        from outreach.transports.smtp import SmtpTransport

        transport = self.transport()
        try:
            refusal = transport.connect() if isinstance(transport, SmtpTransport) else None
            if refusal:
                self._rest_after(refusal)
                raise self.unusable(refusal)
            yield transport
        finally:
            transport.close()

    def _rest_after(self, refusal: "SendResult") -> None:
        """A login that is refused before the first mail counts like one between two: a wrong password is not tried
        again and again until the account is locked."""
        from outreach.core.delivery import decide, explain
        from outreach.core.pacing import UNTIL_FIXED
        from outreach.core.ports import Phase

        mailbox, now = self.mailbox, self.clock.now()
        decision = decide(refusal, attempts=0, now=now)
        login = decision.pause if refusal.phase is Phase.AUTH else None
        until = UNTIL_FIXED if decision.until_fixed else now + login if login else None
        if until and (mailbox.paused_until is None or mailbox.paused_until < until):
            self.store.campaigns.pause_mailbox(mailbox.id, until, explain(decision, refusal))

    def try_login(self) -> None:
        """Somebody has started this anew, so what a login would mend may be mended: one try. Raises MailboxError."""
        from outreach.core.delivery import mended_by_login

        mailbox = self.mailbox
        if mailbox.paused_until and mended_by_login(mailbox.pause_reason):
            with self.connected():
                self.lift_login_pause()

    def unusable(self, refusal: "SendResult") -> MailboxError:
        from outreach.core.delivery import decide

        decision = decide(refusal, attempts=0, now=self.clock.now())
        server = f"{self.settings.smtp_host}:{self.settings.smtp_port}"
        return MailboxError(
            f"{decision.means} ({server}: {refusal.said}); nothing was sent.",
            hint=f"{decision.remedy} ({self.workspace.env})",
        )

    def check_may_send(self, name: str = "") -> None:
        """Raise SendRefused where the law asks for something that the settings or the campaigns (the one of that name,
        or all that are active) do not have."""
        running = [each for each in self.store.campaigns.all() if each.state is CampaignState.ACTIVE]
        chosen = [each for each in running if name in ("", each.name)]
        commercial = [each for each in chosen if (each.purpose or self.settings.purpose) == Purpose.COMMERCIAL]
        if (commercial or (not chosen and self.settings.purpose is Purpose.COMMERCIAL)) and (
            not self.settings.postal_address
        ):
            raise SendRefused(
                "commercial mail needs a postal address in every message (CAN-SPAM).",
                hint=f"set OUTREACH_POSTAL_ADDRESS in {self.workspace.env}; for a job, OUTREACH_PURPOSE=job-search",
            )
        for campaign in commercial:
            if not campaign.why:
                raise SendRefused(
                    f"{campaign.name} does not say why you write to these people; the law (GDPR 6(1)(f)) asks for it.",
                    hint=f'outreach campaign edit {campaign.name} --why "they hire for what I offer"',
                )

    @property
    def stays_here(self) -> bool:
        """Whether no mail leaves this machine: `--no-pacing` is harmless then, and nobody else judges our domain."""
        return self.settings.transport is TransportName.DIRECTORY or is_loopback(self.settings.smtp_host)

    @property
    def reads_inbox(self) -> bool:
        return bool(self.settings.imap_host or self.settings.maildir or self.settings.mbox)

    def read_mail(self, raw: bytes, received_at: datetime) -> "Arrival":
        """What arrived. Large mail is read by a child process, so that no trick in it can hang or starve this one."""
        from outreach.core.inbound import read_mail, read_unread

        if len(raw) <= READ_HERE:
            return read_mail(raw, received_at)
        try:
            return in_child(read_mail, raw, received_at, seconds=READ_SECONDS)
        except ChildFailed as error:
            return read_unread(raw, received_at, f"it could not be read: {error}")

    def inbox(self) -> "Inbox":
        """The mailbox in which answers arrive."""
        settings = self.settings
        if settings.maildir:
            from outreach.inboxes.maildir import MaildirInbox

            return MaildirInbox(self.workspace.folder / settings.maildir)
        if settings.mbox:
            from outreach.inboxes.mbox import MboxInbox

            return MboxInbox(self.workspace.folder / settings.mbox)
        if not settings.imap_host:
            raise MailboxError(
                "no inbox is set, so answers cannot be read.",
                hint=f"set OUTREACH_IMAP_HOST, OUTREACH_MAILDIR or OUTREACH_MBOX in {self.workspace.env}",
            )
        from outreach.inboxes.imap import ImapInbox, ImapServer

        return ImapInbox(
            ImapServer(
                settings.imap_host,
                settings.imap_port,
                settings.imap_security,
                settings.imap_username,
                lambda: settings.password("imap"),
                self._ca_file("imap"),
            )
        )

    @property
    def can_wait_for_mail(self) -> bool:
        """Whether a server may tell when something comes."""
        return bool(self.settings.imap_host) and self.clock_is_real

    def listener(self) -> Callable[[float, Callable[[], bool]], None]:
        """Waits in any thread until the server tells that something came (IMAP IDLE), for at most so many seconds or
        until it is stopped. Raises MailboxError."""
        cursor, _known = self.store.mail.position(self.mailbox.id, "INBOX")

        def wait(seconds: float, stopped: Callable[[], bool]) -> None:
            inbox = self.inbox()
            try:
                cast("Waiting", inbox).wait(seconds, cursor.mark if cursor else "", stopped)
            finally:
                inbox.close()

        return wait

    def file_draft(self, mime: bytes) -> str:
        """Put a draft into the mailbox; the folder in which it lies."""
        if self.settings.mbox:
            raise MailboxError("an mbox file takes no drafts.", hint="leave --draft out: your mail program opens it")
        with closing(self.inbox()) as inbox:
            return cast("Filing", inbox).draft(mime)

    @property
    def files_sent(self) -> bool | None:
        """Whether the provider puts copies of sent mails into the Sent folder; None: not known. What was seen counts
        before what is usual."""
        from outreach.core.sender_domain import provider_at

        seen = self.mailbox.files_sent
        return provider_at(self.settings.smtp_host).files_sent if seen is None else seen

    def file_copies(self) -> int:
        """Put copies of sent mails into the Sent folder, just read, if nobody else does; how many."""
        from outreach.flows.file_copies import FilingInbox, file_copies

        if self.settings.mbox or self.settings.sent_copies is SentCopies.NEVER or self.files_sent:
            return 0
        return file_copies(self.store, cast("FilingInbox", self.inbox()), mailbox=self.mailbox, clock=self.clock)

    def new_message_id(self) -> str:
        """For a mail that the user writes: not one of ours, whose ids are told by their beginning."""
        return f"<{secrets.token_hex(16)}@{self.sender.address.rpartition('@')[2]}>"

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Only one `send` at a time for one mailbox. Claims make several safe; this keeps them polite."""
        from filelock import FileLock, Timeout

        path = self.workspace.folder / f"send-{self.mailbox.id}.lock"
        note, lock = path.with_suffix(".owner"), FileLock(path, timeout=0, mode=0o600)
        try:
            lock.acquire()
            note.write_text(f"process {os.getpid()}, since {self.clock.now():%H:%M:%S} UTC")
        except Timeout:
            who = note.read_text() if note.exists() else "another process"
            raise SendRefused(
                f"another `outreach send` or `run` is at work for {self.sender.address} ({who}).",
                hint="wait for it, or stop it with Ctrl-C; `outreach status` shows how far it is",
            ) from None
        try:
            self._keep_room()
            yield
        finally:
            lock.release()

    def _keep_room(self) -> None:
        """Space that is given up should the disk become full between a server's answer and its record."""
        with suppress(OSError):
            if self.has_room() and not self.workspace.ballast.exists():
                # Not zeros: some file systems keep those for nothing.
                self.workspace.ballast.write_bytes(secrets.token_bytes(BALLAST_BYTES))

    def give_up_room(self) -> bool:
        """Whether there was some."""
        try:
            self.workspace.ballast.unlink()
        except OSError:
            return False
        return True


@contextmanager
def open_app(
    folder: Path,
    environment: Mapping[str, str],
    *,
    clock: "Clock | None" = None,
    network: Network | None = None,
    at: Callable[[str], None] = lambda _label: None,
) -> Iterator[App]:
    """Open the workspace in `folder`; raise what is wrong with it, with the next thing to type."""
    os.umask(0o077)
    workspace = Workspace(folder)
    if not folder.is_dir():
        raise WorkspaceError(f"there is no folder {folder}.", hint=f"outreach init {folder}")
    if not workspace.store.exists() and not workspace.env.exists() and not environment.get("OUTREACH_DATABASE_URL"):
        raise WorkspaceError(
            f"there is no outreach workspace in {folder.resolve()}.",
            hint="run `outreach init` to make one here, or name another with `outreach -C DIR …`",
        )
    if not workspace.env.exists() and "OUTREACH_FROM" not in environment:
        raise WorkspaceError(
            f"the settings file {workspace.env.resolve()} is missing.",
            hint="run `outreach init` again: it keeps what is there",
        )
    everyone = load_mailboxes(workspace.env, environment, workspace.mailboxes)
    settings = everyone[DEFAULT_MAILBOX]
    store = open_store(folder, environment, settings=settings)
    try:
        at_server = store.database.server
        yield App(
            workspace,
            settings,
            store,
            clock or (ServerClock(store.database.now, steady_time) if at_server else SystemClock()),
            this_process(),
            is_surely_dead,
            SystemRandom().random,
            network or Network(),
            at,
            everyone=everyone,
        )
    finally:
        store.close()


def read_rows(path: Path) -> list[tuple[int, Mapping[str, str]]]:
    """A table that the program once wrote and a person filled: (line of the file, cells by header), whatever the
    spreadsheet program made of its encoding and separators."""
    from outreach.core.records import RowError
    from outreach.importers._table import read_table

    if not path.is_file():
        raise ImportRefused(f"{path} cannot be read: there is no such file.", hint="name the file that was filled")
    wanted = {"id", "line"}
    table = read_table(path, path.name, rank=lambda head: len(wanted & {name.casefold() for name in head.headers}))
    return [(row.line, {} if isinstance(row, RowError) else row.cells) for row in table.rows]
