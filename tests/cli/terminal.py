"""The program in front of a person: on a pseudo-terminal, each question answered as it comes."""

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence

from tests.cli.program import ROOT


def converse(
    command: Sequence[str], environment: Mapping[str, str], question: str, answers: Sequence[str]
) -> tuple[int, str]:
    """Answer the question as often as there are answers. Exit code and everything shown."""
    primary, secondary = pty.openpty()
    program = subprocess.Popen(
        command, cwd=ROOT, env={**environment, "TERM": "xterm"}, stdin=secondary, stdout=secondary, stderr=secondary
    )
    os.close(secondary)
    seen, left = b"", list(answers)
    while True:
        try:
            seen += os.read(primary, 4096)
        except OSError:  # the other end is closed
            break
        if left and seen.count(question.encode()) > len(answers) - len(left):
            os.write(primary, f"{left.pop(0)}\n".encode())
    os.close(primary)
    return program.wait(), seen.decode()
