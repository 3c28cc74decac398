"""Messages written out in full, batch after batch, before the rules had seen them: one text file for each batch.

A message begins with `### name | kind | sub-kinds`; header lines, an empty line and the text follow. A line
`%% type/subtype` begins a part; the header `Multipart` says of what. {mail}, {head}, {id}, {ours} and {quoted} stand
for what we sent.
"""

import textwrap
from collections.abc import Iterator
from importlib.resources import files

from tests.labelled import BODY, RCPT, RETURNED, Sample, message, multipart
from tests.labelled.people import QUOTED
from tests.labelled.replies import Answer, as_mail
from tests.mails import OUR_ID, text_of

WORDS = {
    "{mail}": f"{RETURNED}\n{BODY}",
    "{head}": RETURNED,
    "{id}": OUR_ID,
    "{ours}": BODY,
    "{quoted}": QUOTED.strip(),
}
ANSWER_WORDS = {
    "{ours}": BODY,
    "{ours_flat}": " ".join(BODY.split()),
    "{ours_html}": "".join(f"<p>{part}</p>".replace("\n", "<br>") for part in BODY.split("\n\n")),
    "{quoted_only}": textwrap.indent(BODY.strip(), "> ", lambda _line: True),
}


def all_written() -> Iterator[Sample]:
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".txt"):
            yield from batch(file.name.removesuffix(".txt"))


def batch(name: str) -> Iterator[Sample]:
    text = (files(__package__) / f"{name}.txt").read_text(encoding="utf-8")
    yield from (_sample(name, block) for block in text.split("### ")[1:])


def _sample(origin: str, block: str) -> Sample:
    title, _, rest = block.partition("\n")
    name, kinds, subkinds = (part.strip() for part in f"{title} | | ".split("|")[:3])
    head, _, text = rest.partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.replace("\n ", "\0").split("\n") if ": " in line)
    headers = {key: _filled(value.replace("\0", "\n ")) for key, value in headers.items()}
    headers.setdefault("Message-ID", f"<{origin}.{name}@sender.example>")
    text = _filled(text.rstrip("\n") + "\n")
    if "%% " in text:
        parts = [part.split("\n", 1) for part in f"\n{text}".split("\n%% ")[1:]]
        of = headers.pop("Multipart", "mixed")
        headers["Content-Type"], text = multipart(*((type_, part) for type_, part in parts), kind=of)
    headers.setdefault("Content-Type", "text/plain; charset=utf-8")
    raw = message(text, **{key.replace("-", "_"): value for key, value in headers.items() if value != "-"})
    kind, *also = (each.strip() for each in kinds.split(","))
    known = tuple(each.strip() for each in subkinds.split(",") if each.strip())
    failed = RCPT if kind == "bounce" else ""
    return Sample(f"{origin}-{name}", raw, kind, known, failed, kind not in {"unrelated", "own"}, tuple(also))


def _filled(text: str) -> str:
    for word, meant in WORDS.items():
        text = text.replace(word, meant)
    return text


def written_answers() -> Iterator[Answer]:
    """Replies, the new text of each between `[[` and `]]`; `html ` before a name says what it is."""
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".answers"):
            for block in file.read_text(encoding="utf-8").split("### ")[1:]:
                yield _answer(file.name.removesuffix(".answers"), block)


def _answer(origin: str, block: str) -> Answer:
    title, _, text = block.partition("\n")
    html = title.startswith("html ")
    new = "\n".join(part.partition("]]")[0] for part in text.split("[[")[1:])
    body = text.replace("[[", "").replace("]]", "").strip("\n") + "\n"
    for word, meant in ANSWER_WORDS.items():
        body = body.replace(word, meant)
    kind = "text/html; charset=utf-8" if html else "text/plain; charset=utf-8"
    return Answer(f"{origin}-{title.removeprefix('html ')}", as_mail(body, kind), text_of(new) if html else new, html)
