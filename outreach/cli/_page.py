"""The preview as one HTML file: everything in it, nothing fetched, data as data.

Its policy lets one script run, ours, by its hash; a company's name cannot become one. The HTML part of a mail is shown
in a frame without any permission.
"""

import base64
import json
import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from outreach.core.message import OPT_OUT

if TYPE_CHECKING:
    from outreach.core.findings import Finding
    from outreach.core.records import Campaign, Founder
    from outreach.core.records import Sequence as Steps
    from outreach.flows.preview import Blank, Shown

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{76}\n){10,}[A-Za-z0-9+/=]*\n?")
_MAX_SOURCE = 100_000


def preview_page(
    campaign: "Campaign", sequence: "Steps", found: "Sequence[Shown | Blank]", *, command: str, made: datetime
) -> bytes:
    """The page. `command` is what approves these very mails; empty where there is nothing to approve."""
    mails = [_mail(each) for each in found]
    held = sum(bool(mail["held"]) for mail in mails)
    data = {
        "campaign": campaign.name,
        "sequence": campaign.sequence,
        "steps": len(sequence.steps),
        "made": f"{made:%d %b %Y, %H:%M}",
        "ready": len(mails) - held,
        "held": held,
        "command": command,
        "mails": mails,
    }
    script = part("preview.js")
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    page = part("preview.html")
    for name, text in (
        ("SCRIPT_HASH", f"sha256-{digest}"),
        ("STYLE", part("colors.css") + part("preview.css")),
        ("SCRIPT", script),
        ("DATA", _embedded(data)),  # the last: nothing is looked for in it
    ):
        page = page.replace(f"%{name}%", text, 1)
    return page.encode()


def _embedded(data: dict[str, Any]) -> str:
    """JSON that no HTML parser can leave early, and that no reader of JavaScript lines stumbles over."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def part(name: str) -> str:
    return files("outreach.cli").joinpath("page", name).read_text("utf-8")


def _mail(each: "Shown | Blank") -> dict[str, Any]:
    from outreach.flows.preview import Blank

    who = {"name": each.founder.full_name, "company": _company(each.founder), "step": each.step}
    nothing: dict[str, Any] = {
        "address": "", "subject": "", "text": "", "html": "", "footer": "", "from": "", "to": "", "date": "",
        "source": "", "files": [], "variant": "", "state": "", "approval": "", "changed": "", "held": [], "waits": [],
        "findings": [],
    }  # fmt: skip
    if isinstance(each, Blank):
        return {**nothing, **who, "held": _held(each)}
    return {**nothing, **who, **_shown(each)}


def _held(blank: "Blank") -> list[str]:
    """Each reason, with its place in the template where there is one."""
    places = [_place(finding) for finding in blank.findings]
    if len(places) != len(blank.reasons):
        return list(blank.reasons)
    return [f"{reason}{f' ({place})' if place else ''}" for reason, place in zip(blank.reasons, places, strict=True)]


def _shown(mail: "Shown") -> dict[str, Any]:
    seen = mail.seen
    headers = dict(seen.headers)
    void = mail.approval.startswith("not as approved")
    return {
        "address": mail.address,
        "subject": seen.subject,
        "text": seen.text,
        "html": seen.html,
        "footer": _footer(seen.text),
        "from": headers.get("From", ""),
        "to": headers.get("To", ""),
        "date": headers.get("Date", ""),
        "source": _source(mail.mime),
        "files": [{"name": file.name, "size": f"{max(1, round(file.size / 1000))} kB"} for file in seen.files],
        "variant": mail.variant,
        "state": mail.state,
        "approval": "" if void else mail.approval,
        "changed": mail.approval if void else "",
        "waits": list(mail.waits),
        "findings": [_finding(each) for each in mail.findings],
    }


def _source(mime: bytes) -> str:
    """The bytes as text; what is attached, by its length: a thousand mails with a CV each are one page."""
    text = mime.decode("utf-8", "replace").replace("\r\n", "\n")
    return _BASE64.sub(lambda match: f"[… {len(match[0]) // 1000} kB in base64 …]\n", text)[:_MAX_SOURCE]


def _footer(text: str) -> str:
    """The tool's own lines at the end, which are shown smaller: from the paragraph of the opt-out sentence on."""
    at = text.rfind(OPT_OUT)
    start = text.rfind("\n\n", 0, at) + 2 if at >= 0 else -1
    return text[start:] if start > 1 and len(text) - start < 1_500 else ""


def _finding(finding: "Finding") -> dict[str, Any]:
    return {"rule": finding.rule, "message": finding.message, "place": _place(finding)}


def _place(finding: "Finding") -> str:
    """The file in its folder, and the line."""
    path, _, line = finding.place.rpartition(":")
    return f"{'/'.join(path.split('/')[-2:])}:{line}" if path else ""


def _company(founder: "Founder") -> str:
    return founder.company.name if founder.company else ""
