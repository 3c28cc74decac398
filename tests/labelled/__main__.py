"""`python -m tests.labelled [DIR]`: the figures on the labelled set; with a folder, its messages as files."""

import sys
from pathlib import Path

from tests.labelled.figures import all_samples, figures, judged, table
from tests.labelled.texts import lines as text_lines


def main(arguments: list[str]) -> None:
    results = [judged(sample) for sample in all_samples()]
    for folder in arguments:
        for result in results:
            name = f"{result.sample.kind}.{'.'.join(result.sample.subkinds) or 'any'}.{result.sample.name}.eml"
            (Path(folder) / name).write_bytes(result.sample.raw)
    lines = [f"{len(results)} messages", *table(figures(results)), "", "new text of a reply", *text_lines()]
    wrong = [f"  {r.sample.name}: {r.kind}/{r.judged.verdict.subkind}" for r in results if r.kind != r.sample.kind]
    sys.stdout.write("\n".join([*lines, *wrong]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
