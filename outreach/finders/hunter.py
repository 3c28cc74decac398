"""Hunter's API, version 2: Email Finder, Domain Search, Email Verifier, and what the account has left.

The key goes into a header and nowhere else; the host is fixed, redirects are not followed. What may have been charged
is never asked again by itself. What Hunter calls `valid` is `verified` here; a catch-all server makes it `risky`.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt

from outreach.core.address_patterns import fits
from outreach.core.names import compatible, parse_name
from outreach.core.normalize import find_addresses, registrable_domain
from outreach.core.ports import (
    Answer,
    Candidate,
    Clock,
    FinderTools,
    LookupOutcome,
    Question,
    Secret,
    Wanted,
    Web,
    WebAnswer,
    WebTrouble,
)
from outreach.core.rates import Rate, wait_for
from outreach.core.records import AddressStatus
from outreach.core.text import one_line

BASE_URL = "https://api.hunter.io/v2"
TRIES = 3
PENDING_TRIES = 8
PATIENCE = 25.0
_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
_RATES = {
    "email-verifier": (Rate(10, _SECOND), Rate(300, _MINUTE)),
    "": (Rate(15, _SECOND), Rate(500, _MINUTE)),
}
_PENDING_SECONDS = 5.0
_LONGEST_WAIT = 90.0
_BODY = 2_000_000
_TEAM = 3
"""From so many wanted founders of one company, Domain Search is the cheaper question: ten addresses for one credit."""
_STATUSES = {
    "valid": AddressStatus.VERIFIED,
    "accept_all": AddressStatus.RISKY,
    "webmail": AddressStatus.RISKY,
    "unknown": AddressStatus.UNKNOWN,
    "invalid": AddressStatus.INVALID,
    "disposable": AddressStatus.INVALID,
}
_BOTH_NAMES = ("strong", "initials")
_MEANS = {
    "accept_all": "the server takes mail for any name, so nobody can tell",
    "webmail": "a private mailbox",
    "valid": "the mailbox exists",
    "invalid": "the mailbox does not exist",
    "disposable": "a throw-away address",
    "unknown": "the server would not say",
}


class HunterFinder:
    """Hunter, as a finder and as a verifier."""

    name = "hunter"

    def __init__(self, web: Web, clock: Clock, secret: Secret, base_url: str = BASE_URL, patience: float = PATIENCE):
        self._web, self._clock, self._secret, self._base, self._patience = web, clock, secret, base_url, patience
        self._asked: dict[str, deque[datetime]] = {}

    @property
    def missing(self) -> str:
        return "" if self._secret("hunter_api_key") else "set OUTREACH_HUNTER_API_KEY in .env (hunter.io, API)"

    # --- finding ----------------------------------------------------------------------------------------

    def questions(self, wanted: Wanted) -> Sequence[Question]:
        name = parse_name(wanted.full_name)
        if not wanted.domain:
            return ()
        found = []
        if wanted.team >= _TEAM:
            found.append(self._question("domain-search", {"domain": wanted.domain, "limit": "10"}, wanted.domain))
        if name.first and name.last:
            params = {"domain": wanted.domain, "first_name": name.first, "last_name": name.last}
            found.append(self._question("email-finder", params, wanted.domain, person=name.key))
        return tuple(found)

    def _question(self, path: str, params: Mapping[str, str], about: str, person: str = "") -> Question:
        key = " ".join([path, about, *([person] if person else [])])
        return Question(self.name, key, {"path": path, **params}, calls=1, credits=1, about=about, person=person)

    def ask(self, question: Question) -> Answer:
        params = dict(question.params)
        return self._call(params.pop("path"), params)

    def read(self, wanted: Wanted, data: Mapping[str, Any]) -> Sequence[Candidate]:
        found = _listed(data, wanted) if "emails" in data else _single(data, wanted)
        return tuple(each for each in found if each.address not in wanted.taken and each.address not in wanted.dead)

    # --- verifying --------------------------------------------------------------------------------------

    def verification(self, address: str) -> Question:
        domain = address.rpartition("@")[2]
        params = {"path": "email-verifier", "email": address}
        return Question(
            self.name, f"email-verifier {address}", params, calls=1, credits=1, about=domain, person=address
        )

    def verdict(self, address: str, data: Mapping[str, Any]) -> Candidate:
        word = str(data.get("status", "unknown"))
        status = _STATUSES.get(word, AddressStatus.UNKNOWN)
        evidence = (f"Hunter: {word} ({_MEANS.get(word, 'no more is known')})", *_sources(data))
        return Candidate(address, status, _score(data), evidence)

    def credits_left(self) -> str:
        """Asking this is free."""
        answer = self._call("account", {})
        lines = answer.data.get("requests")
        if not isinstance(lines, Mapping):
            return ""
        parts = []
        for meter, counts in lines.items():
            available, used = (counts.get("available"), counts.get("used")) if isinstance(counts, Mapping) else ("", "")
            if isinstance(available, int | float) and isinstance(used, int | float | None):
                parts.append(f"{available - (used or 0):g} {one_line(str(meter), 30)}")
        return ", ".join(parts)

    # --- the conversation -------------------------------------------------------------------------------

    def _call(self, path: str, params: Mapping[str, str]) -> Answer:
        """One question, asked as often as it is free to ask again."""
        calls = 0

        def once() -> WebAnswer:
            nonlocal calls
            calls += 1
            return self._get(path, params)

        pending = Retrying(
            retry=retry_if_result(lambda answer: answer.status == 202),
            stop=stop_after_attempt(PENDING_TRIES),
            wait=lambda _state: _PENDING_SECONDS,
            sleep=self._clock.sleep,
            retry_error_callback=_last,
        )
        patient = Retrying(
            retry=retry_if_result(_is_passing),
            stop=stop_after_attempt(TRIES),
            wait=_wait,
            sleep=self._clock.sleep,
            retry_error_callback=_last,
        )
        answer = patient(lambda: pending(once))
        return _meaning(path, answer, calls)

    def _get(self, path: str, params: Mapping[str, str]) -> WebAnswer:
        lane = path if path in _RATES else ""
        asked = self._asked.setdefault(lane, deque(maxlen=500))
        wait = wait_for(asked, _RATES[lane], self._clock.now())
        if wait > timedelta(0):
            self._clock.sleep(wait.total_seconds())
        asked.append(self._clock.now())
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in params.items())
        headers = {"X-API-KEY": self._secret("hunter_api_key"), "Accept": "application/json"}
        url = f"{self._base}/{path}" + (f"?{query}" if query else "")
        return self._web.get(url, headers=headers, seconds=self._patience, limit=_BODY)


def make(tools: FinderTools) -> HunterFinder:
    return HunterFinder(
        tools.web,
        tools.clock,
        tools.secret,
        tools.base_urls.get("hunter", BASE_URL),
        min(tools.patience, PATIENCE),
    )


# --- what an answer means -----------------------------------------------------------------------------


def _is_passing(answer: WebAnswer) -> bool:
    """Trouble that may be over in a moment, and that surely cost nothing. A long wait is not waited for."""
    if answer.trouble:
        return not answer.reached
    return (answer.status in (403, 429) and _retry_after(answer) <= _LONGEST_WAIT) or answer.status >= 500


def _wait(state: RetryCallState) -> float:
    answer = state.outcome.result() if state.outcome else WebAnswer("")
    return max(_retry_after(answer), float(2 ** (state.attempt_number - 1)))


def _retry_after(answer: WebAnswer) -> float:
    told = answer.headers.get("retry-after", "").strip()
    return float(told) if told.isdigit() and len(told) < 7 else 0.0


def _last(state: RetryCallState) -> Any:
    return state.outcome.result() if state.outcome else None


_KNOWN: Mapping[int, tuple[LookupOutcome, str]] = {
    202: (LookupOutcome.FAILED, "is still at work on it; ask again later"),
    204: (LookupOutcome.NOTHING, "knows nothing"),
    222: (LookupOutcome.FAILED, "got no usable answer from the mail server; ask again later"),
    400: (LookupOutcome.NOTHING, "cannot work with this name or domain"),
    401: (LookupOutcome.REFUSED, "does not accept the key in OUTREACH_HUNTER_API_KEY"),
    403: (LookupOutcome.LIMITED, "says that its rate or quota is used up"),
    404: (LookupOutcome.NOTHING, "knows nothing"),
    422: (LookupOutcome.NOTHING, "cannot work with this name or domain"),
    429: (LookupOutcome.LIMITED, "says that its rate or quota is used up"),
    451: (LookupOutcome.RESTRICTED, "was asked by the person not to give their data"),
}


def _meaning(path: str, answer: WebAnswer, calls: int) -> Answer:
    if answer.trouble:
        lost = answer.reached and answer.trouble is not WebTrouble.BLOCKED
        outcome = LookupOutcome.DOUBTFUL if lost else LookupOutcome.FAILED
        return Answer(outcome, calls=calls, text=f"Hunter {answer.reason}")
    if answer.status == 200:
        return _content(path, answer, calls)
    if 300 <= answer.status < 400:
        return Answer(LookupOutcome.REFUSED, calls=calls, text="Hunter redirects elsewhere, which is not followed")
    outcome, text = _KNOWN.get(answer.status, (LookupOutcome.FAILED, f"answered {answer.status}"))
    return Answer(outcome, calls=calls, text=f"Hunter {text}")


def _content(path: str, answer: WebAnswer, calls: int) -> Answer:
    """A 200 may have been charged, so what cannot be read is a doubt."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        return Answer(LookupOutcome.DOUBTFUL, calls=calls, text="Hunter's answer cannot be read")
    kept = _KEPT[path](data)
    if path == "email-finder":
        hit = bool(kept["email"])
    elif path == "domain-search":
        hit = bool(kept["emails"])
    else:
        return Answer(LookupOutcome.ANSWERED, kept, calls, int(path == "email-verifier"))
    return Answer(LookupOutcome.ANSWERED if hit else LookupOutcome.NOTHING, kept, calls, int(hit))


def _texts(data: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: one_line(str(data.get(name) or ""), 254) for name in names}


def _kept_email(data: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of an address's record that are used, with their types made sure of."""
    verification = data.get("verification")
    status = verification.get("status") if isinstance(verification, Mapping) else data.get("status")
    raw = data.get("sources")
    sources = [
        one_line(str(each.get("uri") or each.get("domain") or ""), 200)
        for each in (raw if isinstance(raw, list) else [])[:10]
        if isinstance(each, Mapping)
    ]
    score = data.get("score", data.get("confidence"))
    return {
        **_texts(data, "first_name", "last_name", "type", "position"),
        "email": one_line(str(data.get("email") or data.get("value") or ""), 254),
        "status": status if isinstance(status, str) else "",
        "score": int(score) if isinstance(score, int | float) and 0 <= score <= 100 else 0,
        "sources": [source for source in sources if source],
    }


def _kept_search(data: Mapping[str, Any]) -> dict[str, Any]:
    raw = data.get("emails")
    emails = [_kept_email(each) for each in (raw if isinstance(raw, list) else [])[:100] if isinstance(each, Mapping)]
    return {**_texts(data, "domain", "pattern"), "emails": [each for each in emails if each["email"]]}


def _kept_account(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"requests": data.get("requests")}


_KEPT = {
    "email-finder": _kept_email,
    "email-verifier": _kept_email,
    "domain-search": _kept_search,
    "account": _kept_account,
}


def _single(data: Mapping[str, Any], wanted: Wanted) -> Iterator[Candidate]:
    if candidate := _candidate(data, wanted):
        yield candidate


def _listed(data: Mapping[str, Any], wanted: Wanted) -> Iterator[Candidate]:
    """Of a company's addresses, those whose owner bears this founder's name."""
    name = parse_name(wanted.full_name)
    for each in data["emails"]:
        owner = parse_name(f"{each['first_name']} {each['last_name']}")
        named = len(owner.words) > 1 and compatible(owner, name)
        if named or fits(each["email"].partition("@")[0], wanted.full_name, wanted.country) in _BOTH_NAMES:
            yield from _single(each, wanted)


def _candidate(data: Mapping[str, Any], wanted: Wanted) -> Candidate | None:
    usable = find_addresses(str(data.get("email", ""))).usable
    if len(usable) != 1:
        return None
    word = str(data.get("status") or "")
    status = _STATUSES.get(word, AddressStatus.GUESSED)
    if word in ("", "unknown"):
        status = AddressStatus.GUESSED
    evidence = [f"Hunter: {word} ({_MEANS.get(word, 'not checked')})" if word else "Hunter has not checked it"]
    score = _score(data)
    owner = parse_name(f"{data.get('first_name', '')} {data.get('last_name', '')}")
    if not compatible(owner, parse_name(wanted.full_name)) and not fits(
        usable[0].partition("@")[0], wanted.full_name, wanted.country
    ):
        return None
    if registrable_domain(usable[0].partition("@")[2]) != wanted.domain and status is AddressStatus.VERIFIED:
        status = AddressStatus.RISKY
        evidence.append(f"is not at {wanted.domain}")
    return Candidate(usable[0], status, score, (*evidence, f"Hunter's score is {score}", *_sources(data)))


def _score(data: Mapping[str, Any]) -> int:
    return int(data.get("score") or 0)


def _sources(data: Mapping[str, Any]) -> list[str]:
    return [f"seen on {source}" for source in list(data.get("sources", ()))[:3]]
