"""Who founded the company, as far as a title tells."""

import pytest

from outreach.core.titles import says_founder


@pytest.mark.parametrize(
    ("title", "founder"),
    [
        ("Founder", True),
        ("Co-Founder & CEO", True),
        ("cofounder", True),
        ("CEO, Co Founder", True),
        ("Founding Partner", True),
        ("Owner", True),
        ("Founder's Office", False),
        ("Founders Office", False),
        ("Founder’s Associate", False),
        ("Assistant to the Founder", False),
        ("Product Owner", False),
        ("Adviser", False),
        ("", False),
    ],
)
def test_says_founder(title: str, founder: bool) -> None:
    assert says_founder(title) is founder
