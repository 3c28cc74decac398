"""Who writes to whom: everyone has one mailbox, those who had one keep it, a company knows one sender."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from outreach.core.records import Company, Founder
from outreach.core.sharing import Room, share_out


def person(number: int, company: int = 0) -> Founder:
    return Founder(number, f"Person {number}", company=Company(company, "c") if company else None)


def crowd(number: int) -> list[Founder]:
    return [person(each, each) for each in range(1, number + 1)]


def test_people_go_where_their_turn_comes_first() -> None:
    shares = share_out(crowd(30), [Room(1, 20), Room(2, 10)], {}, {})
    assert Counter(shares.values()) == {1: 20, 2: 10}


def test_who_waits_already_counts() -> None:
    shares = share_out(crowd(6), [Room(1, 10, waiting=6), Room(2, 10)], {}, {})
    assert Counter(shares.values()) == {2: 6}


def test_whoever_has_a_mailbox_keeps_it_even_while_it_rests() -> None:
    rooms = [Room(1, 10, open=False), Room(2, 10)]
    assert share_out([person(1), person(2)], rooms, {1: 1}, {}) == {1: 1, 2: 2}


def test_a_mailbox_that_is_not_the_campaigns_is_nobodys_here() -> None:
    assert share_out([person(1)], [Room(1, 10), Room(2, 10)], {1: 9}, {}) == {1: 1}


def test_colleagues_hear_from_one_sender() -> None:
    rooms = [Room(1, 10), Room(2, 10)]
    assert set(share_out([person(1, 5), person(2, 5), person(3, 5)], rooms, {}, {}).values()) == {1}
    assert share_out([person(1, 5)], rooms, {}, {5: 2}) == {1: 2}


def test_where_all_rest_the_people_wait_with_them() -> None:
    shares = share_out(crowd(4), [Room(1, 10, open=False), Room(2, 10, open=False)], {}, {})
    assert Counter(shares.values()) == {1: 2, 2: 2}


@given(
    st.lists(st.integers(0, 6), max_size=40),
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 30), st.booleans()), min_size=1, max_size=4),
    st.dictionaries(st.integers(1, 40), st.integers(1, 5)),
)
def test_everyone_has_one_of_the_mailboxes_and_the_same_one_again(
    companies: list[int], caps: list[tuple[int, int, bool]], known: dict[int, int]
) -> None:
    people = [person(at, company) for at, company in enumerate(companies, start=1)]
    rooms = [Room(at, cap, waiting, is_open) for at, (cap, waiting, is_open) in enumerate(caps, start=1)]
    shares = share_out(people, rooms, known, {})
    assert shares.keys() == {founder.id for founder in people}
    assert set(shares.values()) <= {room.mailbox_id for room in rooms}
    assert share_out(people, rooms, known, {}) == shares
    for founder in people:
        if known.get(founder.id, 99) <= len(rooms):
            assert shares[founder.id] == known[founder.id]
