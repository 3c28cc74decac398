"""What an import did, or would do: the frozen report of `ingest`, and its JSON."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outreach.core.records import RowError


@dataclass(frozen=True, slots=True)
class Count:
    """How often rows named something new, brought something for what was there (merged), or nothing (same)."""

    new: int
    merged: int
    same: int

    @classmethod
    def of(cls, outcomes: Counter[str]) -> "Count":
        return cls(outcomes["new"], outcomes["merged"], outcomes["same"])

    def as_json(self) -> dict[str, int]:
        return {"new": self.new, "merged": self.merged, "same": self.same}


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file. Every row is new, merged, same or skipped. `seen_as` is the earlier import of these very bytes."""

    file: str
    format: str
    encoding: str
    mapping: Mapping[str, str]
    unmapped: tuple[str, ...]
    rows: int
    outcomes: Count
    skipped: tuple[RowError, ...]
    warnings: tuple[RowError, ...]
    """Rows that were used, and what is odd about them."""
    notes: tuple[str, ...]
    headers: tuple[str, ...]
    seen_as: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "format": self.format,
            "encoding": self.encoding,
            "rows": self.rows,
            **self.outcomes.as_json(),
            "skipped": [{"line": row.line, "reason": row.reason} for row in self.skipped],
            "warnings": [{"line": row.line, "reason": row.reason} for row in self.warnings],
            "mapping": dict(self.mapping),
            "unmapped": list(self.unmapped),
            "notes": list(self.notes),
            "seen_as": self.seen_as,
        }


@dataclass(frozen=True, slots=True)
class IngestReport:
    """All files together. `candidates` are new pairs that only a person can judge; `weak` companies are mere names."""

    files: tuple[FileReport, ...]
    companies: Count
    founders: Count
    new_addresses: int
    candidates: int
    weak: int
    shared_domains: tuple[str, ...]
    notes: tuple[str, ...]
    dry_run: bool

    @property
    def in_part(self) -> bool:
        """Whether rows were skipped."""
        return any(file.skipped for file in self.files)

    def as_json(self) -> dict[str, Any]:
        return {
            "dry_run": self.dry_run,
            "files": [file.as_json() for file in self.files],
            "companies": self.companies.as_json(),
            "founders": self.founders.as_json(),
            "addresses": {"new": self.new_addresses},
            "candidates": self.candidates,
            "weak": self.weak,
            "shared_domains": list(self.shared_domains),
            "notes": list(self.notes),
        }
