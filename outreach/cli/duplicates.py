"""`outreach duplicates`: pairs that only a person can judge, side by side, with the evidence."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outreach.cli._output import count, is_terminal, say, screen_width, show, show_json, show_table
from outreach.cli._shell import Json, shell
from outreach.errors import UsageError

if TYPE_CHECKING:
    from outreach.bootstrap import App
    from outreach.core.records import Company, Founder
    from outreach.store.curation import Pair

Side = Mapping[str, str]
"""A record in a few words, by what they are about."""
_WIDTH = 36
_BESIDE = 19
"""What a line takes besides the two sides."""
_SHOWN = 20
_CHOICES = {"m": "merge", "k": "keep apart", "s": "skip", "q": "quit"}


def register(app: typer.Typer) -> None:
    app.command("duplicates")(duplicates)


def duplicates(
    context: typer.Context,
    pair_id: Annotated[int | None, typer.Argument(metavar="PAIR", help="One pair, as the list shows it.")] = None,
    merge: Annotated[bool, typer.Option("--merge", help="They are one.")] = False,
    keep_apart: Annotated[bool, typer.Option("--keep-apart", help="They are two, whatever later lists say.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Not now: it is not asked again by itself.")] = False,
    skipped: Annotated[bool, typer.Option("--skipped", help="Those that were skipped.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"At most so many (default: {_SHOWN}; all with --json).")
    ] = None,
    json: Json = False,
) -> None:
    """Pairs of founders or companies that may be one: merge them, keep them apart, or skip. The choice is remembered.

    Example: outreach duplicates
    """
    chosen = [name for name, wanted in (("merge", merge), ("keep apart", keep_apart), ("skip", skip)) if wanted]
    if len(chosen) > 1 or (chosen and pair_id is None):
        raise UsageError("say one thing of one pair.", hint="outreach duplicates PAIR --merge, --keep-apart or --skip")
    with shell(context).app() as app:
        from outreach.store import curation

        with app.store.database.read() as connection:
            decision = "skipped" if skipped else ""
            total = curation.count_pairs(connection, decision)
            found = (
                [curation.get_pair(connection, pair_id)]
                if pair_id is not None
                else curation.pairs(connection, decision=decision, limit=limit or (None if json else _SHOWN))
            )
        if chosen:
            _decide(app, found[0], chosen[0])
        elif json:
            show_json({"candidates": [_pair_json(*each) for each in _beside(app, found)], "total": total})
        elif not found:
            show("no pair waits for a decision")
        elif pair_id is None and is_terminal(sys.stdin) and is_terminal(sys.stdout):
            _ask_all(app, found, total)
        else:
            for each in _beside(app, found):
                _show_pair(*each)
            if pair_id is None and len(found) < total:
                say(f"{len(found)} of {total:,} shown; --limit {total} shows all")
            say("next: outreach duplicates PAIR --merge, --keep-apart or --skip")


def _ask_all(app: "App", found: "Sequence[Pair]", total: int) -> None:
    """One after the other; a pair that an earlier answer has settled is not asked any more."""
    from outreach.store import curation

    for at, pair in enumerate(found, 1):
        with app.store.database.read() as connection:
            still = {each.id for each in curation.pairs(connection, decision=pair.decision)}
        if pair.id not in still:
            continue
        say(f"{at} of {total}")
        for each in _beside(app, [pair]):
            _show_pair(*each)
        answer = ""
        while answer not in _CHOICES:
            answer = typer.prompt("m merge, k keep apart, s skip, q quit", err=True).strip().lower()[:1]
        if answer == "q":
            return
        _decide(app, pair, _CHOICES[answer])
    with app.store.database.read() as connection:
        left = curation.count_pairs(connection)
    if left:
        say(f"{count(left, 'pair')} more; next: outreach duplicates")


def _decide(app: "App", pair: "Pair", choice: str) -> None:
    from outreach.flows import curate
    from outreach.importers import all_importers

    about = (app.store, all_importers(), app.clock, pair.kind, pair.left_id, pair.right_id)
    if choice == "merge":
        done = curate.say_same(*about)
        if done.became:
            show(
                "merged: "
                + ", ".join(f"{pair.kind} {old} is {pair.kind} {new} now" for old, new in done.became.items())
            )
        else:
            show("one person in one campaign: the second record stays and is not written to")
        say(f"to take it back: outreach {curate.plural(pair.kind)} split {pair.left_id}")
    elif choice == "keep apart":
        curate.say_apart(*about)
        show("kept apart, whatever later lists say")
        say(f"to take it back: outreach {curate.plural(pair.kind)} merge {pair.left_id} {pair.right_id}")
    else:
        curate.skip(app.store, app.clock, pair)
        show("skipped; outreach duplicates --skipped shows it again")


# --- side by side ---------------------------------------------------------------------------------


def _show_pair(pair: "Pair", left: Side, right: Side) -> None:
    show(f"pair {pair.id}: may be one {pair.kind}, by rule {pair.rule}: {pair.evidence}")
    width = min(_WIDTH, (screen_width() - _BESIDE) // 2)
    rows = [
        (f"  {name}", _cut(left[name], width), "=" if left[name] == right[name] else "", _cut(right[name], width))
        for name in left
        if left[name] or right[name]
    ]
    show_table(rows[0], rows[1:])
    show()


def _pair_json(pair: "Pair", left: Side, right: Side) -> dict[str, Any]:
    names = ("id", "kind", "rule", "evidence", "decision")
    return {**{name: getattr(pair, name) for name in names}, "left": left, "right": right}


def _beside(app: "App", pairs: "Sequence[Pair]") -> "list[tuple[Pair, Side, Side]]":
    """Each with its two sides, all read together; but for those that another command has settled meanwhile."""
    ids: dict[str, list[int]] = {"founder": [], "company": []}
    for pair in pairs:
        ids[pair.kind] += pair.left_id, pair.right_id
    people = app.store.people
    sides = {("founder", at): _founder_side(one) for at, one in people.by_ids(ids["founder"]).items()}
    sides |= {("company", at): _company_side(one) for at, one in people.companies_by_ids(ids["company"]).items()}
    found = ((pair, sides.get((pair.kind, pair.left_id)), sides.get((pair.kind, pair.right_id))) for pair in pairs)
    return [(pair, left, right) for pair, left, right in found if left and right]


def _founder_side(founder: "Founder") -> dict[str, str]:
    company = founder.company
    return {
        "id": str(founder.id),
        "name": founder.full_name,
        "title": founder.title,
        "company": company.name if company else "",
        "domain": company.domain if company else "",
        "addresses": ", ".join(address.address for address in founder.addresses),
        "linkedin": founder.linkedin,
    }


def _company_side(company: "Company") -> dict[str, str]:
    return {
        "id": str(company.id),
        "name": company.name,
        "also": ", ".join(company.aliases),
        "domain": company.domain,
        "place": ", ".join(filter(None, (company.city, company.region, company.country))),
        "crunchbase": company.slug,
        "linkedin": company.linkedin,
        "founders": count(company.founders, "founder") if company.founders else "",
        "founded": company.founded,
        "says": company.description,
    }


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
