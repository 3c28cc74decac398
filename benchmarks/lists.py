"""Invented startup lists of any size, for measurements."""

from collections.abc import Iterator
from pathlib import Path

_HEADER = (
    "Organization Name,Organization Name URL,Industries,Headquarters Location,Description,CB Rank (Company),Website,"
    "LinkedIn,Contact Email,Phone Number,Founders,Number of Founders,Number of Employees,Number of Funding Rounds,"
    "Founded Date,Founded Date Precision,Operating Status,Last Funding Date,Last Funding Type,Total Funding Amount,"
    "Total Funding Amount Currency,Total Funding Amount Currency (in USD)"
)
_PLACES = (
    "San Francisco, California, United States",
    "Oslo, Oslo, Norway",
    "Pune, Maharashtra, India",
    "Berlin, Berlin, Germany",
)
_TRADES = (
    "Artificial Intelligence, SaaS, Software",
    "Logistics, Supply Chain Management",
    "Financial Services, FinTech, Payments",
)
_FIRST = ("Ada", "Omar", "Rosa", "Mei", "Dan", "Léa", "Bo", "Milo", "Ines", "Tom")
_LAST = ("Testwell", "Brightly", "Quill", "Sample", "Lindqvist", "Mustermann", "Okafor", "Varga", "Sorel", "Nakata")
_ABOUT = (
    "helps warehouses to plan what goes where, so that nobody walks twice for one parcel; its customers are shops and "
    "their carriers, and the plan of the next day is ready before the shift begins, in every language of the team"
)


def crunchbase_rows(count: int, *, repeated: float = 0.1) -> Iterator[str]:
    """Lines of a company export of about 700 bytes; the last tenth are companies that stand above already."""
    fresh = max(1, round(count * (1 - repeated)))
    for row in range(count):
        at = row % fresh
        name, host, inbox = f"Acme {at} Labs", f"acme{at}.example", "info" if at % 4 else "ada"
        founders = ", ".join(_founder(at + 7 * number) for number in range(1 + at % 3))
        month, day, amount = f"{1 + at % 12:02}", f"{1 + at % 28:02}", (at % 900 + 1) * 10_000
        yield (
            f'{name},https://www.crunchbase.com/organization/acme-{at}-labs,"{_TRADES[at % 3]}","{_PLACES[at % 4]}",'
            f'"{name} {_ABOUT}","{at:,}",https://www.{host},https://www.linkedin.com/company/acme-{at}-labs,'
            f'{inbox}@{host},+44 20 7946 {at % 10000:04},"{founders}",{1 + at % 3},11-50,{at % 7},'
            f"{2000 + at % 25}-{month}-01,{'year' if at % 2 else 'day'},Active,2024-{month}-{day},"
            f"Series {'ABC'[at % 3]},{amount},USD,{amount}\n"
        )


def _founder(at: int) -> str:
    return f"{_FIRST[at % 10]} {_LAST[at // 10 % 10]}{at % 97}"


def write_crunchbase(path: Path, count: int, *, repeated: float = 0.1) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(_HEADER + "\n")
        file.writelines(crunchbase_rows(count, repeated=repeated))
    return path
