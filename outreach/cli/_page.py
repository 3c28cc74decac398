"""The preview as one HTML file: everything in it, nothing fetched, data as data.

Its policy lets one script run, ours, by its hash; a company's name cannot become one. The HTML part of a mail is shown
in a frame without any permission.
"""

import base64
import json
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

MARK = b"<!-- a preview made by outreach:"


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
    script = _part("preview.js")
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    page = _part("preview.html")
    for name, text in (
        ("SCRIPT_HASH", f"sha256-{digest}"),
        ("STYLE", _part("preview.css")),
        ("SCRIPT", script),
        ("DATA", _embedded(data)),  # the last: nothing is looked for in it
    ):
        page = page.replace(f"%{name}%", text, 1)
    return page.encode()


def _embedded(data: dict[str, Any]) -> str:
    """JSON that no HTML parser can leave early, and that no reader of JavaScript lines stumbles over."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _part(name: str) -> str:
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
        return {**nothing, **who, "held": list(each.reasons), "findings": [_finding(it) for it in each.findings]}
    return {**nothing, **who, **_shown(each)}


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
        "source": mail.mime.decode("utf-8", "replace").replace("\r\n", "\n")[:200_000],
        "files": [{"name": file.name, "size": f"{max(1, round(file.size / 1000))} kB"} for file in seen.files],
        "variant": mail.variant,
        "state": mail.state,
        "approval": "" if void else mail.approval,
        "changed": mail.approval if void else "",
        "waits": list(mail.waits),
        "findings": [_finding(each) for each in mail.findings],
    }


def _footer(text: str) -> str:
    """The tool's own lines at the end, which are shown smaller: from the paragraph of the opt-out sentence on."""
    at = text.rfind(OPT_OUT)
    start = text.rfind("\n\n", 0, at) + 2 if at >= 0 else -1
    return text[start:] if start > 1 and len(text) - start < 1_500 else ""


def _finding(finding: "Finding") -> dict[str, Any]:
    path, _, line = finding.place.rpartition(":")
    return {
        "rule": finding.rule,
        "message": finding.message,
        "place": f"{'/'.join(path.split('/')[-2:])}:{line}" if path else "",
    }


def _company(founder: "Founder") -> str:
    return founder.company.name if founder.company else ""
