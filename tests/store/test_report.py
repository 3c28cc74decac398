"""A campaign's numbers, straight from the rows, on either database."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from outreach.core.breakdown import By, Group
from outreach.store import tables as t
from tests.flows.world import World, make_world
from tests.mails import report

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Bo answered, the mail to Cy came back, Di is silent."""
    made = make_world(tmp_path)
    made.answer("Bo")
    made.arrive(report(returned_id=made.items["Cy"].message_id, recipient="cy@cy.example"))
    made.sync()
    with made.store.database.write() as connection:
        connection.execute(sa.update(t.inbound).where(t.inbound.c.kind == "reply").values(label="interview"))
        connection.execute(sa.insert(t.founder_tags).values(founder_id=made.items["Di"].founder_id, tag="vip"))
        named = t.companies.c.name.startswith("Bo")
        connection.execute(sa.update(t.companies).where(named).values(industries=["Robotics", "AI"]))
    return made


def numbers(world: World, by: By) -> list[Group]:
    return world.store.report.breakdown(world.campaign.id, by)


def test_by_step(world: World) -> None:
    assert numbers(world, By.STEP) == [
        Group("step 1", mailed=3, delivered=2, bounced=1, replied=1, interested=1, interview=1)
    ]


def test_by_tag_and_industry(world: World) -> None:
    rest = Group("(none)", mailed=2, delivered=1, bounced=1, replied=1, interested=1, interview=1)
    assert numbers(world, By.TAG) == [rest, Group("vip", mailed=1, delivered=1)]
    found = {group.key: group.replied for group in numbers(world, By.INDUSTRY)}
    assert found == {"(none)": 0, "AI": 1, "Robotics": 1}


def test_what_never_left_counts_nowhere(world: World) -> None:
    world.set_items(intent_at=None)
    assert numbers(world, By.STEP) == []


def test_an_answer_after_a_bounce_leaves_nobody_lost(world: World) -> None:
    """Another address reached them: there are never more answers than mails that arrived."""
    world.clock.move(timedelta(days=1))
    world.answer("Cy", sender="cy@private.example")
    world.sync()
    (funnel,) = world.store.report.funnels()
    assert (funnel.mailed, funnel.bounced, funnel.delivered, funnel.replied) == (3, 1, 3, 2)
    (step,) = numbers(world, By.STEP)
    assert (step.mailed, step.bounced, step.delivered, step.replied) == (3, 1, 3, 2)
