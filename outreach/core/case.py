"""What a rule about an incoming message may look at."""

from dataclasses import dataclass

from outreach.core.bounces import report_rule
from outreach.core.inbound import Arrival
from outreach.core.matching import Match, topic
from outreach.core.reply_text import ReplyText

FIRST_LETTERS = 400


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a rule may look at. `own` are our addresses (canonical), `folder` is inbox, junk or sent; `report` is
    the rule by which it reports on a delivery, where that is known already."""

    arrival: Arrival
    match: Match | None
    text: ReplyText
    own: frozenset[str]
    folder: str = "inbox"
    report: str | None = None

    @property
    def report_rule(self) -> str:
        """Empty for what is no report on a delivery."""
        return report_rule(self.arrival) if self.report is None else self.report

    @property
    def start(self) -> str:
        """Where machines introduce themselves."""
        return self.text.shown[:FIRST_LETTERS].lower()

    @property
    def subject(self) -> str:
        return topic(self.arrival.subject)

    @property
    def our_subject(self) -> str:
        """The one that we chose ourselves, where we know it: it says nothing about the answer."""
        return topic(self.match.mail.subject) if self.match and self.match.mail else ""

    @property
    def threaded(self) -> bool:
        """Whether an id of ours is in it."""
        return self.match is not None and self.match.proof
