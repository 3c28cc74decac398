"""What incoming mail may be about: our mails by id, token, recipient or company, and the people behind an address."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from outreach.core.matching import Clues, Found, Prospect, SentMail, bare, company_domain, topic
from outreach.core.triage import Links, Sent
from outreach.store import tables as t
from outreach.store.bulk import select_in

_COLLEAGUES = 50
_MOST_TOKENS = 4
_MOST_HELD = 4_000
_ALONE = 20


def find_sent(connection: sa.Connection, clues: Sequence[Clues]) -> Found:
    """Every mail and prospect that the clues of some messages may point to, newest first."""
    prospects = _prospects(connection, {key for each in clues for key in each.correspondents})
    people = {each.founder_id for each in prospects}
    rows = {row["id"]: row for part in _parts(clues) for row in _rows(connection, _pointed(part))}
    rows |= {row["id"]: row for row in select_in(connection, _SENT, t.outbox.c.founder_id, people)}
    mails = [_sent_mail(row) for row in sorted(rows.values(), key=_newness, reverse=True)]
    topical = {each.domain for each in clues if each.domain and each.topic}
    if topical:
        same = sa.or_(t.companies.c.domain.in_(topical), t.outbox.c.rcpt_domain.in_(topical))
        colleagues = _rows(connection, [sa.and_(same, t.outbox.c.intent_at.is_not(None))], _COLLEAGUES * len(clues))
        mails += [_sent_mail(row) for row in colleagues if row["id"] not in rows]
    return Found(tuple(mails), tuple(prospects))


def find_links(connection: sa.Connection, ids: Collection[str], keys: Collection[str]) -> Links:
    """Which of these ids (without brackets) are ours, and which addresses those of people in a campaign."""
    spelled = [spelling for each in ids for spelling in (each, f"<{each}>")]
    known: set[str] = set()
    for column in (t.outbox.c.message_id, t.outbox.c.wire_message_id):
        known |= {bare(row[column.name]) for row in select_in(connection, sa.select(column), column, spelled)}
    people = sa.select(t.addresses.c.key).where(t.addresses.c.founder_id.is_not(None))
    found = {row["key"] for row in select_in(connection, people, t.addresses.c.key, keys)}
    enrolled = sa.select(t.enrollments.c.address_key)
    found |= {row["address_key"] for row in select_in(connection, enrolled, t.enrollments.c.address_key, keys)}
    return Links(frozenset(known), frozenset(found))


def all_sent(connection: sa.Connection) -> Sent:
    """Every subject and domain of the mails that may have left, and the domains of the companies written to."""
    left = t.outbox.c.intent_at.is_not(None)
    topics = {topic(subject) for subject in connection.scalars(sa.select(t.outbox.c.subject).where(left).distinct())}
    hosts = set(connection.scalars(sa.select(t.outbox.c.rcpt_domain).where(left).distinct()))
    companies = (
        sa.select(t.companies.c.domain)
        .join(t.founders, t.founders.c.company_id == t.companies.c.id)
        .join(t.enrollments, t.enrollments.c.founder_id == t.founders.c.id)
        .distinct()
    )
    domains = {company_domain(f"x@{host}") for host in (*hosts, *connection.scalars(companies)) if host}
    return Sent(frozenset(topics - {""}), frozenset(domains - {""}))


def _parts(clues: Sequence[Clues]) -> Iterator[list[Clues]]:
    """So many messages at a time that one question takes all they point to: a report names up to some hundred mails,
    and there is a limit to what a question may hold (a thousand conditions on SQLite)."""
    part, held = list[Clues](), 0
    for each in clues:
        size = _weight(each)
        if part and held + size > _MOST_HELD:
            yield part
            part, held = [], 0
        part.append(each)
        held += size
    if part:
        yield part


def _weight(clues: Clues) -> int:
    """An id or an address is one value of many in a condition; a token, or an id without its host, is its own."""
    alone = len(clues.tokens[:_MOST_TOKENS]) + sum("@" not in clue.value for clue in clues.ids)
    return len(clues.ids) + len(clues.recipients) + _ALONE * alone


def _pointed(clues: Sequence[Clues]) -> list[sa.ColumnElement[bool]]:
    ids = {bare(clue.value) for each in clues for clue in each.ids}
    spelled = [spelling for one in ids for spelling in (one, f"<{one}>")]
    names = [one for one in ids if "@" not in one]  # Amazon tells ids without their host
    keys = {clue.value for each in clues for clue in each.recipients}
    tokens = [  # `@` is followed by `A`: a range, because LIKE would not use the index
        sa.and_(t.outbox.c.message_id >= f"<or.{clue.value}@", t.outbox.c.message_id < f"<or.{clue.value}A")
        for each in clues
        for clue in each.tokens[:_MOST_TOKENS]
    ]
    return [
        *tokens,
        t.outbox.c.message_id.in_(spelled),
        sa.and_(t.outbox.c.wire_message_id != "", t.outbox.c.wire_message_id.in_(spelled)),
        *(_begins(t.outbox.c.wire_message_id, spelling) for name in names for spelling in (name, f"<{name}")),
        sa.and_(t.outbox.c.rcpt_key.in_(keys), t.outbox.c.intent_at.is_not(None)),
    ]


def _begins(column: sa.ColumnElement[str], name: str) -> sa.ColumnElement[bool]:
    """The name before the @: a range, because LIKE would not use the index."""
    return sa.or_(column == name, sa.and_(column >= f"{name}@", column < f"{name}A"))


_SENT = (
    sa.select(t.outbox, t.companies.c.domain.label("company_domain"), t.founders.c.company_id.label("works_at"))
    .join(t.founders, t.founders.c.id == t.outbox.c.founder_id)
    .outerjoin(t.companies, t.companies.c.id == t.founders.c.company_id)
)


def _rows(
    connection: sa.Connection, conditions: Iterable[sa.ColumnElement[bool]], limit: int | None = None
) -> Sequence[sa.RowMapping]:
    """Newest first."""
    newest = (t.outbox.c.intent_at.desc().nulls_last(), t.outbox.c.id.desc())
    return connection.execute(_SENT.where(sa.or_(*conditions)).order_by(*newest).limit(limit)).mappings().all()


def _newness(row: sa.RowMapping) -> tuple[bool, Any, int]:
    return row["intent_at"] is not None, row["intent_at"], row["id"]


def _sent_mail(row: sa.RowMapping) -> SentMail:
    plain = {name: row[name] for name in SentMail.__dataclass_fields__ if name in row}
    facts = {"company_id": row["works_at"], "company_domain": row["company_domain"] or ""}
    return SentMail(**{**plain, **facts, "sent_at": row["sent_at"] or row["intent_at"]})


def _prospects(connection: sa.Connection, keys: Collection[str]) -> list[Prospect]:
    """The enrolled people behind these addresses, newest enrollment first."""
    if not keys:
        return []
    known = sa.union(
        sa.select(t.addresses.c.founder_id, t.addresses.c.key).where(
            t.addresses.c.key.in_(keys), t.addresses.c.founder_id.is_not(None)
        ),
        sa.select(t.enrollments.c.founder_id, t.enrollments.c.address_key).where(t.enrollments.c.address_key.in_(keys)),
    )
    people: dict[int, str] = dict(connection.execute(known).all())
    if not people:
        return []
    query = (
        sa.select(t.enrollments, t.founders.c.company_id, t.companies.c.domain.label("company_domain"))
        .join(t.founders, t.founders.c.id == t.enrollments.c.founder_id)
        .outerjoin(t.companies, t.companies.c.id == t.founders.c.company_id)
        .where(t.enrollments.c.founder_id.in_(people))
        .order_by(t.enrollments.c.enrolled_at.desc(), t.enrollments.c.id.desc())
    )
    return [
        Prospect(
            row["founder_id"],
            people[row["founder_id"]],
            row["company_id"],
            row["company_domain"] or "",
            row["campaign_id"],
            row["enrolled_at"],
        )
        for row in connection.execute(query).mappings()
    ]
