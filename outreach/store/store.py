"""The store as a whole: one class for each aggregate, on one database."""

from outreach.store.bookings import Bookings
from outreach.store.campaigns import Campaigns
from outreach.store.claims import Claims
from outreach.store.database import Database
from outreach.store.finds import Finds
from outreach.store.history import Histories
from outreach.store.instance import Instance
from outreach.store.journal import MemoryJournal, Recorder
from outreach.store.leads import Leads
from outreach.store.mail import Mail
from outreach.store.notes import Notes
from outreach.store.outbox import Outbox
from outreach.store.people import People
from outreach.store.personal import Personal
from outreach.store.report import Reports
from outreach.store.schema import memory_database
from outreach.store.suppressions import Suppressions


class Store:
    """Where flows meet. `suppression_log` is the append-only file that remembers opt-outs beyond any restore."""

    def __init__(self, database: Database, suppression_log: Recorder) -> None:
        self.database = database
        self.suppression_log = suppression_log
        self.people = People(database)
        self.notes = Notes(database)
        self.leads = Leads(database)
        self.finds = Finds(database)
        self.history = Histories(database)
        self.personal = Personal(database)
        self.campaigns = Campaigns(database)
        self.outbox = Outbox(database)
        self.bookings = Bookings(database)
        self.claims = Claims(database, suppression_log)
        self.mail = Mail(database, suppression_log)
        self.suppressions = Suppressions(database, suppression_log)
        self.report = Reports(database)
        self.instance = Instance(database, suppression_log)

    def close(self) -> None:
        self.database.close()


def memory_store() -> Store:
    """A store that lives as long as the process: the fake of the tests."""
    return Store(memory_database(), MemoryJournal())
