"""May this founder be written to: every rule, with what makes it say no."""

from dataclasses import replace
from datetime import timedelta

import pytest

from outreach.core.guards import Facts, answers, blocks, sendable_address
from outreach.core.records import Address, AddressStatus, Company, Founder
from tests.fakes import MONDAY_MORNING as NOW


def address(text: str, status: AddressStatus = AddressStatus.GIVEN) -> Address:
    return Address(text, text, status, "test")


BO = Founder(1, "Bo Quill", "Bo", "Quill", company=Company(1, "Quill Labs"), addresses=(address("bo@quill.example"),))
FACTS = Facts(BO)
GUESS = address("bo.quill@quill.example", AddressStatus.GUESSED)

CASES = [
    ("suppressed", replace(FACTS, suppressed_by=("opt_out (asked us not to)",)), "opt_out (asked us not to)"),
    ("replied", replace(FACTS, replied_at=NOW), "they answered on 2026-03-02"),
    ("company-replied", replace(FACTS, answered_colleague="Cy Quill"), "Cy Quill, of the same company, answered"),
    ("no-address", replace(FACTS, founder=replace(BO, addresses=())), "no e-mail address is known"),
    (
        "unverified-address",
        replace(FACTS, founder=replace(BO, addresses=(GUESS,))),
        "bo.quill@quill.example is guessed",
    ),
    (
        "role-inbox",
        replace(FACTS, founder=replace(BO, addresses=(address("info@quill.example"),))),
        "is a shared inbox",
    ),
    (
        "already-contacted",
        replace(FACTS, first_written_at=NOW - timedelta(days=89)),
        "a first mail went out on 2025-12-03",
    ),
    (
        "already-in-touch",
        replace(FACTS, by_hand_at=NOW - timedelta(days=89)),
        "you wrote to them by hand on 2025-12-03",
    ),
    ("other-campaign", replace(FACTS, other_campaign="winter"), "campaign winter is writing to them"),
    ("company-busy", replace(FACTS, busy_colleague="Cy Quill"), "Cy Quill, of the same company"),
    ("namesake", replace(FACTS, namesake="Other Labs"), "at Other Labs"),
    (
        "company-gone",
        replace(FACTS, founder=replace(BO, company=Company(1, "Quill Labs", status="closed"))),
        "is closed",
    ),
]


@pytest.mark.parametrize(("rule", "facts", "detail"), CASES)
def test_a_rule_says_no_and_why(rule: str, facts: Facts, detail: str) -> None:
    [reason] = blocks(answers(facts, NOW))
    assert reason.startswith(f"{rule}: ")
    assert detail in reason


def test_every_rule_has_a_case_and_all_pass_for_a_new_founder() -> None:
    found = answers(FACTS, NOW)
    assert {answer.rule for answer in found} == {case[0] for case in CASES}
    assert blocks(found) == ()


def test_ninety_days_later_a_new_first_mail_may_go() -> None:
    assert blocks(answers(replace(FACTS, first_written_at=NOW - timedelta(days=90)), NOW)) == ()


def test_several_reasons_are_all_told() -> None:
    facts = replace(FACTS, replied_at=NOW, other_campaign="winter")
    assert [reason.partition(":")[0] for reason in blocks(answers(facts, NOW))] == ["replied", "other-campaign"]


@pytest.mark.parametrize("status", [s for s in AddressStatus if s not in (AddressStatus.GIVEN, AddressStatus.VERIFIED)])
def test_only_given_and_verified_addresses_are_written_to(status: AddressStatus) -> None:
    assert sendable_address([address("bo@quill.example", status)]) is None


def test_a_verified_address_comes_before_a_given_one() -> None:
    verified = address("z@quill.example", AddressStatus.VERIFIED)
    assert sendable_address([address("a@quill.example"), verified, GUESS]) == verified
