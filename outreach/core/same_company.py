"""Which mentions of companies are one company: rules C1 to C7.

Contradict: both have a value and they differ. Where a group holds a contradiction, nothing in it is merged on that
rule: which half came first must not decide. Knows nothing of people, rows or what survives of merged ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outreach.core.clusters import Clusters, pairs
from outreach.core.likeness import Likeness, refused, settled
from outreach.core.names import company_key, without_marks
from outreach.core.quick import record
from outreach.core.records import CompanyFacts
from outreach.core.rulings import NO_RULINGS, Rulings, apply_rulings
from outreach.core.urls import company_domain, crunchbase_slug, linkedin_company

_NAMES_OF_A_PLATFORM = 4
"""So many differently named companies on one domain mean a platform, spam or a holding. Three were three spellings."""


@record
class CompanyMention:
    """The keys of what one row says of a company."""

    name: str
    slug: str
    domain: str
    linkedin: str
    country: str
    emails: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """What identifies it."""
        slug = (f"slug:{self.slug}",) if self.slug else ()
        domain = (f"domain:{self.domain}",) if self.domain else ()
        return (*slug, *domain, f"linkedin:{self.linkedin}") if self.linkedin else (*slug, *domain)

    @property
    def hints(self) -> tuple[str, ...]:
        """What it may share with others, and what must be looked at together with it."""
        bare = without_marks(self.slug)
        emails = [f"email:{each}" for each in self.emails]
        return (f"name:{self.name}", *emails, f"bare:{bare}") if bare else (f"name:{self.name}", *emails)


@dataclass(frozen=True, slots=True)
class Companies:
    """What the rules found. `shared_domains` carry so many names that they identify nobody."""

    clusters: Clusters
    likenesses: tuple[Likeness, ...]
    shared_domains: frozenset[str]
    notes: tuple[str, ...]


def company_mention(facts: CompanyFacts) -> CompanyMention:
    return CompanyMention(
        name=company_key(facts.name),
        slug=crunchbase_slug(facts.slug) if facts.slug else "",
        domain=company_domain(facts.website) if facts.website else "",
        linkedin=linkedin_company(facts.linkedin) if facts.linkedin else "",
        country=facts.country.casefold(),
        emails=facts.emails,
    )


def resolve_companies(mentions: Sequence[CompanyMention], rulings: Rulings = NO_RULINGS) -> Companies:
    clusters = Clusters(len(mentions), _traits(mentions))
    apply_rulings(clusters, rulings)
    clusters.unite_equal(enumerate(mentions))
    for slug, same in clusters.sharing("slug").items():  # C1
        clusters.unite(same, "C1", f"one Crunchbase page ({slug})")
    shared = _platforms(clusters)
    clusters.drop("domain", shared)
    notes = []
    for domain, same in clusters.sharing("domain").items():  # C2
        slugs = sorted({slug for root in same for slug in clusters.trait(root, "slug")})
        if len(slugs) > 1:
            notes.append(f"{domain} has {len(slugs)} Crunchbase pages ({', '.join(slugs)}): taken as one company")
        clusters.unite(same, "C2", f"one domain ({domain})")
    likenesses = [*_by_linkedin(clusters), *_by_name(clusters)]
    likenesses += [*_other_domains(clusters), *_same_inbox(clusters), *_like_slugs(clusters), *refused(clusters)]
    return Companies(clusters, settled(clusters, likenesses), shared, tuple(notes))


def _traits(mentions: Sequence[CompanyMention]) -> dict[str, list[Sequence[str]]]:
    return {
        "slug": [(each.slug,) for each in mentions],
        "domain": [(each.domain,) for each in mentions],
        "linkedin": [(each.linkedin,) for each in mentions],
        "name": [(each.name,) for each in mentions],
        "country": [(each.country,) for each in mentions],
        "email": [each.emails for each in mentions],
    }


def _platforms(clusters: Clusters) -> frozenset[str]:
    """Domains under which several companies live, by the number of those that share neither page nor name."""
    return frozenset(
        domain
        for domain, roots in clusters.sharing("domain").items()
        if len(roots) >= _NAMES_OF_A_PLATFORM and _differently_named(clusters, roots) >= _NAMES_OF_A_PLATFORM
    )


def _differently_named(clusters: Clusters, roots: Sequence[int]) -> int:
    groups: list[set[str]] = []
    for root in roots:
        names = set(clusters.trait(root, "name"))
        same = [group for group in groups if group & names]
        groups = [group for group in groups if not group & names] + [names.union(*same)]
    return len(groups)


# --- rules ----------------------------------------------------------------------------------------


def _by_linkedin(clusters: Clusters) -> Iterator[Likeness]:
    """C3 merges; C6 asks where domains contradict."""
    for page, roots in clusters.sharing("linkedin").items():
        now = sorted({clusters.find(root) for root in roots})
        if sum(bool(clusters.trait(root, "domain")) for root in now) <= 1:
            clusters.unite(now, "C3", f"one LinkedIn page ({page})")
        else:
            yield from (Likeness(*pair, "C6", f"one LinkedIn page ({page})") for pair in pairs(now))


def _by_name(clusters: Clusters) -> Iterator[Likeness]:
    """C4: same name and country. Then those of which only the name is known join the only company of that name."""
    _weak_joins_weak(clusters)
    in_country = clusters.by(lambda root: _places(clusters, root))
    for place, roots in in_country.items():
        now = sorted({clusters.find(root) for root in roots})
        several = [trait for trait in ("domain", "slug") if sum(bool(clusters.trait(root, trait)) for root in now) > 1]
        if not several:
            clusters.unite(now, "C4", f"one name and country ({place.replace(chr(9), ', ')})")
        elif several == ["slug"]:
            name = min(clusters.trait(now[0], "name") & clusters.trait(now[-1], "name"), default="")
            yield from (Likeness(*pair, "C6", f"one name and country ({name})") for pair in pairs(now))
    _weak_joins_only(clusters)


def _places(clusters: Clusters, root: int) -> list[str]:
    return [
        f"{name}\t{country}" for name in clusters.trait(root, "name") for country in clusters.trait(root, "country")
    ]


def _weak_joins_weak(clusters: Clusters) -> None:
    weak = [root for root in clusters.roots() if is_weak(clusters, root)]
    for same in clusters.by(lambda root: _places(clusters, root) or clusters.trait(root, "name"), weak).values():
        clusters.unite(same, "C4", "one name, and nothing else is known of either")


def _weak_joins_only(clusters: Clusters) -> None:
    for roots in clusters.sharing("name").values():
        now = sorted({clusters.find(root) for root in roots})
        weak = [root for root in now if is_weak(clusters, root)]
        strong = [root for root in now if root not in weak]
        if len(strong) == 1:
            known = clusters.trait(strong[0], "country")
            told = {country for root in weak for country in clusters.trait(root, "country")}
            fitting = set(known) or (told if len(told) == 1 else set())
            joining = [root for root in weak if clusters.trait(root, "country") <= fitting]
            clusters.unite([strong[0], *joining], "C4", "the only company of that name")


def is_weak(clusters: Clusters, root: int) -> bool:
    """Whether nothing but a name is known of it."""
    return not any(clusters.trait(root, trait) for trait in ("slug", "domain", "linkedin"))


def _other_domains(clusters: Clusters) -> Iterator[Likeness]:
    """C5: of same-named companies on other domains 18 to 44 % were one."""
    for name, roots in clusters.sharing("name").items():
        with_domain = [root for root in roots if clusters.trait(root, "domain")]
        yield from (Likeness(*pair, "C5", f"one name ({name}), other domains") for pair in pairs(with_domain))


def _same_inbox(clusters: Clusters) -> Iterator[Likeness]:
    for address, roots in clusters.sharing("email").items():
        yield from (Likeness(*pair, "C6", f"one contact address ({address})") for pair in pairs(roots))


def _like_slugs(clusters: Clusters) -> Iterator[Likeness]:
    alike = clusters.by(lambda root: {without_marks(slug) for slug in clusters.trait(root, "slug")})
    for slug, roots in alike.items():
        yield from (Likeness(*pair, "C6", f"Crunchbase pages that differ by accents ({slug})") for pair in pairs(roots))
