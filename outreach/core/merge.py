"""The plan of an import: which records are new, which change, which become one or come apart.

Decides from rows and from what is known; the store only carries it out. Knows nothing of tables.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from outreach.core.clusters import Link
from outreach.core.identity import NOBODY, Identities, resolve
from outreach.core.likeness import Likeness
from outreach.core.quick import record
from outreach.core.records import PersonFacts
from outreach.core.rulings import Ruling
from outreach.core.survivors import CompanyRecord, Entry, FounderRecord, company_record, edited, founder_record


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of the companies and people these rows may speak of.

    `campaigns` are those a founder is or was in; `next_company` and `next_founder` are the next free ids.
    """

    companies: Mapping[int, CompanyRecord]
    founders: Mapping[int, FounderRecord]
    addresses: Mapping[str, tuple[int | None, int | None]]
    campaigns: Mapping[int, frozenset[int]]
    next_company: int
    next_founder: int
    edits: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    """founder → what a person has written of them."""
    rulings: tuple[Ruling, ...] = ()


@record
class AddressChange:
    """An address that is new, or belongs to somebody else now. Exactly one of the two ids is set."""

    key: str
    founder_id: int | None
    company_id: int | None
    entry: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Question:
    """Two records that may be one; `left_id` < `right_id`."""

    kind: str
    left_id: int
    right_id: int
    rule: str
    evidence: str


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What to do. `companies` and `founders` are the new and the changed ones; `absorbed` maps a record to the one it
    becomes part of, `split` a new record to the one it was part of, `twins` a founder to the one they seem to be, where
    both stay because they are in one campaign."""

    companies: tuple[CompanyRecord, ...]
    founders: tuple[FounderRecord, ...]
    absorbed_companies: Mapping[int, int]
    absorbed_founders: Mapping[int, int]
    split_companies: Mapping[int, int]
    split_founders: Mapping[int, int]
    twins: Mapping[int, int]
    reasons: Mapping[tuple[str, int], tuple[str, str]]
    """(kind, absorbed record) → the rule that made it part of another, and the evidence."""
    entry_company: tuple[int | None, ...]
    entry_founders: tuple[tuple[int, ...], ...]
    addresses: tuple[AddressChange, ...]
    questions: tuple[Question, ...]
    weak: int
    shared_domains: tuple[str, ...]
    notes: tuple[str, ...]


def plan_merge(entries: Sequence[Entry], known: Known) -> MergePlan:
    """Judge the rows, oldest import first and new ones last, and give every cluster its record."""
    found = resolve([entry.lead for entry in entries], [entry.sha256 for entry in entries], known.rulings)
    pairs = zip(entries, found.companies, strict=True)
    seats = [((cluster, 0), entry.company_id) for entry, cluster in pairs if cluster != NOBODY]
    companies = _assign(seats, known.next_company)
    labels = _founder_labels(entries, found, known.campaigns)
    founders = _assign([seat for each in labels for seat in each], known.next_founder)
    at_company = tuple(companies.ids.get((cluster, 0)) for cluster in found.companies)
    as_founders = tuple(tuple(founders.ids[label] for label, _ in each) for each in labels)
    all_companies = _company_records(entries, found, at_company)
    edits = _edits(known.edits, founders.absorbed)
    all_founders = [
        edited(record, edits.get(record.id, {}))
        for record in _founder_records(entries, at_company, as_founders, found.shared_addresses)
    ]
    return MergePlan(
        companies=tuple(each for each in all_companies if not each.same_as(known.companies.get(each.id))),
        founders=tuple(each for each in all_founders if not each.same_as(known.founders.get(each.id))),
        absorbed_companies=companies.absorbed,
        absorbed_founders=founders.absorbed,
        split_companies=companies.split,
        split_founders=founders.split,
        reasons=_reasons(entries, found, companies.absorbed, founders.absorbed),
        twins={twin: founders.ids[(cluster, 0)] for (cluster, apart), twin in founders.ids.items() if apart},
        entry_company=at_company,
        entry_founders=as_founders,
        addresses=tuple(_address_changes(found, companies.ids, founders.ids, known)),
        questions=_questions(found, companies.ids, founders.ids),
        weak=sum(not each.keys for each in all_companies if each.id not in known.companies),
        shared_domains=tuple(sorted(found.shared_domains)),
        notes=found.notes,
    )


# --- which record ---------------------------------------------------------------------------------

_Label = tuple[int, int]
"""A cluster, and the record that is kept apart from it (0: none is)."""


@dataclass(frozen=True, slots=True)
class _Assignment:
    """cluster → record, and what that means for records that were there."""

    ids: Mapping[_Label, int]
    absorbed: Mapping[int, int]
    split: Mapping[int, int]


def _assign(seats: Sequence[tuple[_Label, int | None]], next_id: int) -> _Assignment:
    """A record stays with the cluster of its oldest row; of several in one cluster the oldest record stays."""
    home: dict[int, _Label] = {}
    members: dict[_Label, list[int]] = {}
    for label, known in seats:
        records = members.setdefault(label, [])
        if known is not None:
            home.setdefault(known, label)
            records.append(known)
    ids, absorbed, split = dict[_Label, int](), dict[int, int](), dict[int, int]()
    for label, records in members.items():
        own = sorted({record for record in records if home[record] == label})
        ids[label] = own[0] if own else next_id
        absorbed.update(dict.fromkeys(own[1:], ids[label]))
        if not own:
            next_id += 1
            if records:
                split[ids[label]] = min(records)
    return _Assignment(ids, absorbed, split)


def _founder_labels(
    entries: Sequence[Entry], found: Identities, campaigns: Mapping[int, frozenset[int]]
) -> list[list[tuple[_Label, int | None]]]:
    """For each row its people: (cluster, apart), and the record so far.

    Two records that are in one campaign stay apart: as one they would have two places in it, and each its own mails.
    """
    taken: dict[int, dict[int, frozenset[int]]] = {}
    labels = []
    for entry, people in zip(entries, found.people, strict=True):
        row = []
        for cluster, known in zip_longest(people, entry.founder_ids[: len(people)]):
            kept = taken.setdefault(cluster, {})
            busy = campaigns.get(known, frozenset()) if known is not None else frozenset[int]()
            rivals = (other for other in kept if other != known)
            apart = known if known is not None and any(busy & kept[other] for other in rivals) else 0
            if known is not None and not apart:
                kept[known] = busy
            row.append(((cluster, apart or 0), known))
        labels.append(row)
    return labels


def _reasons(
    entries: Sequence[Entry], found: Identities, companies: Container[int], founders: Container[int]
) -> dict[tuple[str, int], tuple[str, str]]:
    """Why each absorbed record is part of another now: the first rule that brought it together with one."""
    at_row = [entry.company_id for entry in entries]
    at_seat = [
        known
        for entry in entries
        for _, known in zip_longest(entry.lead.people, entry.founder_ids[: len(entry.lead.people)])
    ]
    joined = [
        ("company", companies, _joined(found.company_links, at_row)),
        ("founder", founders, _joined(found.people_links, at_seat)),
    ]
    return {
        (kind, record): why for kind, absorbed, all_ in joined for record, why in all_.items() if record in absorbed
    }


def _joined(links: Iterable[Link], known: Sequence[int | None]) -> dict[int, tuple[str, str]]:
    group_of: dict[int, set[int]] = {}
    found: dict[int, tuple[str, str]] = {}
    for link in links:
        groups = [group_of.get(at) or {record for record in (known[at],) if record is not None} for at in link.mentions]
        together = set[int]().union(*groups)
        for group in groups:
            if group != together:
                found.update((record, (link.rule, link.evidence)) for record in group if record not in found)
        for at in link.mentions:
            group_of[at] = together
    return found


# --- records --------------------------------------------------------------------------------------


def _company_records(
    entries: Sequence[Entry], found: Identities, at_company: Sequence[int | None]
) -> list[CompanyRecord]:
    rows: dict[int, list[Entry]] = {}
    for entry, company in zip(entries, at_company, strict=True):
        if company is not None:
            rows.setdefault(company, []).append(entry)
    taken = set[str]()
    records = []
    for company, told in sorted(rows.items()):
        record = company_record(company, told, found.shared_domains)
        if others := record.keys & taken:
            record = replace(record, keys=record.keys - others, hints=record.hints | others)
        records.append(record)
        taken |= record.keys
    return records


def _founder_records(
    entries: Sequence[Entry],
    at_company: Sequence[int | None],
    as_founders: Sequence[Sequence[int]],
    shared_addresses: frozenset[str],
) -> list[FounderRecord]:
    seats: dict[int, list[tuple[Entry, PersonFacts, int | None]]] = {}
    for entry, company, founders in zip(entries, at_company, as_founders, strict=True):
        for founder, facts in zip(founders, entry.lead.people, strict=True):
            seats.setdefault(founder, []).append((entry, facts, company))
    taken = set[str]()
    records = []
    for founder, told in sorted(seats.items()):
        record = founder_record(founder, told, shared_addresses)
        records.append(record if taken.isdisjoint(record.keys) else replace(record, keys=record.keys - taken))
        taken |= record.keys
    return records


def _edits(of: Mapping[int, Mapping[str, str]], absorbed: Mapping[int, int]) -> dict[int, Mapping[str, str]]:
    """What was written of a founder, and of those who became part of them where that says something else."""
    found = dict(of)
    for old, new in absorbed.items():
        found[new] = {**of.get(old, {}), **found.get(new, {})}
    return found


def _address_changes(
    found: Identities, companies: Mapping[_Label, int], founders: Mapping[_Label, int], known: Known
) -> Iterator[AddressChange]:
    apart = {founder: founders[(cluster, 0)] for (cluster, _), founder in founders.items()}
    for key, owner in found.addresses.items():
        founder = founders[(owner.person, 0)] if owner.person != NOBODY else None
        company = companies[(owner.company, 0)] if owner.company != NOBODY else None
        was_founder, was_company = known.addresses.get(key, (None, None))
        kept_apart = founder is not None and was_founder in apart and apart[was_founder] == founder
        if not kept_apart and (was_founder, was_company) != (founder, company):
            yield AddressChange(key, founder, company, owner.row, key not in known.addresses)


def _questions(
    found: Identities, companies: Mapping[_Label, int], founders: Mapping[_Label, int]
) -> tuple[Question, ...]:
    asked: dict[tuple[str, int, int], Question] = {}
    pairs = [("company", companies[(each.left, 0)], companies[(each.right, 0)], each) for each in found.like_companies]
    pairs += [("founder", founders[(each.left, 0)], founders[(each.right, 0)], each) for each in found.like_people]
    pairs += [
        ("founder", founders[(cluster, 0)], founder, Likeness(0, 0, "apart", "both are in one campaign"))
        for (cluster, apart), founder in founders.items()
        if apart
    ]
    for kind, left, right, why in pairs:
        low, high = sorted((left, right))
        asked.setdefault((kind, low, high), Question(kind, low, high, why.rule, why.evidence))
    return tuple(asked.values())


# --- what became of each row ----------------------------------------------------------------------


@record
class RowOutcome:
    """`company` is empty for a row that names none."""

    company: str
    founders: tuple[str, ...]

    @property
    def row(self) -> str:
        told = {self.company, *self.founders}
        return next((outcome for outcome in ("new", "merged") if outcome in told), "same")


def judge_rows(
    plan: MergePlan, entries: Sequence[Entry], companies: Container[int], founders: Container[int]
) -> list[RowOutcome]:
    """What each new entry brought: something new, something for what was there (merged), or nothing (same). There were
    these companies and founders."""
    owners = [(change.founder_id, change.company_id) for change in plan.addresses]
    changed_founders = {each.id for each in plan.founders} | {founder for founder, _ in owners}
    changed_companies = {each.id for each in plan.companies} | {company for _, company in owners}
    company_judge = _Judge(changed_companies | set(plan.absorbed_companies.values()), companies)
    founder_judge = _Judge(changed_founders | set(plan.absorbed_founders.values()), founders)
    return [
        RowOutcome(
            "" if company is None else company_judge.outcome(company, repeated=entry.repeated),
            tuple(founder_judge.outcome(founder, repeated=entry.repeated) for founder in people),
        )
        for entry, company, people in zip(entries, plan.entry_company, plan.entry_founders, strict=True)
        if entry.lead_id is None
    ]


class _Judge:
    """Remembers which new records have been named already: the first row that does is the one that brought them."""

    def __init__(self, changed: Container[int | None], known: Container[int]) -> None:
        self._changed, self._known = changed, known
        self._named = set[int]()

    def outcome(self, record: int, *, repeated: bool) -> str:
        if record not in self._known and record not in self._named:
            self._named.add(record)
            return "new"
        return "merged" if record in self._changed and not repeated else "same"
