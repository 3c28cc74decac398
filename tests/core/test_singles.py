"""Rows that share nothing: found without holding what they say, and made into the records that judging would make."""

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.merge import Known, plan_merge
from outreach.core.records import CompanyFacts, Lead, Money, PersonFacts
from outreach.core.singles import COMPANY_COLUMNS, FOUNDER_COLUMNS, Sharing, single
from outreach.core.survivors import Entry
from tests.fakes import MONDAY_MORNING


@settings(deadline=None)
@given(st.lists(st.sets(st.integers(0, 30).map(str), max_size=3), max_size=30), st.sets(st.integers(0, 29), max_size=3))
def test_groups_are_the_rows_that_hang_together(rows: list[set[str]], odd: set[int]) -> None:
    odd = {row for row in odd if row < len(rows)}
    sharing = Sharing(expected=len(rows))
    for values in rows:
        sharing.add(values)
    groups = [set(group) for group in sharing.groups(odd)]
    components: list[set[int]] = []
    for row, values in enumerate(rows):
        met = [each for each in components if any(rows[other] & values for other in each)]
        components = [each for each in components if each not in met] + [{row}.union(*met)]
    wanted = [each for each in components if len(each) > 1 or each & odd]
    assert sorted(map(sorted, groups)) == sorted(map(sorted, wanted))


def test_what_is_repeated_elsewhere_must_be_judged() -> None:
    sharing = Sharing(expected=2)
    sharing.add(["a"])
    sharing.add(["b"])
    sharing.repeat("b")
    assert sharing.groups() == [[1]]


_FACTS = CompanyFacts(
    "Acme (formerly Zenith)", website="www.acme.example/x", slug="caf%C3%A9", linkedin="linkedin.com/company/acme",
    city="Berlin", region="Berlin", country="Germany", funding_total=Money(5, "EUR", None),
    emails=("info@acme.example",),
)  # fmt: skip
_ADA = PersonFacts(
    "Dr. Ada Testwell", linkedin="linkedin.com/in/ada", emails=("ada+x@acme.example", "sales@acme.example")
)


def test_a_row_alone_becomes_what_judging_it_would_make() -> None:
    lead = Lead(2, {}, _FACTS, (_ADA, PersonFacts("Omar Brightly, III", title="CTO")))
    alone = single(lead)
    plan = plan_merge([Entry(lead, "test", MONDAY_MORNING)], Known({}, {}, {}, {}, 1, 1))
    assert alone.plain
    assert alone.company == tuple(getattr(plan.companies[0], name) for name in COMPANY_COLUMNS)
    assert set(alone.keys) == plan.companies[0].keys
    assert set(alone.hints) == plan.companies[0].hints
    assert set(alone.aliases) == plan.companies[0].aliases
    assert alone.people == [tuple(getattr(each, name) for name in FOUNDER_COLUMNS) for each in plan.founders]
    assert {key for _, key in alone.people_hints} == plan.founders[0].hints
    assert {key for _, key in alone.people_keys} == plan.founders[0].keys
    owners = {each.key: -1 if each.company_id else (each.founder_id or 0) - 1 for each in plan.addresses}
    assert alone.addresses == owners


def test_two_like_names_in_one_row_must_be_judged() -> None:
    for names in (("Dan Testwell", "Daniel Testwell"), ("Léa Quill", "Lea Quill"), ("Ada", "Ada")):
        assert not single(Lead(2, {}, _FACTS, tuple(map(PersonFacts, names)))).plain
    assert single(Lead(2, {}, _FACTS, (PersonFacts("Ada Testwell"), PersonFacts("Omar Brightly")))).plain
