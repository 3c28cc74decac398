"""How fast `find` is where nobody has to be waited for: N founders, guessed; then the same run again.

python benchmarks/finding.py [N]
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from outreach.bootstrap import SystemClock
from outreach.core.ports import FinderTools, MailDomain, MailHost, WebAnswer
from outreach.finders import make_finders
from outreach.flows.find import Search, find, plan
from outreach.flows.ingest import Source, ingest
from outreach.importers import all_importers
from outreach.store.journal import MemoryJournal
from outreach.store.schema import open_database
from outreach.store.store import Store


class EveryoneTakesMail:
    """DNS without the wait."""

    def look_up(self, domain: str) -> MailDomain:
        return MailDomain(domain, MailHost.TAKES, (f"mx.{domain}",))

    def texts(self, name: str) -> tuple[str, ...] | None:  # noqa: ARG002  no name has one
        return ()


class NoWeb:
    """The pattern finder asks nobody."""

    def get(self, url: str, *, headers: Mapping[str, str], seconds: float, limit: int, site: str = "") -> WebAnswer:
        raise AssertionError((url, headers, seconds, limit, site))


def main(number: int) -> None:
    table = "Name,Company,Website\n" + "".join(f"Ada{n} Quill,Firm {n},firm{n}.example\n" for n in range(number))
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(open_database(Path(folder) / "outreach.db", create=True), MemoryJournal())
        ingest(store, [Source("list.csv", table.encode(), clock.now())], importers=all_importers(), clock=clock)
        finders = make_finders(["pattern"], FinderTools(NoWeb(), clock, str))
        search = Search(store, finders, EveryoneTakesMail(), clock, credits=0, budget=0)
        for title in ("first run", "the same again"):
            began = time.perf_counter()
            found = plan(store, finders, {}, clock.now())
            planned = time.perf_counter()
            report = find(search, found)
            done = time.perf_counter()
            print(
                f"{title}: {len(report.results):,} of {number:,} founders, plan {planned - began:.2f} s, "
                f"find {done - planned:.2f} s"
            )
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
