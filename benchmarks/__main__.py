"""Every measurement, one after the other: `python -m benchmarks`. Some need servers or peers and say what they miss."""

import subprocess
import sys
from pathlib import Path

_PARTS = ("exports", "lists")  # invented lists, which the others measure with


def main() -> None:
    here = Path(__file__).parent
    names = sorted(path.stem for path in here.glob("[!_]*.py") if path.stem not in _PARTS)
    for name in names:
        print(f"\n== benchmarks.{name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=here.parent, check=False)


if __name__ == "__main__":
    main()
