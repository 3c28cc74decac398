"""Sequences: how files are read, what a template may say, and that a mail is whole or held."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.core.lint import lint_message
from outreach.core.message import OPT_OUT, build_message
from outreach.core.records import Company, Draft, Founder, Sender, Sequence, Step
from outreach.core.text import one_line
from outreach.errors import TemplateError
from outreach.resources import data_dir
from outreach.templating import Missing, Renderer, load_sequence, sequence_names, template_context
from outreach.templating.context import VALUE_LIMIT

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ME = Sender("Ada Lovelace", "ada@lovelace.example")
QUILL = Company(1, "Quill Robotics", industries=("Robotics", "Machine Learning"), founded="2021", city="Oslo")
ZOE = Founder(7, "Zoë Quill", "Zoë", "Quill", company=QUILL, cells={"CB Rank (Company)": "4,711", "Notes": ""})
BARE = Founder(8, "Zoë Quill", company=Company(2, "Quill Robotics"))

Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    def make(**files: str) -> Path:
        made = tmp_path / "templates" / "intro"
        made.mkdir(parents=True)
        for name, text in files.items():
            (made / f"{name.replace('_', '-').strip('-')}.txt").write_text(text, "utf-8")
        return made

    return make


def render(body: str, founder: Founder = ZOE, *, subject: str = "Hello", sender: Sender = ME) -> Draft | Missing:
    step = Step(1, "intro", subject, body, timedelta(), "intro/1-intro.txt", 3)
    context = template_context(founder, "zoe@quill.example", sender, "spring")
    return Renderer(Sequence("intro", (step,))).render(step, context)


def text(body: str, founder: Founder = ZOE) -> str:
    """What a template says, without the footer."""
    draft = render(body, founder)
    assert isinstance(draft, Draft)
    return draft.text.removesuffix("\n").removesuffix(OPT_OUT).rstrip("\n")


def fields(body: str, founder: Founder = BARE) -> tuple[str, ...]:
    missing = render(body, founder)
    assert isinstance(missing, Missing)
    return missing.fields


# --- files ----------------------------------------------------------------------------------------


def test_a_sequence_is_a_folder_of_numbered_steps(folder: Folder) -> None:
    made = folder(
        _1_intro="\ufeffsubject:  Work at {{ company.name }} \r\n\r\nHi,\r\ntext\r\n\r\n",
        _2_follow_up="Wait: 4 days\n\nagain",
        _3_last_note="\nlast",
    )
    (made / "README.md").write_text("notes")
    sequence = load_sequence(made)
    assert sequence.name == "intro"
    first, second, third = sequence.steps
    assert (first.number, first.name, first.subject) == (1, "intro", "Work at {{ company.name }}")
    assert (first.body, first.body_line, first.wait) == ("Hi,\ntext", 3, timedelta())
    assert (second.subject, second.body, second.wait) == ("", "again", timedelta(days=4))
    assert (third.body, third.wait) == ("last", timedelta(days=6))


@pytest.mark.parametrize(
    ("files", "place", "said"),
    [
        ({"_1_a": "Hi there,\n\ntext"}, "1-a.txt:1", "is not a header"),
        ({"_1_a": "Subject: x\nWhite: 3 days\n\ntext"}, "1-a.txt:2", "'White' is not a header of a step"),
        ({"_1_a": "Subject: x\nSubject: y\n\ntext"}, "1-a.txt:2", "there twice"),
        ({"_1_a": "\ntext"}, "1-a.txt:1", "no subject"),
        ({"_1_a": "Subject:\n\ntext"}, "1-a.txt:1", "no subject"),
        ({"_1_a": "Subject: Re: our talk\n\ntext"}, "1-a.txt:1", "pretends to be an answer"),
        ({"_1_a": "Subject: x\nWait: 1 day\n\ntext"}, "1-a.txt:2", "waits for nothing"),
        ({"_1_a": "Subject: x\n\n \n"}, "1-a.txt:3", "no text"),
        ({"_1_a": "Subject: x\n\nt", "_2_b": "Wait: soon\n\nt"}, "2-b.txt:1", "'soon' is not a wait"),
        ({"_1_a": "Subject: x\n\nt", "_2_b": "Wait: 0 days\n\nt"}, "2-b.txt:1", "'0 days' is not a wait"),
        ({"_1_a": "Subject: x\n\nt", "_2_b": "Wait: 20 weeks\n\nt"}, "2-b.txt:1", "too long"),
        ({"_1_a": "Subject: x\n\nt", "_2_b": "Subject: FWD: x\n\nt"}, "2-b.txt:1", "pretends"),
        ({"_1_a": "Subject: x\n\nt", "_3_b": "\nt"}, "intro", "has no step 2"),
        ({"_2_b": "\nt"}, "intro", "has no step 1"),
        ({"_1_a": "Subject: x\n\nt", "_1_b": "Subject: x\n\nt"}, "intro", "two steps with the number 1"),
        ({"_1_a": "Subject: x\n\nt", **{f"_{n}_a": "\nt" for n in range(2, 6)}}, "intro", "more than 4 times"),
        ({"intro": "Subject: x\n\nt"}, "intro.txt", "not named like a step"),
        ({}, "intro", "holds no step"),
    ],
)
def test_a_faulty_file_is_named_with_its_line(folder: Folder, files: dict[str, str], place: str, said: str) -> None:
    with pytest.raises(TemplateError) as raised:
        load_sequence(folder(**files))
    assert place in str(raised.value)
    assert said in str(raised.value)
    assert raised.value.hint


def test_a_file_in_another_encoding_is_named_with_its_line(folder: Folder) -> None:
    made = folder(_1_a="")
    (made / "1-a.txt").write_bytes("Subject: x\n\nGrüße".encode("cp1252"))
    with pytest.raises(TemplateError, match=r"1-a\.txt:3: this is not UTF-8"):
        load_sequence(made)


def test_an_unknown_sequence_names_those_there_are(folder: Folder) -> None:
    templates = folder(_1_a="Subject: x\n\nt").parent
    assert sequence_names(templates) == ("intro",)
    with pytest.raises(TemplateError) as raised:
        load_sequence(templates / "intor")
    assert raised.value.hint == "did you mean intro?"


# --- what a template says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Hi {{ founder.first_name }} of {{ company.name }}", "Hi Zoë of Quill Robotics"),
        ("{{ founder.email }} {{ me.name }} {{ me.first_name }} {{ me.email }}",
         "zoe@quill.example Ada Lovelace Ada ada@lovelace.example"),
        ("{{ me.signature }}", "Ada Lovelace"),
        ("{{ company.industries }}", "Robotics, Machine Learning"),
        ("{{ company.industries | join(' and ') }}", "Robotics and Machine Learning"),
        ("{{ company.industries | first }}", "Robotics"),
        ("{{ company.industries | lower }}", "robotics, machine learning"),
        ("{{ company.industries | truncate(15) }}", "Robotics…"),
        ("{{ company.industries | join(1) }}", "Robotics1Machine Learning"),
        ("{{ 'in ' ~ company.industries }}", "in Robotics, Machine Learning"),
        ("{% for name in company.industries %}{{ name }}{% if not loop.last %}; {% endif %}{% endfor %}",
         "Robotics; Machine Learning"),
        ("{% if company.founded > '2020' %}young{% endif %}", "young"),
        ("{{ lead['CB Rank (Company)'] }}{{ lead['cb rank (company)'] }}", "4,7114,711"),
        ("{{ company.description or 'your work' }}", "your work"),
        ("{{ company.description | default('your work') }}", "your work"),
        ("{{ company.description | upper | default('your work') }}", "your work"),
        ("{{ lead['Notes'] or 'none' }}{{ lead['Nowhere'] or '.' }}", "none."),
        ("a{% if company.country %} in {{ company.country }}{% endif %}.", "a."),
        ("{% if company.country is defined %}x{% else %}y{% endif %}", "y"),
        ("{{ 'Oslo' if company.country == 'Norway' else 'there' }}", "there"),
        ("{% if company.employees < '5' or company.employees > '5' %}x{% else %}y{% endif %}", "y"),
        ("{# a note to myself #}\ntext", "text"),
        ("{{ campaign }}", "spring"),
        ("{{ 'abc def' | truncate(5) | upper }}", "ABC…"),
    ],
)  # fmt: skip
def test_a_template_says(body: str, said: str) -> None:
    assert text(body) == said


def test_the_footer_stands_where_the_template_puts_it() -> None:
    assert render("{{ opt_out }}\n\nAda") == Draft("Hello", f"{OPT_OUT}\n\nAda\n")
    sender = replace(ME, postal_address="1 Example Street", signature="Ada\nengineer")
    assert render("{{ me.signature }}", sender=sender) == Draft(
        "Hello", f"Ada\nengineer\n\n{OPT_OUT}\n1 Example Street\n"
    )


def test_a_mail_is_held_with_every_empty_field_it_would_have_printed() -> None:
    body = "{{ company.city }}{{ company.country | upper }} {{ company.industries | join }}{{ lead['Rank'] }}"
    assert fields(body) == ("company.city", "company.country", "company.industries", "lead['Rank']")
    assert fields("{{ me.postal_address }}") == ("me.postal_address",)
    assert render("text", BARE, subject="In {{ company.city }}") == Missing(("company.city",))


@pytest.mark.parametrize("empty", ["", " ", "nan", "NaN", "N/A", "-", "—", "null", "None", "\u200b", "\0"])
def test_what_lists_write_for_nothing_counts_as_empty(empty: str) -> None:
    founder = replace(ZOE, title=empty, cells={"Rank": empty})
    assert fields("{{ founder.title }} {{ lead['Rank'] }}", founder) == ("founder.title", "lead['Rank']")
    assert text("{{ founder.title or 'founder' }}", founder) == "founder"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Ada Lovelace", "Ada"),
        ("Dr. Ada Lovelace", "Ada"),
        ("Dr. Lovelace", "Dr. Lovelace"),
        ("Nguyễn Văn An", "Nguyễn Văn An"),
    ],
)
def test_the_sender_signs_by_a_name_that_is_one(name: str, first: str) -> None:
    draft = render("{{ me.first_name }}", sender=replace(ME, name=name))
    assert isinstance(draft, Draft)
    assert draft.text.splitlines()[0] == first


def test_a_founder_without_a_company_has_empty_company_fields() -> None:
    assert fields("{{ company.name }} {{ company.industries }}", Founder(9, "Ann")) == (
        "company.name",
        "company.industries",
    )


# --- what a template must not say ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "line", "said", "hint"),
    [
        ("\n{{ founder.frist_name }}", 4, "`founder.frist_name`", "founder.first_name"),
        ("{{ first_name }}", 3, "`first_name`", "founder.first_name"),
        ("{{ company }}", 3, "`company` is not a text", "company.city"),
        ("x\n{% if company.contry %}x{% endif %}", 4, "`company.contry`", "company.country"),
        ("{{ company.name", 3, "unexpected end", "missing"),
        ("{% if company.name %}", 3, "unexpected end", "missing"),
        ("{{ company.name | shout }}", 3, "`shout`", "upper"),
        ("{% include 'x' %}", 3, "no file 'x' in templates/_shared", "write the file first"),
        ("{{ lead.Rank }}", 3, "a cell is named by its header", "lead['Header']"),
    ],
)
def test_a_mistake_is_named_with_its_line(body: str, line: int, said: str, hint: str) -> None:
    with pytest.raises(TemplateError) as raised:
        render(body)
    assert f"intro/1-intro.txt:{line}: " in str(raised.value)
    assert said in str(raised.value)
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    "attack",
    [
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self.__init__ }}",
        "{{ self }}",
        "{{ lipsum() }}",
        "{{ joiner }}{{ namespace }}{{ dict }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ company.__class__ }}",
        "{{ company['__class__'] }}",
        "{{ company.items() }}",
        "{{ company.items }}",
        "{{ founder.first_name.__class__ }}",
        "{{ founder.first_name.upper() }}",
        "{{ founder['first_name']['__len__'] }}",
        "{{ lead['x'].__class__ }}",
        "{{ lead[founder.first_name] }}",
        "{{ lead }}",
        "{{ loop }}",
        "{{ company.name | attr('__class__') }}",
        "{{ company.name | map('upper') | list }}",
        "{{ '%s' | format(company) }}",
        "{% set x = 1 %}",
        "{% macro x() %}{% endmacro %}",
        "{% extends 'x' %}",
        "{% import 'x' as y %}",
        "{% block x %}{% endblock %}",
        "{% filter upper %}x{% endfilter %}",
        "{{ company.name[0:2] }}",
        "{{ 7 * 7 }}",
        "{{ -1 }}",
        "{{ company.name is callable }}",
    ],
)
def test_code_in_a_template_is_refused(attack: str) -> None:
    with pytest.raises(TemplateError):
        render(attack)


@pytest.mark.parametrize(
    "bomb",
    [
        "{{ 'a' * 10**9 }}",
        "{% for x in range(10**9) %}x{% endfor %}",
        "{% for x in company.industries %}{% for y in company.industries %}x{% endfor %}{% endfor %}",
        "{% for x in company.name %}x{% endfor %}",
        "{% for x in company.industries recursive %}{{ loop(company.industries) }}{% endfor %}",
        "{{ 'x' | center(10**9) }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ 'aa' | replace('a', 'aaaaaaaaaa') | replace('a', 'aaaaaaaaaa') }}",
        "{{ 1 " + "~ (1 " * 5_000 + ")" * 5_000 + " }}",
        "{% if me.name %}" * 500 + "x" + "{% endif %}" * 500,
        "{% for x in company.industries %}" + "{{ me.name }}" * 9_000 + "{% endfor %}",
    ],
    ids=range(11),
)
def test_a_bomb_is_an_error(bomb: str) -> None:
    with pytest.raises(TemplateError):
        render(bomb)


def test_a_chain_of_joins_does_not_grow() -> None:
    assert text("{{ company.name" + " | join('xxxxxxxxxx')" * 30 + " }}") == "Quill Robotics"


# --- data is data --------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["{{ 7*7 }}", "{% for x in y %}", "{# no #}", "{{ founder.email }}", "<b>&amp;"])
def test_data_is_never_compiled(data: str) -> None:
    assert text("Hi {{ founder.title }}!", replace(ZOE, title=data)) == f"Hi {data}!"


@given(st.text(max_size=50), st.dictionaries(st.text(max_size=5), st.text(max_size=50), max_size=3))
def test_any_data_arrives_as_text_or_is_held(title: str, cells: Mapping[str, str]) -> None:
    founder = replace(ZOE, title=title, cells=cells)
    draft = render("[{{ founder.title }}]", founder, subject="<{{ founder.title }}>")
    if isinstance(draft, Draft):
        assert f"[{one_line(title)}]" in draft.text
    else:
        assert draft == Missing(("founder.title",))


def test_a_huge_cell_is_cut() -> None:
    assert text("{{ founder.title }}", replace(ZOE, title="x" * 10_000)) == "x" * (VALUE_LIMIT - 1) + "…"


# --- the sequences we ship ----------------------------------------------------------------------


def starters() -> list[str]:
    return list(sequence_names(data_dir() / "templates"))


def test_three_sequences_are_shipped() -> None:
    assert starters() == ["fundraising", "job-search", "sales"]


@pytest.mark.parametrize("name", starters())
@pytest.mark.parametrize("founder", [BARE, ZOE])
def test_a_starter_can_be_sent_to_whoever_has_a_name_and_a_company(name: str, founder: Founder) -> None:
    sequence = load_sequence(data_dir() / "templates" / name)
    renderer = Renderer(sequence)
    context = template_context(founder, "zoe@quill.example", ME, "spring")
    assert len(sequence.steps) == 3
    for step in sequence.steps:
        draft = renderer.render(step, context)
        assert isinstance(draft, Draft)
        check_starter(step, draft)


def check_starter(step: Step, draft: Draft) -> None:
    written = draft.text.removesuffix("\n").removesuffix(OPT_OUT)
    assert draft.text.endswith(f"Ada Lovelace\n\n{OPT_OUT}\n")
    assert len(written.split()) < 120
    assert written.count("?") <= 1
    assert "http" not in written
    assert "  " not in written
    shown = draft if step.number == 1 else replace(draft, subject="any")
    message = build_message(
        shown, sender=ME, recipient="zoe@quill.example", recipient_name="Zoë Quill", date=NOW, token="token"
    )
    assert lint_message(message, shown, step=step.number, sender=ME, recipient="zoe@quill.example") == []
