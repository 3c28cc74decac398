"""Which kind of mail this is: named rules in a fixed order, the first that answers decides.

Gates come first because no single header tells: Auto-Submitted sits on half of all bounces, Precedence: bulk on mailing
lists of people. So bounces are looked for before automatic replies, and a person is who is left. Nothing here guesses
interest; it only tells who, or what, wrote.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from outreach.core.absence import find_return
from outreach.core.automatic import absence_kind, automatic_header, automatic_sign
from outreach.core.bounces import is_success, read_failures, report_rule
from outreach.core.case import FIRST_LETTERS, Case
from outreach.core.headers import Headers, find_addresses
from outreach.core.inbound import Arrival
from outreach.core.matching import company_domain
from outreach.core.normalize import address_key
from outreach.core.opt_out import find_doubtful, find_opt_out
from outreach.core.phrases import fold, phrases
from outreach.core.verdict import Kind, Verdict
from outreach.resources import toml

_LOOKED_AT = 2_000
_LINKS = 20_000
_ASKS_PROOF = re.compile("verif|please confirm|confirm your|confirmation (?:required|needed)")
_MOST_NAMED = 3
_LIST_MANAGER = re.compile(
    r"(?:^|[-_.+])(?:owner|request|bounces?|admin|listserv|majordomo|sympa|mailman|noreply)(?:[-_.+@])"
)
_WE = re.compile(r"\b(?:us|our|uns|unsere|nous|notre|nos|nosotros|noi|ons|onze|nas|nasz)\b")
_NO_REPLY = ("noreply", "donotreply", "nepasrepondre", "noresponder", "nichtantworten")


def is_report(arrival: Arrival, rule: str | None = None) -> bool:
    """Whether a mere mention of an address in it points to the address's owner. `rule` as in `Case.report`."""
    found = report_rule(arrival) if rule is None else rule
    return bool(found or arrival.feedback.fields or _complains(arrival))


def classify(case: Case) -> Verdict:
    """The kind of a message, with the evidence for it."""
    for name, rule in _RULES:
        verdict = rule(case)
        if verdict is not None:
            how = (case.match.how,) if case.match else ("matched to no mail of ours",)
            return replace(verdict, evidence=(f"rule: {name}", *verdict.evidence, *how))
    raise AssertionError("the last rule takes everything")


# --- the rules, in order ----------------------------------------------------------------------------------------


def _own(case: Case) -> Verdict | None:
    arrival = case.arrival
    if case.folder != "sent" and address_key(arrival.from_address) not in case.own:
        return None
    if case.match and _is_copy(case):
        return Verdict(Kind.OWN, "copy", ("our own mail",))
    return Verdict(Kind.OWN, "by_hand", ("written from our address, not by this program",))


def _is_copy(case: Case) -> bool:
    """Our mail itself, perhaps under another Message-ID. An answer by hand lacks its headers and holds other text."""
    mail = case.match.mail if case.match else None
    head = case.arrival.headers
    ids = head.ids("message-id", "x-microsoft-original-message-id", "x-google-original-message-id")
    if mail and (mail.message_id in ids or (mail.wire_message_id and mail.wire_message_id in ids)):
        return True
    return "x-outreach-id" in head or bool(case.text.full and not case.text.new)


def _machine_unsubscribe(case: Case) -> Verdict | None:
    arrival = case.arrival
    if arrival.headers.word("x-apple-unsubscribe") == "true":
        return Verdict(Kind.UNSUBSCRIBE, "machine", ("X-Apple-Unsubscribe: true",))
    subject = arrival.subject.lower().strip()
    if re.fullmatch(r"unsubscribe(?:[ _]+[a-z2-7]{26,56})?", subject):
        return Verdict(Kind.UNSUBSCRIBE, "machine", (f"Subject: {arrival.subject}",))
    if any(re.search(r"\+u-[a-z2-7]{26,56}@", address.lower()) for address in arrival.to):
        return Verdict(Kind.UNSUBSCRIBE, "machine", ("sent to our unsubscribe address",))
    if arrival.feedback.word("feedback-type") == "opt-out":
        return Verdict(Kind.UNSUBSCRIBE, "machine", ("Feedback-Type: opt-out",))
    return None


def _complaint(case: Case) -> Verdict | None:
    return Verdict(Kind.COMPLAINT, "", (_complains(case.arrival),)) if _complains(case.arrival) else None


def _complains(arrival: Arrival) -> str:
    kind = arrival.feedback.word("feedback-type")
    if kind in ("auth-failure", "opt-out", "opt-out-list", "not-spam", "dmarc"):
        return ""  # a DMARC report (RFC 6591), an unsubscribe, praise
    if arrival.report_type == "feedback-report" or arrival.feedback.fields:
        return f"feedback report of type {kind or 'unknown'}"
    words = toml("machines.toml")
    sender, subject = arrival.from_address.lower(), arrival.subject.lower()
    if sender == "staff@hotmail.com" and "complaint about message from" in subject:
        return "a complaint by Outlook.com"
    said = f"{subject} {' '.join(arrival.words[:_LOOKED_AT].lower().split())}"
    forwards = any(name in sender for name in words["complaint_senders"])
    phrase = next((phrase for phrase in words["complaint_words"] if phrase in said), "")
    failed_check = "authentication failure report" in said or "feedback-type: auth-failure" in said
    if phrase and not failed_check and (forwards or "feedback-type: abuse" in said):
        return f"it says: {phrase}"
    return ""


def _challenge(case: Case) -> Verdict | None:
    arrival, words = case.arrival, toml("machines.toml")
    domain = arrival.from_address.lower().rpartition("@")[2]
    if any(domain == each or domain.endswith(f".{each}") for each in words["challenge_senders"]):
        return Verdict(Kind.CHALLENGE, "", (f"From: {arrival.from_address}",))
    header = next((name for name in words["challenge_headers"] if name in arrival.headers), "")
    if header:
        return Verdict(Kind.CHALLENGE, "", (header,))
    said = f"{case.subject} {' '.join(case.text.shown[:_LOOKED_AT].lower().split())}"
    report = bool(case.report_rule)
    certain = [*words["challenge_certain"], *(("guest list", "allowed list") if report else ())]
    asks = next((phrase for phrase in certain if phrase in said), "")
    linked = "http" in f"{said} {arrival.html[:_LINKS].lower()}" or _ASKS_PROOF.search(case.subject)
    if asks and linked and not case.text.inline:
        return Verdict(Kind.CHALLENGE, "", (f"it says: {asks}",))
    phrase = next((phrase for phrase in words["challenge_words"] if phrase in said), "")
    machine = bool(automatic_header(arrival)) or _is_noreply(arrival.from_address) or _ASKS_PROOF.search(case.subject)
    return Verdict(Kind.CHALLENGE, "", (f"it says: {phrase}",)) if phrase and machine and not report else None


def _report(case: Case) -> Verdict | None:
    rule = case.report_rule
    if not rule:
        return None
    if is_success(case.arrival):
        return Verdict(Kind.RECEIPT, "delivered", (rule,))
    bounce = Verdict(Kind.BOUNCE, "", (), read_failures(case.arrival))
    ours = bounce.failure_of(case.match.address_key if case.match else "")
    return replace(bounce, subkind=ours.reason, evidence=(f"found by: {rule}", str(ours)))


def _receipt(case: Case) -> Verdict | None:
    arrival = case.arrival
    if arrival.report_type == "disposition-notification" or arrival.disposition.fields:
        return Verdict(Kind.RECEIPT, "read", (arrival.disposition.text("disposition") or "disposition notification",))
    if not case.subject.startswith(tuple(toml("machines.toml")["receipt_subjects"])):
        return None
    said = phrases("machines.toml", "receipt_words").find(fold(arrival.words[:_LOOKED_AT]))
    return Verdict(Kind.RECEIPT, "read", (f"it says: {said}",)) if said else None


def _auto_reply(case: Case) -> Verdict | None:
    sign = automatic_sign(case)
    if not sign:
        return None
    generated = case.arrival.headers.word("auto-submitted") in ("auto-generated", "auto-notified")
    if generated and case.match is None:
        return None  # a machine's own news, no answer
    written = f"{case.arrival.subject}\n{case.text.shown}"
    returns_on = find_return(written, case.arrival.sent_at.date())
    subkind = absence_kind(case, returned=returns_on is not None)
    if subkind != "left" and (asked := find_opt_out(case.text.new)):
        return Verdict(Kind.AUTOMATIC, "", (sign, f"possible opt-out: it says {asked}, please read"))
    named = _others_named(case) if subkind == "left" else ()
    return Verdict(Kind.AUTO_REPLY, subkind, (sign, *named), returns_on=returns_on)


def _others_named(case: Case) -> tuple[str, ...]:
    """Whom someone who has left names instead: shown, never written to by itself."""
    ours = {*case.own, case.match.address_key if case.match else "", address_key(case.arrival.from_address or "@")}
    found = (each for each in find_addresses(case.text.shown[:_LOOKED_AT]) if address_key(each) not in ours)
    return tuple(f"they name {each}" for each in list(found)[:_MOST_NAMED])


def _calendar(case: Case) -> Verdict | None:
    """An invitation or the answer to one: someone acted, so it must not pass as a mere automatic reply."""
    if "text/calendar" not in case.arrival.types or case.match is None:
        return None
    if automatic_header(case.arrival) or "calendar-notification" in case.arrival.headers.text("sender").lower():
        return Verdict(Kind.AUTOMATIC, "calendar", ("an invitation, or the answer to one",))
    return None


def _machine(case: Case) -> Verdict | None:
    arrival = case.arrival
    sign = _list_manager(arrival) or machine_sign(arrival.headers, arrival.from_address, threaded=case.threaded)
    return Verdict(Kind.AUTOMATIC, "", (sign,)) if sign else None


def _list_manager(arrival: Arrival) -> str:
    if not _LIST_MANAGER.search(arrival.from_address.lower()):
        return ""
    said = fold(f"{arrival.subject} {arrival.words[:FIRST_LETTERS]}")
    manager = phrases("machines.toml", "list_manager_words").find(said)
    return f"a list manager says: {manager}" if manager else ""


def machine_sign(head: Headers, sender: str, *, threaded: bool) -> str:
    """Other machines' mail. A person on a mailing list is none: then the mail is a threaded answer to ours."""
    if head.word("precedence") in ("bulk", "junk", "list") and not threaded:
        return f"Precedence: {head.word('precedence')}"
    if ("list-id" in head or "list-unsubscribe" in head) and not threaded:
        return "a mailing list's headers"
    if head.word("auto-submitted") not in ("", "no"):
        return f"Auto-Submitted: {head.word('auto-submitted')}"
    return f"From: {sender}" if _is_noreply(sender) else ""


def _is_noreply(sender: str) -> bool:
    local = sender.lower().partition("@")[0].partition("+")[0]
    return local in toml("machines.toml")["noreply_names"] or local.replace("-", "").replace("_", "").startswith(
        _NO_REPLY
    )


def _unrelated(case: Case) -> Verdict | None:
    return Verdict(Kind.UNRELATED) if case.match is None else None


def _unreadable(case: Case) -> Verdict | None:
    """Its head links it to us and nothing more could be read: a person looks, until then nobody is written to."""
    if not case.arrival.trouble or case.text.full or case.match is None:
        return None
    return Verdict(Kind.AUTOMATIC, "unreadable", (case.arrival.trouble,))


def _own_subject(case: Case) -> str:
    """The subject, where they chose it themselves: "STOP" above an empty mail."""
    return "" if case.our_subject and case.our_subject in case.subject else case.subject


def _reply(case: Case) -> Verdict:
    asked = find_opt_out(case.text.new) or find_opt_out(_own_subject(case))
    if asked:
        domain = company_domain(case.match.address_key) if case.match else ""
        whole = _WE.search(asked) is not None and domain
        offer = (f"for the whole company: outreach suppress add {domain}",) if whole else ()
        return Verdict(Kind.UNSUBSCRIBE, "human", (f"they wrote: {asked}", *offer))
    doubtful = find_doubtful(case.text.new)
    evidence = (f"possible opt-out: they wrote {doubtful}, please read",) if doubtful else ()
    return Verdict(Kind.REPLY, "inline" if case.text.inline else "plain", evidence)


_RULES: tuple[tuple[str, Callable[[Case], Verdict | None]], ...] = (
    ("own mail", _own),
    ("unsubscribe by machine", _machine_unsubscribe),
    ("complaint", _complaint),
    ("sender check", _challenge),
    ("delivery report", _report),
    ("receipt", _receipt),
    ("calendar", _calendar),
    ("automatic reply", _auto_reply),
    ("other machine", _machine),
    ("no link to our mail", _unrelated),
    ("cannot be read", _unreadable),
    ("written by a person", _reply),
)
