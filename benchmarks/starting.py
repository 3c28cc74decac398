"""How long a command takes to answer, beside an interpreter that does nothing: `python -m benchmarks.starting`.

Every command is a process of its own, in a workspace with 1,000 founders; what is compared are medians by turns.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.exports import write_export

_COMMANDS = (("--help",), ("founders",), ("replies",), ("status",))
_SETTINGS = {
    "OUTREACH_FROM": "Ada Testwell <ada@testwell.example>",
    "OUTREACH_PURPOSE": "job-search",
    "OUTREACH_SMTP_HOST": "127.0.0.1",
    "OUTREACH_SMTP_SECURITY": "none",
}


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_export(folder / "companies-9-24-2025.csv", 600)  # that name about 1,000 founders
        _outreach(folder, "init", "--yes")
        _outreach(folder, "import", "companies-9-24-2025.csv")
        seconds: dict[str, list[float]] = {"python -c pass": []}
        for _ in range(rounds):
            seconds["python -c pass"].append(_seconds(folder, "-c", "pass"))
            for words in _COMMANDS:
                seconds.setdefault(" ".join(words), []).append(_seconds(folder, "-m", "outreach", *words))
    base = statistics.median(seconds["python -c pass"])
    print(f"medians of {rounds}")
    for what, each in seconds.items():
        spent = statistics.median(each)
        print(f"{what:16}{spent * 1000:8.0f} ms{spent / base:8.1f} times an interpreter that does nothing")


def _outreach(folder: Path, *words: str) -> None:
    _seconds(folder, "-m", "outreach", *words)


def _seconds(folder: Path, *words: str) -> float:
    others = {"PYTHONDONTWRITEBYTECODE"}  # a user's Python compiles a module once
    environment = {
        name: value for name, value in os.environ.items() if name not in others and not name.startswith("OUTREACH_")
    }
    started = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=folder, env=environment | _SETTINGS, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    main(parser.parse_args().rounds)
