"""Where the files that ship with the program are: migrations, starter templates, data tables.

In a checkout they lie at the top of the repository; in a wheel under `outreach/_data`. An editable install leaves a
stale `_data` copy in site-packages, so the checkout is asked first.
"""

from functools import cache
from pathlib import Path
from typing import Any


@cache
def data_dir() -> Path:
    """The folder that holds `migrations/` and `templates/`."""
    package = Path(__file__).parent
    checkout = package.parent
    return checkout if (checkout / "pyproject.toml").is_file() else package / "_data"


def env_example() -> str:
    """The text of `.env.example`, every setting with a comment."""
    folder = data_dir()
    shipped = folder / "env.example"
    return (shipped if shipped.is_file() else folder / ".env.example").read_text("utf-8")


@cache
def table(name: str) -> tuple[str, ...]:
    """The lines of `outreach/core/data/NAME`, without comments and blanks."""
    lines = (line.partition("#")[0].strip() for line in _data(name).splitlines())
    return tuple(line for line in lines if line)


@cache
def words(name: str) -> frozenset[str]:
    """The same lines as a set, for asking whether a word is among them."""
    return frozenset(table(name))


@cache
def toml(name: str) -> dict[str, Any]:
    """The parsed `outreach/core/data/NAME`."""
    import tomllib  # few commands read one

    return tomllib.loads(_data(name))


def _data(name: str) -> str:
    return (Path(__file__).parent / "core" / "data" / name).read_text("utf-8")
