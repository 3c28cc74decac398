"""Which mentions of people are one person: rules P1 to P7. No person is keyed on a role inbox, and the same name at two
companies (P7) is never merged: the guards keep such two from both being written to.

Knows nothing of rows or of what survives of merged ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outreach.core.clusters import Clusters, pairs
from outreach.core.likeness import Likeness, refused, settled
from outreach.core.names import PersonName, alike, compatible, parse_name
from outreach.core.normalize import is_role_inbox, suppression_key
from outreach.core.records import PersonFacts
from outreach.core.rulings import NO_RULINGS, Rulings, apply_rulings
from outreach.core.urls import crunchbase_slug, linkedin_person

_TRAITS = ("linkedin", "slug", "address")
_MOST_COLLEAGUES = 50
"""People of one company who are compared by likeness. More is a list of staff, or spam."""


@dataclass(frozen=True, slots=True)
class PersonMention:
    """The keys of what one row says of a person; `company` is the cluster of theirs, or -1."""

    name: PersonName
    company: int
    linkedin: str
    slug: str
    addresses: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(f"{kind}:{key}" for kind, key in (("linkedin", self.linkedin), ("slug", self.slug)) if key)

    @property
    def folded(self) -> tuple[str, ...]:
        """Its addresses without tags and dots, where that makes a difference."""
        widest = {address: suppression_key(address) for address in self.addresses}
        return tuple(key for address, key in widest.items() if key != address)


@dataclass(frozen=True, slots=True)
class People:
    """What the rules found. `shared_addresses` are used by people whose names do not fit together."""

    clusters: Clusters
    likenesses: tuple[Likeness, ...]
    shared_addresses: frozenset[str]


def person_mention(facts: PersonFacts, company: int) -> PersonMention:
    return PersonMention(
        name=parse_name(facts.full_name),
        company=company,
        linkedin=linkedin_person(facts.linkedin),
        slug=crunchbase_slug(facts.slug),
        addresses=tuple(address for address in facts.emails if not is_role_inbox(address)),
    )


def resolve_people(mentions: Sequence[PersonMention], rulings: Rulings = NO_RULINGS) -> People:
    clusters = Clusters([_traits(mention) for mention in mentions])
    apply_rulings(clusters, rulings)
    # Of whom only a name is known, no later list could tell that they are the same: so they never are.
    clusters.unite_equal(
        [
            (each.name.words, each.name.suffix, each.company, each.keys, each.addresses)
            if each.company >= 0 or each.keys or each.addresses
            else at
            for at, each in enumerate(mentions)
        ]
    )
    for trait, rule, page in (("linkedin", "P1", "LinkedIn"), ("slug", "P2", "Crunchbase")):
        for key, same in clusters.sharing(trait).items():
            clusters.unite(same, rule, f"one {page} page ({key})")
    names = _names(clusters, mentions)
    disputed = _by_address(clusters, names)
    unclear = list(_by_company(clusters, mentions))
    names = _names(clusters, mentions)
    disputed = {address: at for address, at in disputed.items() if len({clusters.find(each) for each in at}) > 1}
    likenesses = [*_shared(clusters, disputed), *unclear, *_colleagues(clusters, mentions, names), *_tagged(clusters)]
    likenesses += refused(clusters)
    return People(clusters, settled(clusters, likenesses), frozenset(disputed))


def _traits(mention: PersonMention) -> dict[str, tuple[str, ...]]:
    return {"linkedin": (mention.linkedin,), "slug": (mention.slug,), "address": mention.addresses}


def _names(clusters: Clusters, mentions: Sequence[PersonMention]) -> dict[int, list[PersonName]]:
    """cluster → the different names in it."""
    found: dict[int, dict[tuple[str, ...], PersonName]] = {}
    for at, mention in enumerate(mentions):
        found.setdefault(clusters.find(at), {})[(*mention.name.words, mention.name.suffix)] = mention.name
    return {root: list(names.values()) for root, names in found.items()}


# --- rules ----------------------------------------------------------------------------------------


def _by_address(clusters: Clusters, names: dict[int, list[PersonName]]) -> dict[str, list[int]]:
    """P3: one address and compatible names. What is returned are the addresses with names that do not fit (P6)."""
    disputed = {}
    for address, roots in clusters.sharing("address").items():
        told = [name for root in roots for name in names[root]]
        if all(compatible(left, right) for at, left in enumerate(told) for right in told[at + 1 :]):
            clusters.unite(roots, "P3", f"one address ({address}), and the names fit")
        else:
            disputed[address] = roots
    return disputed


def _shared(clusters: Clusters, disputed: dict[str, list[int]]) -> Iterator[Likeness]:
    for address, roots in disputed.items():
        now = {clusters.find(root) for root in roots}
        yield from (Likeness(*pair, "P6", f"one address ({address}), other names") for pair in pairs(now))


def _by_company(clusters: Clusters, mentions: Sequence[PersonMention]) -> Iterator[Likeness]:
    """P4: the same name in the same company, whatever their LinkedIn pages say."""
    groups: dict[tuple[int, str], list[int]] = {}
    for at, mention in enumerate(mentions):
        if mention.company >= 0 and mention.name.words:
            groups.setdefault((mention.company, mention.name.key), []).append(at)
    for (_, name), same in sorted(groups.items()):
        if len({mentions[at].name.suffix for at in same} - {""}) > 1:
            roots = {clusters.find(at) for at in same}
            yield from (Likeness(*pair, "P4", f"one name ({name}), other suffixes") for pair in pairs(roots))
        elif all(len(mentions[at].name.words) > 1 for at in same):
            clusters.unite(same, "P4", f"one name ({name}) in one company")
        else:
            # One word names many people: only mentions of which nothing else is known are taken as one.
            bare = [at for at in same if not any(clusters.trait(at, trait) for trait in _TRAITS)]
            clusters.unite(bare, "P4", f"one word ({name}) in one company, and nothing else is known")


def _colleagues(
    clusters: Clusters, mentions: Sequence[PersonMention], names: dict[int, list[PersonName]]
) -> Iterator[Likeness]:
    """P5: of 24 pairs of colleagues with like names about 16 were one person, 3 were not (brothers)."""
    teams: dict[int, set[int]] = {}
    for at, mention in enumerate(mentions):
        if mention.company >= 0:
            teams.setdefault(mention.company, set()).add(clusters.find(at))
    for team in teams.values():
        if len(team) <= _MOST_COLLEAGUES:
            for left, right in pairs(team):
                if why := next(filter(None, (alike(a, b) for a in names[left] for b in names[right])), ""):
                    yield Likeness(left, right, "P5", f"{names[left][0].full}, {names[right][0].full}: {why}")


def _tagged(clusters: Clusters) -> Iterator[Likeness]:
    folded = clusters.by(lambda root: {suppression_key(address) for address in clusters.trait(root, "address")})
    for address, roots in folded.items():
        yield from (Likeness(*pair, "P6", f"addresses alike but for tag or dots ({address})") for pair in pairs(roots))
