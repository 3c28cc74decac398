"""The files that no restore forgets: every line survives, whatever a crash or a server's text did before it."""

import stat
import threading
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


def test_a_rewritten_file_has_what_it_should_and_nothing_else(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "sent.log")
    for number in range(4):
        journal.record({"number": number})
    with journal.path.open("a") as torn:
        torn.write('{"rcpt":"bo@')
    journal.rewrite(
        lambda entry: None if entry["number"] == 1 else entry | {"even": not entry["number"] % 2}, [{"number": 9}]
    )
    told = [(entry["number"], entry.get("even")) for entry in journal.entries()]
    assert told == [(0, True), (2, True), (3, False), (9, None)]
    assert b"bo@" not in journal.path.read_bytes()
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["sent.log"]


def test_no_file_is_made_where_there_is_nothing_to_write(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "sent.log")
    journal.rewrite(lambda entry: entry)
    assert not journal.path.exists()
    journal.rewrite(lambda entry: entry, [{"kind": "added"}])
    assert list(journal.entries()) == [{"kind": "added"}]


def test_no_line_is_lost_to_a_rewriting_meanwhile(tmp_path: Path) -> None:
    """Each writer has the file open from before: after a rewriting its lines must go to the new one."""
    path, each = tmp_path / "sent.log", 150

    def write(name: str) -> None:
        journal = Journal(path)
        for number in range(each):
            journal.record({"name": name, "number": number}, durable=False)

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        Journal(path).rewrite(lambda entry: entry)
    told = [(entry["name"], entry["number"]) for entry in Journal(path).entries()]
    assert sorted(told) == [(name, number) for name in "abc" for number in range(each)]
