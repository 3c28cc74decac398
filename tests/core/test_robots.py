"""robots.txt as RFC 9309 has it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.core.robots import ALLOW_ALL, parse_robots


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/", True),
        ("User-agent: *\nDisallow: /", "/team", False),
        ("User-agent: *\nDisallow:", "/team", True),
        ("user-agent:*\ndisallow:/private", "/private/x", False),
        ("User-agent: *\nDisallow: /private", "/public", True),
        ("User-agent: *\nDisallow: /\nAllow: /team", "/team/ada", True),
        ("User-agent: *\nDisallow: /team\nAllow: /team", "/team", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a/b", "/a/b/c", False),
        ("User-agent: *\nDisallow: /*.php$", "/x/y.php", False),
        ("User-agent: *\nDisallow: /*.php$", "/x/y.php?z", True),
        ("User-agent: *\nDisallow: /a*b*c", "/a1b2c3", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a1c2b3", True),
        ("User-agent: *\nDisallow: /team$", "/team", False),
        ("User-agent: *\nDisallow: /team$", "/teams", True),
        ("User-agent: outreach\nDisallow: /\n\nUser-agent: *\nAllow: /", "/", False),
        ("User-agent: other\nDisallow: /\n\nUser-agent: *\nAllow: /", "/", True),
        ("User-agent: other\nUser-agent: Outreach/1.0\nDisallow: /", "/", False),
        ("User-agent: other\nDisallow: /", "/", True),
        ("User-agent: *\nDisallow: /%7eada", "/~ada", False),
        ("User-agent: *\nDisallow: /über", "/%C3%BCber", False),
        ("User-agent: * # everyone\nDisallow: / # all", "/", False),
        ("Disallow: /\n", "/", True),
        ("<html>not a robots file</html>", "/", True),
        ("User-agent: *\nSitemap: https://x.example/s.xml\nDisallow: /a", "/a", False),
        ("User-agent: *\nSitemap: https://x.example/s.xml\nUser-agent: other\nDisallow: /", "/", False),
        ("User-agent: *\nCrawl-delay: 5\nUser-agent: other\nDisallow: /", "/", True),
        ("\ufeffUser-agent: *\nDisallow: /", "/", False),
        ("User-agent: *\nDisallow: /a\n\nUser-agent: *\nDisallow: /b", "/b", False),
    ],
)
def test_what_is_allowed(text: str, path: str, allowed: bool) -> None:
    assert parse_robots(text, "outreach").allows(path) is allowed


@pytest.mark.parametrize(("line", "seconds"), [("5", 5), ("0.5", 0.5), ("9999", 30), ("-3", 0), ("soon", 0)])
def test_the_delay_a_site_asks_for(line: str, seconds: float) -> None:
    assert parse_robots(f"User-agent: *\nCrawl-delay: {line}", "outreach").delay == seconds


def test_no_rules_allow_everything() -> None:
    assert ALLOW_ALL.allows("/anything")


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=300), st.text(max_size=60))
def test_any_file_is_read(text: str, path: str) -> None:
    assert parse_robots(f"User-agent: *\n{text}", "outreach").allows(path) in (True, False)
