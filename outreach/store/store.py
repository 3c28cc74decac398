"""The store as a whole: one class for each aggregate, on one database.

Each is loaded when it is first asked for: a command that lists people need not know how a mail is claimed.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from outreach.store.database import Database
from outreach.store.journal import MemoryJournal, Recorder
from outreach.store.schema import memory_database

if TYPE_CHECKING:
    from outreach.store.bookings import Bookings
    from outreach.store.campaigns import Campaigns
    from outreach.store.claims import Claims
    from outreach.store.copies import Copies
    from outreach.store.erasures import Erasures
    from outreach.store.finds import Finds
    from outreach.store.history import Histories
    from outreach.store.instance import Instance
    from outreach.store.leads import Leads
    from outreach.store.mail import Mail
    from outreach.store.notes import Notes
    from outreach.store.outbox import Outbox
    from outreach.store.people import People
    from outreach.store.personal import Personal
    from outreach.store.reply_log import Replies
    from outreach.store.report import Reports
    from outreach.store.suppressions import Suppressions


_NO_SECRET = bytes(32)


class Store:
    """Where flows meet. `suppression_log` is the file that remembers opt-outs beyond any restore; `key` gives the
    workspace's secret, by which those who were erased are known again."""

    def __init__(
        self, database: Database, suppression_log: Recorder, key: Callable[[], bytes] = lambda: _NO_SECRET
    ) -> None:
        self.database = database
        self.suppression_log = suppression_log
        self._key = key

    @cached_property
    def erasures(self) -> "Erasures":
        from outreach.store.erasures import Erasures

        return Erasures(self.database, self._key)

    @cached_property
    def people(self) -> "People":
        from outreach.store.people import People

        return People(self.database)

    @cached_property
    def notes(self) -> "Notes":
        from outreach.store.notes import Notes

        return Notes(self.database)

    @cached_property
    def leads(self) -> "Leads":
        from outreach.store.leads import Leads

        return Leads(self.database)

    @cached_property
    def finds(self) -> "Finds":
        from outreach.store.finds import Finds

        return Finds(self.database, self.erasures)

    @cached_property
    def history(self) -> "Histories":
        from outreach.store.history import Histories

        return Histories(self.database)

    @cached_property
    def personal(self) -> "Personal":
        from outreach.store.personal import Personal

        return Personal(self.database)

    @cached_property
    def campaigns(self) -> "Campaigns":
        from outreach.store.campaigns import Campaigns

        return Campaigns(self.database)

    @cached_property
    def outbox(self) -> "Outbox":
        from outreach.store.outbox import Outbox

        return Outbox(self.database)

    @cached_property
    def bookings(self) -> "Bookings":
        from outreach.store.bookings import Bookings

        return Bookings(self.database)

    @cached_property
    def copies(self) -> "Copies":
        from outreach.store.copies import Copies

        return Copies(self.database)

    @cached_property
    def claims(self) -> "Claims":
        from outreach.store.claims import Claims

        return Claims(self.database, self.suppression_log)

    @cached_property
    def mail(self) -> "Mail":
        from outreach.store.mail import Mail

        return Mail(self.database, self.suppression_log, self.erasures)

    @cached_property
    def replies(self) -> "Replies":
        from outreach.store.reply_log import Replies

        return Replies(self.database)

    @cached_property
    def suppressions(self) -> "Suppressions":
        from outreach.store.suppressions import Suppressions

        return Suppressions(self.database, self.suppression_log)

    @cached_property
    def report(self) -> "Reports":
        from outreach.store.report import Reports

        return Reports(self.database)

    @cached_property
    def instance(self) -> "Instance":
        from outreach.store.instance import Instance

        return Instance(self.database, self.suppression_log)

    def close(self) -> None:
        self.database.close()


def memory_store() -> Store:
    """A store that lives as long as the process: the fake of the tests."""
    return Store(memory_database(), MemoryJournal())
