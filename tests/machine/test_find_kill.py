"""A `find` that is killed while a paid question is open, again and again: nobody is paid for twice, nobody left out."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.program import ROOT, Workspace
from tests.web_servers import KEY, Hunter, Response, http_server, name_server, record

NAMES = [f"{letter}na" for letter in "ABCDEFGHIJ"]
SLOW = NAMES[2::4]


def hunter() -> Hunter:
    """Knows everyone; is slow, once, about some."""
    known = {
        (f"{name.lower()}.example", name.lower(), "quill"): record(f"{name.lower()}@{name.lower()}.example")
        for name in NAMES
    }
    return Hunter(known, faults={("email-finder", name): [Response("", stall=120)] for name in SLOW})


def started(workspace: Workspace, *ports: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.machine.find_worker", str(workspace.folder), *map(str, ports),
         "--using", "hunter", "--max-credits", "99"],
        cwd=ROOT, env=workspace.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def asked_for(api: Hunter) -> Counter[str]:
    """How often each person was asked for."""
    queries = [parse_qs(urlsplit(each.path).query) for each in api.asked]
    return Counter(query["first_name"][0] for query in queries if "first_name" in query)


def wait_until_asked(api: Hunter, name: str) -> None:
    for _ in range(3_000):
        if asked_for(api)[name]:
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} was never asked for")


@pytest.mark.parametrize("how", [signal.SIGKILL])
def test_a_killed_run_goes_on_and_asks_nobody_twice(tmp_path: Path, how: signal.Signals) -> None:
    workspace = Workspace.create(tmp_path / "w", HUNTER_API_KEY=KEY)
    table = "Name,Company,Website\n" + "".join(f"{name} Quill,{name},{name.lower()}.example\n" for name in NAMES)
    (workspace.folder / "list.csv").write_text(table)
    workspace.run("import", "list.csv")
    api = hunter()
    with http_server(api.answer, api.asked) as port, name_server({}) as dns:
        for slow in SLOW:
            process = started(workspace, port, dns)
            wait_until_asked(api, slow)
            os.kill(process.pid, how)
            process.communicate()
        last = started(workspace, port, dns)
        _, said = last.communicate(timeout=200)
        assert last.returncode == 3, said
    assert f"{len(SLOW)} answers got lost" in said.decode()
    assert asked_for(api) == dict.fromkeys(NAMES, 1)
    found = {each["full_name"]: each["addresses"] for each in workspace.json("founders")["founders"]}
    assert [name for name in NAMES if not found[f"{name} Quill"]] == SLOW


@pytest.mark.parametrize(("times", "left"), [(1, "1 founder"), (2, "2 founders")])
def test_ctrl_c_ends_after_the_founder_in_hand_or_at_once_and_says_how_to_go_on(
    tmp_path: Path, times: int, left: str
) -> None:
    workspace = Workspace.create(tmp_path / "w", HUNTER_API_KEY=KEY)
    (workspace.folder / "list.csv").write_text(
        "Name,Company,Website\nAna Quill,A,ana.example\nBna Quill,B,bna.example\n"
    )
    workspace.run("import", "list.csv")
    api = hunter()
    api.faults[("email-finder", "Ana")] = [Response('{"data": {"email": null}}', stall=5)]
    with http_server(api.answer, api.asked) as port, name_server({}) as dns:
        process = started(workspace, port, dns)
        wait_until_asked(api, "Ana")
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        shown, said = process.communicate(timeout=200)
    assert process.returncode == 130
    assert f"{left} left: the same command goes on from here" in said.decode()
    assert f"{2 - int(left[0])} founder" in shown.decode()
    assert asked_for(api) == {"Ana": 1}
