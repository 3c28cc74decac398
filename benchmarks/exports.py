"""Invented Crunchbase exports of any length: about 700 bytes a row, one row in ten about a company named before."""

import csv
import random
from pathlib import Path

HEADERS = (
    "Organization Name", "Organization Name URL", "Headquarters Location", "Description", "CB Rank (Company)",
    "Website", "LinkedIn", "Contact Email", "Founders", "Number of Founders", "Total Funding Amount",
    "Total Funding Amount Currency", "Industries", "Number of Employees", "Founded Date", "Founded Date Precision",
    "Operating Status",
)  # fmt: skip
_SYLLABLES = [consonant + vowel for consonant in "bcdfghklmnprstvz" for vowel in "aeiou"]
_FIRST = ("Ada", "Bo", "Cy", "Dan", "Eva", "Fay", "Gus", "Hal", "Ida", "Jo", "Kim", "Lea", "Max", "Nia", "Omar", "Pia")
_WORDS = ("platform", "for", "modern", "teams", "that", "builds", "software", "to", "manage", "data", "across", "many")
_PLACES = ("Berlin, Berlin, Germany", "San Francisco, California, United States", "London, England, United Kingdom")
_SIZES = ("1-10", "11-50", "51-100", "101-250")


def write_export(path: Path, rows: int, *, seed: int = 1) -> None:
    """An export with this many rows, the same for the same seed."""
    draw = random.Random(seed)  # noqa: S311  invented data
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADERS)
        for at in range(rows):
            company = at if at < 10 or draw.random() > 0.1 else draw.randrange(at)
            writer.writerow(_row(company, at, draw.randrange(10**7)))


def _row(company: int, rank: int, funding: int) -> list[str]:
    own = random.Random(company)  # noqa: S311  invented data
    name = "".join(own.choices(_SYLLABLES, k=4)).capitalize() + f" {company:x}"
    slug = name.lower().replace(" ", "-")
    host = slug.replace("-", "") + ".com"
    people = [_person(own) for _ in range(own.randint(1, 2))]
    return [
        name,
        f"https://www.crunchbase.com/organization/{slug}",
        own.choice(_PLACES),
        " ".join(own.choices(_WORDS, k=55)),
        str(rank),
        f"https://www.{host}/",
        f"https://www.linkedin.com/company/{slug}",
        f"info@{host}",
        ", ".join(people),
        str(len(people)),
        str(funding),
        "USD",
        "Software, SaaS, Artificial Intelligence",
        own.choice(_SIZES),
        f"{own.randint(2000, 2025)}-01-01",
        "year",
        "Active",
    ]


def _person(own: random.Random) -> str:
    return f"{own.choice(_FIRST)} {''.join(own.choices(_SYLLABLES, k=3)).capitalize()}"
