"""The files that no restore forgets: every line survives, whatever a crash or a server's text did before it."""

import stat
from pathlib import Path

from outreach.store.journal import Journal


def test_lines_come_back_and_the_file_is_private(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "sent.log")
    entries = [{"kind": "intent", "text": "a\u2028b\x85c\nd"}, {"kind": "sent", "text": "é"}]
    for entry in entries:
        journal.record(entry)
    assert list(journal.entries()) == entries
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_a_torn_line_does_not_swallow_the_next(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "sent.log")
    journal.path.write_text('{"kind":"int')
    journal.record({"kind": "sent"})
    assert list(journal.entries()) == [{"kind": "sent"}]


def test_no_file_is_no_entry(tmp_path: Path) -> None:
    assert list(Journal(tmp_path / "sent.log").entries()) == []
    assert list(Journal(tmp_path / "sent.log").newest()) == []


def test_the_newest_are_whole_and_few_however_long_the_file_is(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "sent.log")
    entries = [{"kind": "sent", "number": number, "text": "x" * 100} for number in range(2000)]
    for entry in entries:
        journal.record(entry, durable=False)
    newest = list(journal.newest())
    assert 100 < len(newest) < 1000
    assert newest == entries[-len(newest) :]


def test_what_is_torn_or_put_in_its_place_while_it_is_open_swallows_nothing(tmp_path: Path) -> None:
    journal, other = Journal(tmp_path / "sent.log"), tmp_path / "backup"
    journal.record({"kind": "intent"})
    with journal.path.open("a") as torn:
        torn.write('{"kind":"int')
    journal.record({"kind": "sent"}, durable=False)
    assert [entry["kind"] for entry in journal.entries()] == ["intent", "sent"]
    other.write_text('{"kind":"intent"}\n')
    other.replace(journal.path)
    journal.record({"kind": "void"})
    assert [entry["kind"] for entry in journal.entries()] == ["intent", "void"]
