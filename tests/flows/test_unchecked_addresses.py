"""The gate for addresses that nobody has checked: only where a campaign says so, few of them, and not for long."""

from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from outreach.core.guards import CAPS
from outreach.core.measures import StopAddress
from outreach.core.records import AddressStatus, Campaign, CampaignState, EnrollmentState
from outreach.flows.enroll import Enrolled, enroll
from outreach.store import tables as t
from outreach.store.consequences import Cause, apply, suppress_address
from outreach.store.store import Store, memory_store
from tests.factory import add_founders, queue_all
from tests.fakes import FakeClock
from tests.store.test_claims import LIMITS

S = AddressStatus
CLOCK = FakeClock()
NAMES = [f"{first}{second}" for first in "BCDFG" for second in "aeiou"]


class World:
    """A store whose founders have addresses of one status, and a campaign."""

    def __init__(self, status: AddressStatus, allows: Sequence[AddressStatus], names: Sequence[str] = NAMES) -> None:
        self.store: Store = memory_store()
        add_founders(self.store, names)
        self.mark(status)
        self.mailbox = self.store.campaigns.mailbox("ada@ada.example", CLOCK.now())
        self.campaign = self.store.campaigns.create(
            "bold", sequence="job-search", mailbox_id=self.mailbox.id, filters={}, now=CLOCK.now(), allows=allows
        )

    def mark(self, status: AddressStatus, key: str = "") -> None:
        addresses = t.addresses
        query = sa.update(addresses).values(status=status)
        with self.store.database.write() as connection:
            connection.execute(query.where(addresses.c.key == key) if key else query)

    def enroll(self) -> Enrolled:
        return enroll(self.store, self.campaign, clock=CLOCK, dry_run=False)

    def bounce(self, key: str) -> Campaign:
        with self.store.database.write() as connection:
            suppress_address(connection, key, kind="bounce", reason="5.1.1", origin="test", now=CLOCK.now())
            stop = StopAddress(key, "bounced", "bounced")
            apply(connection, [stop], mailbox_id=self.mailbox.id, cause=Cause("test", CLOCK.now()))
        return self.store.campaigns.get("bold")


@pytest.mark.parametrize(
    ("status", "allows", "enrolled"),
    [
        (S.GIVEN, (), 25),
        (S.VERIFIED, (), 25),
        (S.RISKY, (), 0),
        (S.GUESSED, (), 0),
        (S.UNKNOWN, (S.RISKY, S.GUESSED), 0),
        (S.INVALID, (S.RISKY, S.GUESSED), 0),
        (S.BOUNCED, (S.RISKY, S.GUESSED), 0),
        (S.GUESSED, (S.RISKY,), 0),
        (S.RISKY, (S.GUESSED,), 0),
        (S.RISKY, (S.RISKY,), CAPS[S.RISKY]),
        (S.GUESSED, (S.GUESSED,), CAPS[S.GUESSED]),
        (S.INVALID, (S.INVALID,), 0),
    ],
)
def test_who_is_enrolled(status: AddressStatus, allows: Sequence[AddressStatus], enrolled: int) -> None:
    found = World(status, allows).enroll()
    assert (found.enrolled, len(found.refused)) == (enrolled, len(NAMES) - enrolled)
    assert all(refused.reasons[0].startswith("unverified-address") for refused in found.refused)


def test_who_bounced_is_told_where_the_next_candidate_comes_from() -> None:
    (refused, *_) = World(S.BOUNCED, []).enroll().refused
    assert refused.reasons[0].endswith("is bounced); outreach find looks for another")


def test_the_cap_counts_over_all_enrolling() -> None:
    here = World(S.GUESSED, [S.GUESSED])
    here.enroll()
    again = here.enroll()
    assert again.enrolled == 0
    assert "at most 10 guessed addresses" in again.refused[0].reasons[0]


@pytest.mark.parametrize(("status", "bounces"), [(S.GUESSED, 1), (S.RISKY, 2)])
def test_the_campaign_pauses_at_the_first_bounces(status: AddressStatus, bounces: int) -> None:
    here = World(status, [status])
    here.enroll()
    queued = queue_all(here.store, here.campaign)
    for number, item in enumerate(queued[:bounces], 1):
        campaign = here.bounce(item.rcpt_key)
        assert (campaign.state is CampaignState.PAUSED) is (number == bounces)
    assert f"to {status} addresses came back" in campaign.reason
    open_ = [each for each in here.store.campaigns.enrollments(campaign.id) if each.state is EnrollmentState.ACTIVE]
    assert len(open_) == CAPS[status] - bounces


def test_after_a_bounce_the_next_guess_is_not_tried_by_itself() -> None:
    here = World(S.GUESSED, [S.GUESSED], ["Bo"])
    here.enroll()
    (item,) = queue_all(here.store, here.campaign)
    here.bounce(item.rcpt_key)
    with here.store.database.write() as connection:
        row = {"address": "b@bo.example", "key": "b@bo.example", "founder_id": 1, "status": S.GUESSED}
        connection.execute(sa.insert(t.addresses).values(**row, origin="pattern", created_at=CLOCK.now()))
    here.store.campaigns.set_state(here.campaign.id, CampaignState.ACTIVE, "")
    assert here.enroll().enrolled == 0
    assert queue_all(here.store, here.campaign) == []
    (enrollment,) = here.store.campaigns.enrollments(here.campaign.id)
    assert (enrollment.state, enrollment.address) == (EnrollmentState.STOPPED, item.rcpt_key)


@pytest.mark.parametrize("status", [S.GIVEN, S.VERIFIED])
def test_other_bounces_are_for_other_breakers(status: AddressStatus) -> None:
    here = World(status, [S.GUESSED])
    here.enroll()
    for item in queue_all(here.store, here.campaign)[:5]:
        assert here.bounce(item.rcpt_key).state is CampaignState.ACTIVE


def test_a_bounce_is_about_the_address_and_an_opt_out_about_the_person() -> None:
    here = World(S.GIVEN, [], ["Bo", "Cy"])
    for name in ("bo", "cy"):
        here.mark(S.BOUNCED, f"{name}@{name}.example")
    here.bounce("bo@bo.example")
    with here.store.database.write() as connection:
        for number, key in ((1, "b@bo.example"), (2, "c@cy.example")):
            row = {"address": key, "key": key, "founder_id": number, "status": S.GIVEN, "origin": "test"}
            connection.execute(sa.insert(t.addresses).values(**row, created_at=CLOCK.now()))
        suppress_address(connection, "cy@cy.example", kind="opt_out", reason="no", origin="test", now=CLOCK.now())
    found = here.enroll()
    assert [each.address for each in here.store.campaigns.enrollments(here.campaign.id)] == ["b@bo.example"]
    assert found.refused[0].reasons == ("suppressed: opt_out (no)",)


def test_the_last_gate_sees_it_the_same_way() -> None:
    here = World(S.GIVEN, [], ["Bo"])
    with here.store.database.write() as connection:
        row = {"address": "b@bo.example", "key": "b@bo.example", "founder_id": 1, "status": S.GIVEN, "origin": "test"}
        connection.execute(sa.insert(t.addresses).values(**row, created_at=CLOCK.now()))
    here.enroll()
    (item,) = queue_all(here.store, here.campaign)
    assert here.store.claims.obstacle(item.id, LIMITS, CLOCK.now()) == ""
    with here.store.database.write() as connection:
        suppress_address(connection, "b@bo.example", kind="bounce", reason="x", origin="test", now=CLOCK.now())
    assert here.store.claims.obstacle(item.id, LIMITS, CLOCK.now()) == ""
    with here.store.database.write() as connection:
        suppress_address(connection, item.rcpt_key, kind="bounce", reason="x", origin="test", now=CLOCK.now())
    assert here.store.claims.obstacle(item.id, LIMITS, CLOCK.now()) == "suppressed"
