"""Sequences at full length: variants, Markdown, attachments, shared files, waits, and what a header may say."""

from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.message import OPT_OUT, build_copy, build_message, check_wire
from outreach.core.read_back import read_draft, read_message
from outreach.core.records import Company, Draft, Founder, Sender, Sequence, Step
from outreach.core.sequence import after_wait
from outreach.core.variants import every_variant, variant_for
from outreach.errors import TemplateError
from outreach.templating import Missing, Previous, Renderer, load_sequence, sequence_folder, template_context

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ME = Sender("Ada Lovelace", "ada@lovelace.example")
QUILL = Company(1, "Quill Robotics, Inc.", industries=("Robotics", "AI", "Health"), founded="2021", city="Oslo",
                website="https://quill.example")  # fmt: skip
ZOE = Founder(7, "Dr. Zoë Quill", "Zoë", "Quill", company=QUILL, line="Your robot sorts parcels.")
PDF = b"%PDF-1.4\nnot much of one\n"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    (tmp_path / "templates" / "intro").mkdir(parents=True)
    (tmp_path / "templates" / "_shared").mkdir()
    return tmp_path / "templates"


def write(templates: Path, **files: str) -> Path:
    """`s_1_intro_a_md="…"` is intro/1-intro.a.md; `shared_greet_txt` is _shared/greet.txt."""
    for key, text in files.items():
        folder, _, name = key.partition("__")
        path = templates / {"s": "intro", "shared": "_shared"}[folder] / name.replace("_", "-").replace("-dot-", ".")
        path.write_text(text, "utf-8")
    return templates / "intro"


def render(
    folder: Path, founder: Founder = ZOE, *, number: int = 1, previous: Previous | None = None, campaign: int = 1
) -> Draft | Missing:
    sequence = load_sequence(folder)
    step = variant_for(sequence.steps[number - 1], campaign, founder.id)
    context = template_context(founder, "zoe@quill.example", ME, "spring", step, previous, date=NOW)
    return Renderer(sequence).render(step, context)


def said(folder: Path, founder: Founder = ZOE) -> str:
    draft = render(folder, founder)
    assert isinstance(draft, Draft), draft
    return draft.text.partition(OPT_OUT)[0].strip()


def mime(draft: Draft) -> bytes:
    message = build_message(
        draft, sender=ME, recipient="zoe@quill.example", recipient_name="Zoë", date=NOW, token="t" * 32
    )
    assert check_wire(message.mime, "zoe@quill.example", message.message_id) == []
    return message.mime


# --- variants -------------------------------------------------------------------------------------

TWO = {"s__1_intro_dot_a_dot_txt": "Subject: A\n\na?", "s__1_intro_dot_b_dot_txt": "Subject: B\n\nb?"}


def test_variants_are_one_step(templates: Path) -> None:
    [step] = load_sequence(write(templates, **TWO)).steps
    assert [each.variant for each in every_variant(step)] == ["a", "b"]
    assert (step.number, step.variant) == (1, "")


@given(st.lists(st.integers(1, 10**9), unique=True, min_size=1, max_size=30), st.randoms())
def test_a_founder_keeps_a_variant_whatever_the_order(ids: list[int], random) -> None:  # type: ignore[no-untyped-def]
    steps = tuple(Step(1, "x", "s", "b", timedelta(), f"x.{letter}", variant=letter) for letter in "abc")
    step = Step(1, "x", "s", "b", timedelta(), "x", variants=steps)
    first = {each: variant_for(step, 1, each).variant for each in ids}
    random.shuffle(ids)
    assert {each: variant_for(step, 1, each).variant for each in ids} == first


def test_variants_are_split_evenly_and_a_new_one_takes_only_for_itself() -> None:
    steps = tuple(Step(1, "x", "s", "b", timedelta(), f"x.{letter}", variant=letter) for letter in "abc")
    two, three = (Step(1, "x", "s", "b", timedelta(), "x", variants=steps[:n]) for n in (2, 3))
    before = {n: variant_for(two, 1, n).variant for n in range(3_000)}
    after = {n: variant_for(three, 1, n).variant for n in range(3_000)}
    assert all(1_380 < list(before.values()).count(letter) < 1_620 for letter in "ab")
    assert all(900 < list(after.values()).count(letter) < 1_100 for letter in "abc")
    assert all(after[n] == "c" for n in before if after[n] != before[n])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"s__1_intro_dot_a_dot_txt": "Subject: A\n\na?"}, "the only variant"),
        ({**TWO, "s__1_intro_dot_txt": "Subject: C\n\nc"}, "two steps with the number 1"),
        ({**TWO, "s__2_x_dot_a_dot_txt": "Wait: 3 days\n\na", "s__2_x_dot_b_dot_txt": "Wait: 4 days\n\nb"},
         "waits for another time"),
        ({**TWO, "s__2_x_dot_a_dot_txt": "Subject: x\n\na", "s__2_x_dot_b_dot_txt": "\nb"}, "both have a Subject"),
        ({"s__1_intro_dot_txt": "Subject: A\nVariant: short\n\na"}, "is no variant"),
    ],
)  # fmt: skip
def test_variants_that_cannot_be_compared(templates: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        load_sequence(write(templates, **files))


# --- waits and other headers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent_at", "days", "due_at"),
    [
        ("2026-03-02T09:30", 3, "2026-03-05T09:30"),  # Monday → Thursday
        ("2026-03-05T09:30", 3, "2026-03-10T09:30"),  # Thursday → Tuesday
        ("2026-03-06T16:59", 1, "2026-03-09T16:59"),  # Friday → Monday
        ("2026-03-07T12:00", 1, "2026-03-09T12:00"),  # Saturday → Monday
        ("2026-03-02T09:30", 10, "2026-03-16T09:30"),
    ],
)
def test_working_days(sent_at: str, days: int, due_at: str) -> None:
    step = Step(2, "x", "", "b", timedelta(days=days), "x", working_days=days)
    at = datetime.fromisoformat(sent_at).replace(tzinfo=UTC)
    assert after_wait(at, step, UTC) == datetime.fromisoformat(due_at).replace(tzinfo=UTC)


def test_the_weekend_is_the_senders() -> None:
    step = Step(2, "x", "", "b", timedelta(days=1), "x", working_days=1)
    friday_evening = datetime(2026, 3, 7, 1, 0, tzinfo=UTC)  # still Friday in New York
    due = after_wait(friday_evening, step, ZoneInfo("America/New_York"))
    assert due.astimezone(ZoneInfo("America/New_York")).strftime("%A") == "Monday"


def test_wait_in_working_days_is_read(templates: Path) -> None:
    folder = write(templates, s__1_a_dot_txt="Subject: x\n\na", s__2_b_dot_txt="Wait: 3 working days\n\nb")
    step = load_sequence(folder).steps[1]
    assert (step.working_days, step.wait) == (3, timedelta(days=3))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Silence: link", "does not say which rule, and why"),
        ("Attach: cv.pdf\nAttach:", "names no file"),
        ("Attach: nowhere.pdf", "1-a.txt:2: nowhere.pdf cannot be attached"),
        ("Attach: ../../../etc/passwd", "lies outside the templates"),
        ("Attach: /etc/passwd", "lies outside the templates"),
        ("Attach: tool.exe", "of no kind that can be attached"),
        ("Attach: fake.pdf", "not what its name says"),
        ("Attach: big.pdf", "larger than 2 MB"),
        ("Attach: half.pdf\nAttach: half.pdf\nAttach: half.pdf", "larger than 2 MB together"),
        ("Attach: link.pdf", "lies outside the templates"),
        ("\n".join(["Attach: cv.pdf"] * 6), "more than 5 files"),
        ("Require: founder.frist_name", "did you mean|no such variable"),
        ("Attach: cv.pdf as {{ company.nmae }}.pdf", "1-a.txt:2: there is no variable `company.nmae`"),
    ],
)
def test_a_header_that_cannot_be_used(templates: Path, header: str, message: str) -> None:
    folder = write(templates, s__1_a_dot_txt=f"Subject: x\n{header}\n\na")
    (folder / "cv.pdf").write_bytes(PDF)
    (folder / "tool.exe").write_bytes(b"MZ")
    (folder / "fake.pdf").write_bytes(b"<html>")
    (folder / "big.pdf").write_bytes(b"%PDF-" + bytes(2_100_000))
    (folder / "half.pdf").write_bytes(b"%PDF-" + bytes(800_000))
    (folder / "link.pdf").symlink_to("/etc/hostname")
    with pytest.raises(TemplateError, match=message):
        Renderer(load_sequence(folder))


def test_require_holds_whatever_the_text_makes_of_it(templates: Path) -> None:
    folder = write(templates, s__1_a_dot_txt="Subject: x\nRequire: line, company.city\n\n{{ line or 'hello' }}")
    assert isinstance(render(folder), Draft)
    assert render(folder, Founder(1, "Bo")) == Missing(("line", "company.city"))


# --- attachments ----------------------------------------------------------------------------------


def test_an_attachment_goes_with_the_mail_under_the_name_the_template_gives(templates: Path) -> None:
    folder = write(
        templates, s__1_a_dot_txt="Subject: x\nAttach: cv.pdf as CV for {{ company.short_name }}.pdf\n\nHi Zoë, ä"
    )
    (folder / "cv.pdf").write_bytes(PDF)
    draft = render(folder)
    assert isinstance(draft, Draft)
    raw = mime(draft)
    mail = message_from_bytes(raw, policy=default)
    assert mail.get_content_type() == "multipart/mixed"
    text, pdf = mail.iter_parts()
    assert text.get_content().startswith("Hi Zoë, ä")
    assert (pdf.get_filename(), pdf.get_content_type()) == ("CV for Quill Robotics.pdf", "application/pdf")
    assert pdf.get_payload(decode=True) == PDF
    assert read_message(raw).files[0].size == len(PDF)
    assert read_draft(raw).text == draft.text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('"; filename=evil.exe\r\nX-Evil: 1', "; filename=evil.exe X-Evil 1.pdf"),
        ("../../etc/passwd", "etc passwd.pdf"),
        ("株式会社", "株式会社.pdf"),
        ("\u202efdp.exe", "fdp.exe.pdf"),
        ("x" * 500, "x" * 60 + ".pdf"),
        (".hidden", "hidden.pdf"),
        ("/", "attachment.pdf"),
    ],
)
def test_an_attachments_name_is_only_a_name(templates: Path, name: str, shown: str) -> None:
    folder = write(templates, s__1_a_dot_txt="Subject: x\nAttach: cv.pdf as {{ founder.title }}.pdf\n\nHi")
    (folder / "cv.pdf").write_bytes(PDF)
    draft = render(folder, Founder(1, "Bo", title=name))
    assert isinstance(draft, Draft)
    mail = message_from_bytes(mime(draft), policy=default)
    [_, pdf] = mail.iter_parts()
    assert pdf.get_filename() == shown
    assert set(pdf.keys()) == {"Content-Type", "Content-Disposition", "Content-Transfer-Encoding"}


def test_a_copy_to_oneself_keeps_every_part(templates: Path) -> None:
    folder = write(templates, s__1_a_dot_md="Subject: Größe\nAttach: cv.pdf\n\nHi **Zoë**")
    (folder / "cv.pdf").write_bytes(PDF)
    draft = render(folder)
    assert isinstance(draft, Draft)
    copy = build_copy(mime(draft), sender=ME, tag="zoe@quill.example", date=NOW, token="c" * 32)
    assert check_wire(copy.mime, ME.address, copy.message_id) == []
    seen = read_message(copy.mime)
    assert seen.subject == "[to zoe@quill.example] Größe"
    assert (seen.text, seen.html, seen.files[0].name) == (draft.text, draft.html, "cv.pdf")
    assert "zoe@quill.example" not in dict(seen.headers)["To"]


def test_an_attachment_changes_the_digest_of_its_step(templates: Path) -> None:
    folder = write(templates, s__1_a_dot_txt="Subject: x\nAttach: cv.pdf\n\nHi")
    (folder / "cv.pdf").write_bytes(PDF)
    before = load_sequence(folder).steps[0].digest
    (folder / "cv.pdf").write_bytes(PDF + b"more")
    assert load_sequence(folder).steps[0].digest != before


# --- Markdown -------------------------------------------------------------------------------------

MARKDOWN = """Subject: x

Hi {{ founder.first_name }} of **{{ company.name }}**,

- [our page]({{ company.website }})
- [search](https://s.example/?q={{ company.name }})

<b>no html</b> ![pixel](https://evil.example/p.gif)

{{ me.signature }}
"""


def html(templates: Path, founder: Founder) -> str:
    draft = render(write(templates, s__1_a_dot_md=MARKDOWN), founder)
    assert isinstance(draft, Draft)
    seen = read_message(mime(draft))
    assert seen.html == draft.html
    assert seen.text == draft.text
    return seen.html


def test_markdown_becomes_a_second_part(templates: Path) -> None:
    found = html(templates, ZOE)
    assert "<strong>Quill Robotics, Inc.</strong>" in found
    assert '<a href="https://quill.example">our page</a>' in found
    assert "q=Quill%20Robotics%2C%20Inc." in found
    assert "&lt;b&gt;no html&lt;/b&gt;" in found
    assert "<img" not in found
    assert "rather not hear from me" in found


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "**bold** [x](https://evil.example)", "![x](https://evil.example/p.gif)",
     '" onmouseover="alert(1)', "OrValue0x", "<!--", "&lt;script&gt;", "`code`", "# title", "&#x6a;avascript:"],
)  # fmt: skip
def test_a_value_is_never_markup(templates: Path, name: str) -> None:
    found = html(templates, Founder(1, "Bo Quill", company=Company(1, name, website="https://quill.example")))
    seen = Tags()
    seen.feed(found)
    assert set(seen.tags) <= {"html", "head", "meta", "body", "p", "strong", "ul", "li", "a", "br"}
    assert set(seen.attributes["a"]) <= {"href"}
    assert seen.strong == name


class Tags(HTMLParser):
    """Which tags a page has, with which attributes, and what stands in `strong`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.strong = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.setdefault(tag, []).extend(name for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "strong" and self.tags.count("strong") % 2:
            self.strong += data


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "ftp://x.example", 'https://x.example/" x="']
)
def test_only_web_and_mail_addresses_are_links(templates: Path, url: str) -> None:
    found = html(templates, Founder(1, "Bo Quill", company=Company(1, "Quill Labs", website=url)))
    assert "<a>our page</a>" in found
    assert "javascript:" not in found


# --- shared files ---------------------------------------------------------------------------------

GREET = "{% macro hello(name, whole='you') %}Hi {{ name or whole }},{% endmacro %}\n"


def test_macros_and_includes_are_shared(templates: Path) -> None:
    folder = write(
        templates,
        shared__greet_dot_txt=GREET,
        shared__bye_dot_txt="Best,\n{{ me.signature }}, to {{ company.city }}\n",
        s__1_a_dot_txt="Subject: x\n\n{% from 'greet.txt' import hello %}\n{{ hello(founder.first_name) }}\n\n"
        "{% include 'bye.txt' %}\n",
    )
    assert said(folder) == "Hi Zoë,\n\nBest,\nAda Lovelace, to Oslo"
    assert render(folder, Founder(1, "Bo")) == Missing(("company.city",))


def test_an_empty_value_handed_to_a_macro_holds_the_mail(templates: Path) -> None:
    folder = write(
        templates,
        shared__greet_dot_txt="{% macro hello(name) %}Hi {{ name }},{% endmacro %}",
        s__1_a_dot_txt="Subject: x\n\n{% from 'greet.txt' import hello %}{{ hello(founder.title) }}",
    )
    assert render(folder) == Missing(("founder.title",))


def test_a_shared_file_is_part_of_the_digest(templates: Path) -> None:
    folder = write(templates, shared__bye_dot_txt="Best", s__1_a_dot_txt="Subject: x\n\n{% include 'bye.txt' %}")
    before = load_sequence(folder).steps[0].digest
    write(templates, shared__bye_dot_txt="Cheers")
    assert load_sequence(folder).steps[0].digest != before


def test_shared_files_work_in_markdown_too(templates: Path) -> None:
    folder = write(
        templates,
        shared__greet_dot_txt=GREET,
        s__1_a_dot_md="Subject: x\n\n{% from 'greet.txt' import hello %}\n*{{ hello(founder.full_name) }}*\n",
    )
    draft = render(folder, Founder(1, "<i>Bo</i> *x*"))
    assert isinstance(draft, Draft)
    assert "<em>Hi &lt;i&gt;Bo&lt;/i&gt; *x*,</em>" in draft.html


IMPORT = "{% from 'g.txt' import m %}"


@pytest.mark.parametrize(
    ("shared", "body"),
    [
        ("{% include 'g.txt' %}", "{% include 'g.txt' %}"),
        ("{% macro m(x) %}{{ m(x) }}{% endmacro %}", IMPORT + "{{ m(line) }}"),
        ("{% macro m(x) %}{{ founder.full_name }}{% endmacro %}", IMPORT + "{{ m(line) }}"),
        ("{% macro m(x) %}{{ caller() }}{% endmacro %}", IMPORT + "{{ m(line) }}"),
        ("{% macro m(x) %}{{ varargs }}{% endmacro %}", IMPORT + "{{ m(line) }}"),
        ("{% macro m(x) %}{{ x.__class__ }}{% endmacro %}", IMPORT + "{{ m(line) }}"),
        ("{% macro m(x) %}{% for y in x %}{{ y }}{% endfor %}{% endmacro %}", IMPORT + "{{ m(line) }}"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}", IMPORT + "{{ m() }}"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}", IMPORT + "{{ m(line, line) }}"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}", IMPORT + "{{ m(*line) }}"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}", IMPORT + "{{ m(line) | upper }}"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}", IMPORT + "{{ m }}"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}", IMPORT + "{{ m.__globals__ }}"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}", "{% from 'g.txt' import m with context %}{{ m(line) }}"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}", "{% import 'g.txt' as g %}{{ g.m(line) }}"),
        ("{% macro m(x) %}{{ x }}{% endmacro %}", "{% from 'g.txt' import n %}"),
        ("{% macro m(founder) %}{{ founder }}{% endmacro %}", IMPORT + "{{ m(line) }}"),
        ("{% macro m(x=founder) %}{{ x }}{% endmacro %}", IMPORT + "{{ m(line) }}"),
        ("x", "{% include '../intro/1-a.txt' %}"),
        ("x", "{% include '/etc/passwd' %}"),
        ("x", "{% include founder.title %}"),
        ("x", "{% include ['g.txt', 'h.txt'] %}"),
        ("x", "{% include 'h.txt' ignore missing %}"),
        ("x", "{% for i in company.industries %}{% include 'g.txt' %}{% endfor %}"),
        ("{{ lipsum() }}", "hello"),
    ],
    ids=range(25),
)
def test_what_is_shared_is_as_strict(templates: Path, shared: str, body: str) -> None:
    folder = write(templates, shared__g_dot_txt=shared, s__1_a_dot_txt=f"Subject: x\n\n{body}")
    with pytest.raises(TemplateError):
        Renderer(load_sequence(folder))


@pytest.mark.parametrize(
    ("shared", "body"),
    [
        ("{% macro m(x) %}" + "{{ x }}" * 2_000 + "{% endmacro %}", IMPORT + "{{ m(company.description) }}" * 2_000),
        ("{{ company.description }}" * 700, "{% include 'g.txt' %}" * 500),
        ("{% if line %}" * 300 + "x" + "{% endif %}" * 300, "{% include 'g.txt' %}"),
    ],
)
def test_a_shared_bomb_is_an_error(templates: Path, shared: str, body: str) -> None:
    folder = write(templates, shared__g_dot_txt=shared, s__1_a_dot_txt=f"Subject: x\n\n{body}")
    founder = Founder(1, "Bo", company=Company(1, "Quill", description="x" * 2_000), line="x")
    with pytest.raises(TemplateError):
        render(folder, founder)


# --- what can be said -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{{ founder.first_name }}", "Zoë"),
        ("{{ founder.full_name | first_name }}", "Zoë"),
        ("{{ company.name | short_name }} {{ company.short_name }}", "Quill Robotics Quill Robotics"),
        ("{{ company.industries | listed }}", "Robotics, AI and Health"),
        ("{{ company.industries | listed(2, 'or') }}", "Robotics or AI"),
        ("{{ company.industries | last | a }}", "a Health"),
        ("You started {{ company.founded | years_ago }}.", "You started five years ago."),
        ("{{ '2500000 USD' | money }} {{ '2024-05' | month }}", "$2.5 million May 2024"),
        ("{{ line }}", "Your robot sorts parcels."),
        ("{{ step.number }} {{ step.name }}", "1 a"),
        ("{{ previous.subject or 'none' }}", "none"),
    ],
)
def test_words_and_filters(templates: Path, body: str, text: str) -> None:
    assert said(write(templates, s__1_a_dot_txt=f"Subject: x\n\n{body}")) == text


def test_a_value_that_a_filter_cannot_read_is_as_absent_as_an_empty_one(templates: Path) -> None:
    folder = write(templates, s__1_a_dot_txt="Subject: x\n\n{{ company.city | money }}")
    assert render(folder) == Missing(("`money` of “Oslo”",))
    folder = write(templates, s__1_a_dot_txt="Subject: x\n\n{{ company.city | money | default('some money') }}")
    assert said(folder) == "some money"


def test_the_mail_before_can_be_spoken_of(templates: Path) -> None:
    folder = write(
        templates,
        s__1_a_dot_txt="Subject: x\n\na",
        s__2_b_dot_txt="Wait: 3 days\n\nOn {{ previous.sent_on | weekday }}, {{ previous.sent_on | day }}: "
        "{{ previous.subject }}",
    )
    draft = render(folder, number=2, previous=Previous(1, "Work", NOW - timedelta(days=3)))
    assert isinstance(draft, Draft)
    assert draft.text.startswith("On Friday, 27 February: Work")
    assert NOW.date() == date(2026, 3, 2)


texts = st.text(max_size=60)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Sequence:
    """A step with every place that a value can go to."""
    templates = tmp_path_factory.mktemp("any") / "templates"
    (templates / "intro").mkdir(parents=True)
    (templates / "intro" / "cv.pdf").write_bytes(PDF)
    step = (
        "Subject: {{ company.name }}\nAttach: cv.pdf as {{ founder.title }}.pdf\n\n"
        "**{{ founder.full_name }}** [x]({{ line }}) {{ company.name }}"
    )
    return load_sequence(write(templates, s__1_a_dot_md=step))


@given(texts, texts, texts, texts)
def test_any_data_gives_a_sound_mail_or_none(
    everything: Sequence, name: str, title: str, line: str, company: str
) -> None:
    founder = Founder(1, name, title=title, line=line, company=Company(1, company))
    [step] = everything.steps
    context = template_context(founder, "zoe@quill.example", ME, "spring", step, date=NOW)
    draft = Renderer(everything).render(step, context)
    if isinstance(draft, Draft):
        seen = read_message(mime(draft))
        assert (seen.text, seen.html, seen.subject) == (draft.text, draft.html, draft.subject)
        assert seen.files[0].name == draft.attachments[0].name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../intro", "/etc", "intro/", "./intro", "a/b", "a\\b", ".git", "_shared", "a\tb", "a\0b"]
)
def test_what_would_lead_elsewhere_is_no_name_of_a_sequence(templates: Path, name: str) -> None:
    write(templates, s__1_intro_dot_txt="Subject: A\n\nB\n")
    with pytest.raises(TemplateError, match="is no name for a sequence") as refused:
        sequence_folder(templates, name)
    assert refused.value.hint.endswith("there are: intro")
    assert sequence_folder(templates, "intro") == templates / "intro"
