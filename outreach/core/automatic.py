"""What gives an automatic reply away (RFC 3834): its headers, its subject, what it says; and which kind of one it is.

No single sign tells, and people write of absences too: what an answer in our thread says of them is a person's.
"""

import re
from functools import cache

from outreach.core.case import Case
from outreach.core.inbound import Arrival
from outreach.core.phrases import fold, phrases
from outreach.core.undeclared import is_vacation
from outreach.resources import table, toml

_LOOKED_AT = 2_000
_WORD_GOES_ON = re.compile("(?<=[a-zà-ÿа-я])[a-zà-ÿа-я-]")  # scripts that part words by blanks
_AUTO_NAME = re.compile("auto-?(?:repl|respond|response$|generated)|vacation|out-?of-?office")
"""In a header's name; X-Auto-Response-Suppress, which only asks others not to answer, is none."""
_UNTRUE = ("no", "false", "0", "none")
_LONGEST_PREFIX = 48
_SAME_BREATH = 40
_EXCHANGE = re.compile(r"(?:automat|[^\x00-\x7f])[^:]{4,40}:|[^:]{4,20} [^:]{0,20}automat[^:]{0,12}:")
"""`Automatic reply: …` in most languages; what it answers with is an absence unless it says something else."""
_TICKET = re.compile(r"\[?#\s?\d{3,}|\[[a-z]+-\d+\]")
_SAYING = (
    ("precedence", "auto_reply"),
    ("precedence", "auto-reply"),
    ("x-precedence", "auto_reply"),
    ("preference", "auto_reply"),
    ("x-fc-machinegenerated", "true"),
    ("x-post-messageclass", "autoresponder"),
    ("delivered-to", "autoresponder"),
    ("x-mailer", "vacation"),
    ("x-mailer", "autorespon"),
)


def automatic_sign(case: Case) -> str:
    """The first sign that no person wrote it; empty if none shows."""
    arrival = case.arrival
    header = automatic_header(arrival)
    if header:
        return header
    if _is_automatic_subject(case) and case.subject != case.our_subject:
        return f"Subject: {arrival.subject}"
    phrase = _automatic_words(case)
    if phrase:
        return f"it says: {phrase}"
    null_path = arrival.headers.raw("return-path").strip() == "<>"
    return "Return-Path: <>" if null_path and case.match is not None and not case.match.probable else ""


def absence_kind(case: Case, *, returned: bool) -> str:
    """left, out_of_office, ticket or other; `returned`: a day of return is named."""
    said = fold(f"{case.subject} {case.text.shown[:_LOOKED_AT]}")
    if phrases("absence.toml", "left").find(said):
        return "left"
    if phrases("absence.toml", "away").find(said) or returned:
        return "out_of_office"
    if _TICKET.search(said) or phrases("machines.toml", "ticket_words").find(said):
        return "ticket"
    exchange = "x-ms-exchange-inbox-rules-loop" in case.arrival.headers or _EXCHANGE.match(case.subject)
    return "out_of_office" if is_vacation(case.arrival) or exchange else "other"


def automatic_header(arrival: Arrival) -> str:
    """The strong headers. X-Auto-Response-Suppress alone is none: it asks others not to answer."""
    head = arrival.headers
    submitted = head.word("auto-submitted")
    if submitted and submitted != "no":
        return f"Auto-Submitted: {submitted}"
    named = next((name for name in head.fields if _AUTO_NAME.search(name) and head.word(name) not in _UNTRUE), "")
    if named:
        return named.title()
    if "x-auto-response-suppress" in head and "x-ms-exchange-inbox-rules-loop" in head:
        return "X-MS-Exchange-Inbox-Rules-Loop"
    if "x-ms-exchange-generated-message-source" in head:
        return "X-MS-Exchange-Generated-Message-Source"
    if head.word("x-apple-action") == "vacation":
        return "X-Apple-Action: VACATION"
    return next((f"{name.title()}: {head.text(name)}" for name, said in _SAYING if said in head.text(name).lower()), "")


def _automatic_words(case: Case) -> str:
    """What machines say of themselves. "I am away" may be a person who answers all the same."""
    start = fold(case.start)
    phrase = next((line for line in table("auto_phrases.txt") if line in start), "")
    if phrase and (not case.threaded or (_automatic_root().search(phrase) and _opens_sentence(phrase, case.start))):
        return phrase
    said = fold(case.text.shown[:_LOOKED_AT])
    forbids = "" if case.text.inline else phrases("machines.toml", "do_not_answer").find(said)
    at = said.find(forbids)
    root = _automatic_root().search(said[max(0, at - _SAME_BREATH) : at + len(forbids) + _SAME_BREATH])
    return f"{root[0]} … {forbids}" if forbids and root else ""


def _opens_sentence(phrase: str, text: str) -> bool:
    """ "This is an automatic reply" stands alone; "sorry for my automatic reply" is somebody's."""
    words = r"\s+".join(map(re.escape, phrase.split()))
    return re.search(rf"(?:^|[.!?:*#=_(\[\n-])\s*{words}", text.replace("’", "'")) is not None


@cache
def _automatic_root() -> re.Pattern[str]:
    """The word "automatic" in every language that an Exchange server speaks, but not "automation"."""
    return re.compile("|".join(toml("machines.toml")["automatic_roots"]))


def _is_automatic_subject(case: Case) -> bool:
    """`…` before a phrase: it may stand anywhere, but not where people talk about it, in answers and on lists."""
    subject, lines, head = case.subject, table("auto_subjects.txt"), case.arrival.headers
    if subject != _plain_subject(case.arrival) and case.threaded:
        return False  # "Re: Automatic reply": a person who answers one
    if _is_automatic_prefix(subject) or any(
        subject.startswith(line) and not _WORD_GOES_ON.match(subject, len(line)) for line in lines
    ):
        return True
    talked = "list-id" in head or head.word("precedence") == "list" or subject != _plain_subject(case.arrival)
    return not talked and any(line[1:] in subject for line in lines if line.startswith("…"))


def _is_automatic_prefix(subject: str) -> bool:
    """`Automatic reply: our subject` or `[automatic reply] our subject`, in any language."""
    prefix = subject[1:].partition("]")[0] if subject.startswith("[") else subject.partition(":")[0]
    return len(prefix) <= min(_LONGEST_PREFIX, len(subject) - 2) and _automatic_root().search(prefix) is not None


def _plain_subject(arrival: Arrival) -> str:
    return " ".join(arrival.subject.lower().replace("：", ":").split())
