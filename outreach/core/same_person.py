"""Which mentions of people are one person: rules P1 to P7. No person is keyed on a role inbox, and the same name at two
companies (P7) is never merged: the guards keep such two from both being written to.

Knows nothing of rows or of what survives of merged ones.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from outreach.core.clusters import Clusters, pairs
from outreach.core.likeness import Likeness, refused, settled
from outreach.core.names import PersonName, alike, compatible, parse_name
from outreach.core.normalize import is_role_inbox, suppression_key
from outreach.core.quick import record
from outreach.core.records import PersonFacts
from outreach.core.rulings import NO_RULINGS, Rulings, apply_rulings
from outreach.core.urls import crunchbase_slug, linkedin_person

_TRAITS = ("linkedin", "slug", "address")
_MOST_COLLEAGUES = 50
"""People of one company who are compared by likeness. More is a list of staff, or spam."""


@record
class PersonMention:
    """The keys of what one row says of a person; `company` is the cluster of theirs, or -1."""

    name: PersonName
    company: int
    linkedin: str
    slug: str
    addresses: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        linkedin = (f"linkedin:{self.linkedin}",) if self.linkedin else ()
        return (*linkedin, f"slug:{self.slug}") if self.slug else linkedin

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
        linkedin=linkedin_person(facts.linkedin) if facts.linkedin else "",
        slug=crunchbase_slug(facts.slug) if facts.slug else "",
        addresses=tuple([address for address in facts.emails if not is_role_inbox(address)]),
    )


def resolve_people(mentions: Sequence[PersonMention], rulings: Rulings = NO_RULINGS) -> People:
    clusters = Clusters(len(mentions), {"linkedin": [(each.linkedin,) for each in mentions],
                                        "slug": [(each.slug,) for each in mentions],
                                        "address": [each.addresses for each in mentions]})  # fmt: skip
    apply_rulings(clusters, rulings)
    teams = _teams(mentions)
    clusters.unite_equal(_comparable(mentions, teams))
    for trait, rule, page in (("linkedin", "P1", "LinkedIn"), ("slug", "P2", "Crunchbase")):
        for key, same in clusters.sharing(trait).items():
            clusters.unite(same, rule, f"one {page} page ({key})")
    disputed = _by_address(clusters, _Names(clusters, mentions))
    unclear = list(_by_company(clusters, mentions, teams))
    names = _Names(clusters, mentions)
    disputed = {address: at for address, at in disputed.items() if len({clusters.find(each) for each in at}) > 1}
    likenesses = [*_shared(clusters, disputed), *unclear, *_colleagues(clusters, teams, names), *_tagged(clusters)]
    likenesses += refused(clusters)
    return People(clusters, settled(clusters, likenesses), frozenset(disputed))


def _teams(mentions: Sequence[PersonMention]) -> dict[int, list[int]]:
    """company → the mentions of its people, where there are several."""
    found: dict[int, list[int]] = {}
    for at, mention in enumerate(mentions):
        if mention.company >= 0:
            found.setdefault(mention.company, []).append(at)
    return {company: team for company, team in found.items() if len(team) > 1}


def _comparable(
    mentions: Sequence[PersonMention], teams: Mapping[int, Sequence[int]]
) -> Iterator[tuple[int, Hashable]]:
    """What those say that another could say too. Of whom only a name is known, no later list could tell that they are
    the same: so they never are."""
    at_large = (at for at, each in enumerate(mentions) if each.company < 0 and (each.keys or each.addresses))
    for at in chain(at_large, *teams.values()):
        each = mentions[at]
        yield at, (each.name.words, each.name.suffix, each.company, each.keys, each.addresses)


class _Names:
    """cluster → the different names in it, as the clusters are now."""

    def __init__(self, clusters: Clusters, mentions: Sequence[PersonMention]) -> None:
        self._members, self._mentions = clusters.members(), mentions

    def __getitem__(self, root: int) -> Sequence[PersonName]:
        if root not in self._members:
            return (self._mentions[root].name,)
        names = [self._mentions[at].name for at in self._members[root]]
        return list({(*name.words, name.suffix): name for name in names}.values())


# --- rules ----------------------------------------------------------------------------------------


def _by_address(clusters: Clusters, names: _Names) -> dict[str, list[int]]:
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


def _by_company(
    clusters: Clusters, mentions: Sequence[PersonMention], teams: Mapping[int, Sequence[int]]
) -> Iterator[Likeness]:
    """P4: the same name in the same company, whatever their LinkedIn pages say."""
    for name, same in (each for company in sorted(teams) for each in _namesakes(mentions, teams[company])):
        if len({mentions[at].name.suffix for at in same} - {""}) > 1:
            roots = {clusters.find(at) for at in same}
            yield from (Likeness(*pair, "P4", f"one name ({name}), other suffixes") for pair in pairs(roots))
        elif all(len(mentions[at].name.words) > 1 for at in same):
            clusters.unite(same, "P4", f"one name ({name}) in one company")
        else:
            # One word names many people: only mentions of which nothing else is known are taken as one.
            bare = [at for at in same if not any(clusters.trait(at, trait) for trait in _TRAITS)]
            clusters.unite(bare, "P4", f"one word ({name}) in one company, and nothing else is known")


def _namesakes(mentions: Sequence[PersonMention], team: Iterable[int]) -> list[tuple[str, list[int]]]:
    """Those of a team who share a name, by the order of the names."""
    groups: dict[str, list[int]] = {}
    for at in team:
        groups.setdefault(mentions[at].name.key, []).append(at)
    return sorted((name, same) for name, same in groups.items() if name and len(same) > 1)


def _colleagues(clusters: Clusters, teams: Mapping[int, Sequence[int]], names: _Names) -> Iterator[Likeness]:
    """P5: of 24 pairs of colleagues with like names about 16 were one person, 3 were not (brothers)."""
    for mentions in teams.values():
        team = set(map(clusters.find, mentions))
        if len(team) <= _MOST_COLLEAGUES:
            for left, right in pairs(team):
                if why := next(filter(None, (alike(a, b) for a in names[left] for b in names[right])), ""):
                    yield Likeness(left, right, "P5", f"{names[left][0].full}, {names[right][0].full}: {why}")


def _tagged(clusters: Clusters) -> Iterator[Likeness]:
    folded = clusters.by(lambda root: {suppression_key(address) for address in clusters.trait(root, "address")})
    for address, roots in folded.items():
        yield from (Likeness(*pair, "P6", f"addresses alike but for tag or dots ({address})") for pair in pairs(roots))
