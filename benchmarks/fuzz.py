"""Hostile mail in masses: `python -m benchmarks.fuzz [MESSAGES] [SEED]`, 200,000 unless told.

Each invented message goes the whole way (head, parse, match, classify, reply text, what follows). None may raise, each
ends as a row or in quarantine, and none may take long: p99 below 50 ms, the slowest below 2 s. The same seed makes the
same messages; those that did worst are told by their number, and `python -m benchmarks.fuzz 1 SEED NUMBER` writes one.
"""

# ruff: noqa: E501  lists of invented fragments read better wide

import base64
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta

from outreach.core.bounces import report_rule
from outreach.core.classify import is_report
from outreach.core.display import safe_text
from outreach.core.inbound import head_of, read_mail
from outreach.core.judge import judge
from outreach.core.matching import clues_of, find_match
from outreach.core.triage import Links, Sent, concerns_us, glance
from tests.labelled.figures import KNOWN, OWNER, all_samples
from tests.mails import ARRIVED_AT, OUR_ID, OUR_TEXT

NOW = ARRIVED_AT + timedelta(hours=1)
_SLOWEST = 8
_LARGEST = 400_000
_NASTY = (
    b"\0", b"\x1b]0;x\x07", b"\x1b[2J", b"\x9b31m", b"\xe2\x80\xae", b"\xff\xfe", b"\xed\xa0\x80", b"\r", b"\r\n\r\n",
    b"\n\n", b"=?x-none?Q?=00?=", b"=?utf-8?B?====?=", b"=?utf-7?Q?+AAA-?=", b"<[id@host]>", b"<@>", b'"', b"(((", b">>>",
    b"<x\r\n A1 UID STORE 1 +FLAGS (\\Deleted)@x.example>", OUR_ID.encode(), b"--b\r\n", b"--b--\r\n", b"[/x]",
    b"Content-Type: message/rfc822\r\n\r\n", b"Content-Transfer-Encoding: base64\r\n", b"charset=rot_13", b"charset=zip",
    b"charset=idna", b"charset=\0", b"name*0*=utf-8''%ff; name*1=x; name*1*=y", b"boundary*=us-ascii'en'b", b"boundary=",
    b"Date: Mon, 99 Foo 0000 99:99:99 +9999\r\n", b"unsubscribe", b"+u-" + b"a" * 30 + b"@", b"Auto-Submitted: auto-replied\r\n",
    b"report-type=delivery-status", b"Content-Type: multipart/mixed; boundary=b\r\n", b"{4000000000}", b"a@" * 40,
)  # fmt: skip


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    bases = [sample.raw for sample in all_samples()]
    if len(sys.argv) > 3:
        sys.stdout.buffer.write(made(bases, seed, int(sys.argv[3])))
        return
    faults: list[str] = []
    taken: list[tuple[float, int, int]] = []
    quarantined = 0
    for number in range(count):
        raw = made(bases, seed, number)
        started = time.process_time()
        try:
            trouble = whole_way(raw)
        except Exception as error:  # noqa: BLE001  what this looks for
            trouble = f"it raised {type(error).__name__}: {error}"[:120]
        taken.append((time.process_time() - started, number, len(raw)))
        quarantined += bool(trouble)
        if trouble.startswith(("it could not be judged", "it raised")):
            faults.append(f"  message {number}: {trouble}")
    times = sorted(seconds for seconds, _, _ in taken)
    print(f"{count:,} messages of seed {seed}: {len(faults)} faults, {quarantined:,} quarantined")
    print("\n".join(faults[:40]))
    print(f"median {statistics.median(times) * 1000:.2f} ms, p99 {times[int(count * 0.99)] * 1000:.1f} ms (goal 50)")
    for seconds, number, size in sorted(taken, reverse=True)[:_SLOWEST]:
        print(f"  {seconds * 1000:8.1f} ms (goal 2000): message {number}, {size:,} bytes")


def whole_way(raw: bytes) -> str:
    """As `sync` does it; why the message is in quarantine, if it is."""
    concerns_us(glance(head_of(raw), OWNER.addresses, Sent()), Links())
    arrival = read_mail(raw, ARRIVED_AT)
    rule = report_rule(arrival)
    match = find_match(clues_of(arrival, report=is_report(arrival, rule), own=OWNER.addresses), KNOWN, arrival.sent_at)
    judged = judge(arrival, match, [OUR_TEXT], owner=OWNER, folder="inbox", now=NOW, report=rule)
    safe_text(judged.text.shown[:2_000])
    return judged.trouble


def made(bases: list[bytes], seed: int, number: int) -> bytes:
    """One message, the same each time."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311  invented mail, no secrets
    if chance.random() < 0.02:
        raw = chance.choice(_BOMBS)(chance)
        return f"In-Reply-To: {OUR_ID}\r\n".encode() + raw if chance.random() < 0.5 else raw
    raw = chance.choice(bases)
    for _ in range(chance.randint(1, 6)):
        raw = chance.choice(_CHANGES)(raw, chance)
    return raw[:_LARGEST]


# --- changes to an ordinary message -----------------------------------------------------------------------------


def _put(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(raw))
    return raw[:at] + chance.choice(_NASTY) * chance.choice((1, 1, 1, 3, 200)) + raw[at:]


def _cut(raw: bytes, chance: random.Random) -> bytes:
    start, end = sorted((chance.randint(0, len(raw)), chance.randint(0, len(raw))))
    return raw[:start] + raw[end:]


def _flip(raw: bytes, chance: random.Random) -> bytes:
    changed = bytearray(raw or b"x")
    for _ in range(chance.randint(1, 20)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _double(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    at = chance.randrange(len(lines))
    return b"\n".join([*lines[:at], *[lines[at]] * chance.choice((2, 10, 300)), *lines[at:]])


def _shuffle(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def _wrap(raw: bytes, chance: random.Random) -> bytes:
    kind = chance.choice((b"message/rfc822", b"text/rfc822-headers", b"message/delivery-status", b"text/html"))
    head = b"From: x@x.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=w\r\n\r\n"
    return head + b"--w\r\nContent-Type: " + kind + b"\r\n\r\n" + raw + b"\r\n--w--\r\n"


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _put,
    _put,
    _put,
    _cut,
    _flip,
    _double,
    _shuffle,
    _wrap,
)

# --- bombs ------------------------------------------------------------------------------------------------------


def _size(chance: random.Random) -> int:
    return int(10 ** chance.uniform(3, 5.6))


def _nested(chance: random.Random) -> bytes:
    head = b"From: x@x.example\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n"
    depth = chance.choice((5, 30, 300, 2_000))
    parts = (b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(depth))
    return head + b"".join(parts) + b"x\r\n" * chance.randint(1, 2_000)


def _attached(chance: random.Random) -> bytes:
    return b"From: x@x.example\r\nContent-Type: message/rfc822\r\n\r\n" * chance.choice((5, 50, 2_000))


def _many_parts(chance: random.Random) -> bytes:
    head = b"From: x@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head + b"--b\r\n\r\nx\r\n" * chance.choice((150, 2_000, 20_000))


def _header(chance: random.Random) -> bytes:
    name = chance.choice(
        (b"References", b"To", b"Subject", b"From", b"Content-Type", b"Received", b"X", b"Date", b"List-Id")
    )
    unit = chance.choice(
        (b" <a@b.example>", b" a@b.example,", b" =?utf-8?Q?=C3=A4?=", b"\r\n ", b"(", b" x=y;", b'"', b"<", b"=?", b"a.", b"@", b"Re: ",
         b" <a@b", b"\t", b" \\", b"\xff", b"[1]", b"<>", b"fwd: ", b"=?a?b?")
    )  # fmt: skip
    return name + b":" + unit * (_size(chance) // len(unit)) + b"\r\nFrom: x@x.example\r\n\r\nhi"


def _continued(chance: random.Random) -> bytes:
    """RFC 2231 continuations, thousands of them."""
    parts = b"".join(b';\r\n name*%d*="%%41%%42"' % n for n in range(_size(chance) // 25))
    return b"From: x@x.example\r\nContent-Type: text/plain; charset*0*=utf-8''x" + parts + b"\r\n\r\nhi"


def _encoded(chance: random.Random) -> bytes:
    inner = base64.encodebytes(bytes([chance.randrange(256)]) * _size(chance))
    if chance.random() < 0.5:
        inner = inner.replace(b"A", b"=")
    kind = chance.choice(
        (b"text/plain; charset=utf-16", b"text/html", b"message/delivery-status", b"text/plain; charset=utf-7")
    )
    return b"From: x@x.example\r\nContent-Transfer-Encoding: base64\r\nContent-Type: " + kind + b"\r\n\r\n" + inner


def _body(chance: random.Random) -> bytes:
    unit = chance.choice(
        (b"> ", b">\r\n", b"> > >\r\n", b"a: b\r\n", b"On Mon wrote:\r\n", b"-", b"- ", b"<div>", b"<style>", b"<", b"&amp;", b"<td><table>",
         b"a ", b"a@b.example ", b"1/2/2026 ", b"until ", b"mailbox full 5.2.2 ", b"550 ", b"Final-Recipient: a\n", b"Action: failed\n\n",
         b"\t", b" ", b"\r\n", b"From: a\r\n", b"<a@b> ", b"[", b'{"a":', b"don't ", b"stop ", b"=20=\r\n", b"\xc2\xa0", b"_", b"---- ",
         b"Original-Recipient: a\r\nx\r\n", b"X-Outreach-Id: aaa", b"http://", b"+a", b"? ", b"not interested ", b"Am 1. schrieb ")
    )  # fmt: skip
    kind = chance.choice(
        (b"text/plain", b"text/html", b"multipart/report; report-type=delivery-status; boundary=b", b"message/rfc822")
    )
    more = chance.choice(
        (
            b"",
            b"Subject: Out of office\r\n",
            b"Subject: Undeliverable\r\nReturn-Path: <>\r\n",
            b"X-Failed-Recipients: a\r\n",
        )
    )
    head = b"From: Mail Delivery System <mailer-daemon@x.example>\r\n" + more
    between = b"\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" if b"boundary" in kind else b""
    return head + b"Content-Type: " + kind + b"\r\n\r\n" + between + unit * (_size(chance) // len(unit))


_BOMBS: tuple[Callable[[random.Random], bytes], ...] = (
    _nested, _attached, _many_parts, _header, _header, _continued, _encoded, _body, _body, _body,
)  # fmt: skip


if __name__ == "__main__":
    main()
