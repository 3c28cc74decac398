"""Reports that come as JSON in a plain mail: Amazon SES tells of bounces, complaints and deliveries through SNS.

They are turned into what a delivery report (RFC 3464) or a feedback report (RFC 5965) would have said, so that nothing
else needs to know of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outreach.core.headers import Headers, clean

_MAX_TEXT = 256_000
_MOST_PEOPLE = 50
_ACTIONS = {"bounce": "failed", "deliverydelay": "delayed", "delivery": "delivered"}
_PEOPLE = {"bounce": "bouncedRecipients", "deliverydelay": "delayedRecipients", "complaint": "complainedRecipients"}
# What SES means where the recipient's server gave no code of its own.
_STATUS = {"permanent": "5.1.1", "transient": "4.0.0", "undetermined": "5.0.0"}
_SUBTYPES = {
    "mailboxfull": "5.2.2",
    "messagetoolarge": "5.3.4",
    "contentrejected": "5.6.0",
    "attachmentrejected": "5.6.1",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What such a mail reports, in the words of the standards."""

    returned: Headers
    statuses: tuple[Headers, ...] = ()
    feedback: Headers = field(default_factory=Headers)


def read_notice(text: str) -> Notice | None:
    """The notice in this text, bare or wrapped by SNS; None if there is none."""
    report = _unwrapped(_first_object(text[:_MAX_TEXT]))
    kind = str(report.get("notificationType") or report.get("eventType") or "").lower().replace(" ", "")
    detail, mail = _mapping(report.get(_section(kind))), _mapping(report.get("mail"))
    if kind not in {*_ACTIONS, "complaint"} or not (detail or mail):
        return None
    people = _people(detail.get(_PEOPLE.get(kind, "recipients"))) or _people(mail.get("destination"))
    returned = _returned(mail)
    if kind == "complaint":
        told = str(detail.get("complaintFeedbackType") or "abuse")
        listed = tuple(str(person["emailAddress"]) for person in people)
        return Notice(returned, (), Headers({"feedback-type": (_line(told),), "original-rcpt-to": listed}))
    return Notice(returned, tuple(_status(person, kind, detail) for person in people))


def _section(kind: str) -> str:
    return "deliveryDelay" if kind == "deliverydelay" else kind


def _status(person: Mapping[str, Any], kind: str, detail: Mapping[str, Any]) -> Headers:
    said = str(person.get("status") or "")
    subtype = str(detail.get("bounceSubType") or detail.get("delayType") or "").lower()
    if kind == "bounce" and not said:
        said = _SUBTYPES.get(subtype) or _STATUS.get(str(detail.get("bounceType") or "").lower(), "5.0.0")
    fields = {
        "final-recipient": f"rfc822; {person['emailAddress']}",
        "action": _ACTIONS[kind],
        "status": said,
        "diagnostic-code": str(person.get("diagnosticCode") or ""),
    }
    return Headers({name: (_line(value),) for name, value in fields.items() if value})


def _returned(mail: Mapping[str, Any]) -> Headers:
    """The head of our mail: its own headers where they are included, and the id that SES gave it."""
    found: dict[str, list[str]] = {}
    listed = mail.get("headers")
    for header in listed if isinstance(listed, list) else ():
        if isinstance(header, dict):
            found.setdefault(str(header.get("name", "")).lower(), []).append(_line(str(header.get("value", ""))))
    common = _mapping(mail.get("commonHeaders"))
    if "message-id" not in found and common.get("messageId"):
        found["message-id"] = [_line(str(common["messageId"]))]
    if mail.get("messageId"):
        # SES replaces the Message-ID; the notice has the new one without brackets and host.
        found.setdefault("x-ses-message-id", []).append(_line(str(mail["messageId"])))
    if "to" not in found and (people := _people(mail.get("destination"))):
        found["to"] = [_line(", ".join(str(person["emailAddress"]) for person in people))]
    return Headers({name: tuple(values) for name, values in found.items()})


def _people(listed: object) -> list[Mapping[str, Any]]:
    entries = listed[:_MOST_PEOPLE] if isinstance(listed, list) else []
    people = [entry if isinstance(entry, dict) else {"emailAddress": entry} for entry in entries]
    return [person for person in people if isinstance(person.get("emailAddress"), str)]


def _first_object(text: str) -> Mapping[str, Any]:
    start = text.find("{")
    if start < 0:
        return {}
    try:
        found, _end = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):
        return {}
    return _mapping(found)


def _unwrapped(found: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = found.get("Message")
    return _first_object(inner) if isinstance(inner, str) else found


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _line(value: str) -> str:
    return " ".join(clean(value).split())[:2_000]
