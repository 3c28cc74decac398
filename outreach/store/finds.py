"""Looking for addresses: what was asked and answered, what it cost, and what was found."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from outreach.core.address_check import SENDABLE, Checked
from outreach.core.normalize import registrable_domain
from outreach.core.ports import Answer, LookupOutcome, Question, Wanted
from outreach.core.records import AddressStatus, Founder, KnownAddress
from outreach.store import tables as t
from outreach.store.bulk import select_in
from outreach.store.database import Database
from outreach.store.erasures import Erasures

if TYPE_CHECKING:
    from outreach.core.erased import Erased

_DEAD = (AddressStatus.INVALID, AddressStatus.BOUNCED)
_IMPROVABLE = (AddressStatus.GUESSED, AddressStatus.UNKNOWN, AddressStatus.RISKY, AddressStatus.INVALID)


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question as it was asked, with its answer."""

    finder: str
    question: str
    asked_at: datetime
    answer: Answer


class Finds:
    """The memory of `find`."""

    def __init__(self, database: Database, erasures: Erasures) -> None:
        self._db, self._erasures = database, erasures

    # --- for whom -----------------------------------------------------------------------------------------

    def wanted(self, founders: Sequence[Founder]) -> list[Wanted]:
        """These founders as finders see them: with what is known at their companies."""
        companies = {founder.company.id for founder in founders if founder.company}
        colleagues: dict[int, list[sa.RowMapping]] = {}
        with self._db.read() as connection:
            for row in select_in(connection, _COLLEAGUES, t.founders.c.company_id, companies):
                colleagues.setdefault(row["company_id"], []).append(row)
        team: dict[int, int] = {}
        for founder in founders:
            if founder.company:
                team[founder.company.id] = team.get(founder.company.id, 0) + 1
        return [
            _wanted(founder, colleagues.get(founder.company.id, ()), team[founder.company.id])
            if founder.company
            else Wanted(founder.id, founder.full_name, "", "")
            for founder in founders
        ]

    # --- questions ----------------------------------------------------------------------------------------

    def recall(self, questions: Iterable[Question]) -> dict[tuple[str, str], Lookup]:
        """(finder, key) → the newest answer that there is."""
        wanted: dict[str, set[str]] = {}
        for question in questions:
            wanted.setdefault(question.finder, set()).add(question.key)
        found: dict[tuple[str, str], Lookup] = {}
        with self._db.read() as connection:
            for finder, keys in wanted.items():
                query = sa.select(t.lookups).where(t.lookups.c.finder == finder).order_by(t.lookups.c.id)
                for row in select_in(connection, query, t.lookups.c.question, sorted(keys)):
                    found[finder, row["question"]] = _lookup(row)
        return found

    def begin(
        self, question: Question, now: datetime, since: datetime, may: Callable[[Lookup | None, int], bool]
    ) -> int | None:
        """Record a question before it is asked: if no answer follows, it stays in doubt and counts as paid.

        None: another run asked it a moment ago, or spent what was left. `may` says so of the newest answer that there
        is and of the credits spent `since`; nobody writes while it is asked.
        """
        told = Answer(LookupOutcome.DOUBTFUL, {}, question.calls, question.credits)
        same = (t.lookups.c.finder == question.finder, t.lookups.c.question == question.key)
        newest = sa.select(t.lookups).where(*same).order_by(t.lookups.c.id.desc()).limit(1)
        with self._db.write() as connection:
            row = connection.execute(newest).mappings().first()
            if not may(_lookup(row) if row else None, int(connection.scalar(_spent(since)) or 0)):
                return None
            return _inserted(connection, question, told, now, None)

    def finish(self, lookup_id: int, answer: Answer, now: datetime) -> None:
        """The answer to a question that was begun."""
        with self._db.write() as connection:
            told = _told(_without(answer, self._erasures.known(connection)))
            connection.execute(sa.update(t.lookups).where(t.lookups.c.id == lookup_id).values(answered_at=now, **told))

    def record(self, question: Question, answer: Answer, asked_at: datetime, now: datetime) -> None:
        """A question that cost nothing, with its answer."""
        with self._db.write() as connection:
            erased = self._erasures.known(connection)
            if not _is_about(question, erased):
                _inserted(connection, question, _without(answer, erased), asked_at, now)

    def spent(self, since: datetime) -> int:
        """Credits that questions since then cost, doubtful ones included."""
        with self._db.read() as connection:
            return int(connection.scalar(_spent(since)) or 0)

    # --- what was found -----------------------------------------------------------------------------------

    def others(self, founder_id: int, keys: Iterable[str]) -> set[str]:
        """Which of these addresses belong to somebody else, or to a company; or did, to somebody who was erased."""
        wanted, query = list(keys), sa.select(t.addresses.c.key, t.addresses.c.founder_id)
        with self._db.read() as connection:
            erased = self._erasures.known(connection)
            rows = select_in(connection, query, t.addresses.c.key, wanted)
            taken = {row["key"] for row in rows if row["founder_id"] != founder_id}
        return taken | {key for key in wanted if erased.has_address(key)}

    def save(
        self, wanted: Wanted, found: Sequence[tuple[Checked, str]], search: tuple[Question, Answer], now: datetime
    ) -> None:
        """Keep these addresses, each with the finder it came from, and that this founder was looked for. What is given,
        verified or has bounced stays as it is, and so does what belongs to somebody else."""
        with self._db.write() as connection:
            erased = self._erasures.known(connection)
            if _is_about(search[0], erased):  # erased while they were looked for
                return
            connection.execute(sa.insert(t.lookups).values(**_asked(search[0], now, now), **_told(search[1])))
            for checked, origin in found:
                if erased.has_address(checked.key):
                    continue
                owner = {"company_id" if checked.of_company else "founder_id": _owner(wanted, checked)}
                if None in owner.values():
                    continue
                row = (
                    connection.execute(sa.select(t.addresses).where(t.addresses.c.key == checked.key))
                    .mappings()
                    .first()
                )
                if row is None:
                    values = {"address": checked.key, "key": checked.key, "created_at": now, "origin": origin}
                    connection.execute(sa.insert(t.addresses).values(status=checked.status, **owner, **values))
                elif any(row[column] != value for column, value in owner.items()) or row["status"] not in _IMPROVABLE:
                    continue
                else:
                    same = t.addresses.c.id == row["id"]
                    connection.execute(sa.update(t.addresses).where(same).values(status=checked.status, origin=origin))
                _note(connection, checked, origin, now)


# --- who was erased -----------------------------------------------------------------------------------


def _is_about(question: Question, erased: "Erased") -> bool:
    """Whether a question names somebody who was erased."""
    return bool(erased) and (erased.has_name(question.person, question.about) or erased.has_address(question.person))


def _without(answer: Answer, erased: "Erased") -> Answer:
    """An answer about a company without the parts that speak of somebody who was erased."""
    if not erased:
        return answer
    from outreach.core.erased import thinned

    return replace(answer, data=thinned(dict(answer.data), erased.in_text), text=erased.hidden(answer.text))


# --- rows ---------------------------------------------------------------------------------------------

_COLLEAGUES = (
    sa.select(
        t.founders.c.company_id,
        t.founders.c.id.label("founder_id"),
        t.founders.c.full_name,
        t.companies.c.country,
        t.addresses.c.key,
        t.addresses.c.status,
    )
    .join(t.companies, t.companies.c.id == t.founders.c.company_id)
    .outerjoin(t.addresses, t.addresses.c.founder_id == t.founders.c.id)
    .order_by(t.founders.c.id, t.addresses.c.id)
)


def _wanted(founder: Founder, rows: Sequence[sa.RowMapping], team: int) -> Wanted:
    company = founder.company
    assert company is not None  # noqa: S101  asked only for founders with one
    known = [row for row in rows if row["key"] and registrable_domain(row["key"].rpartition("@")[2]) == company.domain]
    return Wanted(
        founder.id,
        founder.full_name,
        company.name,
        company.domain,
        website=company.website,
        country=company.country,
        employees=company.employees,
        company_id=company.id,
        colleagues=tuple(dict.fromkeys(row["full_name"] for row in rows if row["founder_id"] != founder.id)),
        known=tuple(
            KnownAddress(row["key"], row["full_name"], row["country"]) for row in known if row["status"] in SENDABLE
        ),
        taken=frozenset(row["key"] for row in rows if row["key"] and row["founder_id"] != founder.id),
        dead=frozenset(address.key for address in founder.addresses if address.status in _DEAD),
        team=team,
    )


def _owner(wanted: Wanted, checked: Checked) -> int | None:
    return wanted.company_id if checked.of_company else wanted.founder_id


def _note(connection: sa.Connection, checked: Checked, origin: str, now: datetime) -> None:
    """Remember a check, unless the newest one said the very same."""
    newest = connection.execute(
        sa.select(t.address_verdicts)
        .where(t.address_verdicts.c.key == checked.key)
        .order_by(t.address_verdicts.c.id.desc())
        .limit(1)
    ).first()
    said = (checked.status, checked.confidence, origin, list(checked.evidence))
    if newest and (newest.status, newest.confidence, newest.origin, newest.evidence) == said:
        return
    status, confidence, origin, evidence = said
    connection.execute(
        sa.insert(t.address_verdicts).values(
            key=checked.key, status=status, confidence=confidence, origin=origin, evidence=evidence, checked_at=now
        )
    )


def _spent(since: datetime) -> sa.Select[tuple[int]]:
    return sa.select(sa.func.coalesce(sa.func.sum(t.lookups.c.credits), 0)).where(t.lookups.c.asked_at > since)


def _inserted(
    connection: sa.Connection, question: Question, answer: Answer, asked_at: datetime, answered_at: datetime | None
) -> int:
    values = {**_asked(question, asked_at, answered_at), **_told(answer)}
    key = connection.execute(sa.insert(t.lookups).values(**values)).inserted_primary_key
    assert key is not None  # noqa: S101  every INSERT of one row has one
    return int(key[0])


def _asked(question: Question, asked_at: datetime, answered_at: datetime | None) -> dict[str, Any]:
    return {
        "finder": question.finder,
        "question": question.key,
        "about": question.about,
        "person": question.person,
        "asked_at": asked_at,
        "answered_at": answered_at,
    }


def _told(answer: Answer) -> dict[str, Any]:
    return {
        "outcome": answer.outcome,
        "data": dict(answer.data),
        "calls": answer.calls,
        "credits": answer.credits,
        "text": answer.text,
    }


def _lookup(row: sa.RowMapping) -> Lookup:
    answer = Answer(LookupOutcome(row["outcome"]), row["data"], row["calls"], row["credits"], row["text"])
    return Lookup(row["finder"], row["question"], row["asked_at"], answer)
