"""The full-text index of founders, companies and addresses: SQLite FTS5 without contents of its own.

Case and diacritics are folded ("MULLER" finds Müller). What else a company can be filtered by stands in it as words,
so one intersection of sorted lists answers any combination of filters, and nothing scans a table.

Triggers keep what is indexed in step, whoever writes. New rows are indexed in bulk (`refresh`), from where the index
ends: at the end of an import, and before a search at the latest.
"""

import re
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from outreach.store import tables as t
from outreach.store.dialect import on_server
from outreach.store.meta import put_fact

EMPLOYEES, FOUNDED, FUNDING, COUNTRY = "zqe", "zqy", "zqf", "zqc"
"""How the words begin that stand for a bracket of head counts, a year, the digits of an amount, a country."""
_BETWEEN_LETTERS = " '’-.,()&"


def country_word(country: str) -> str:
    """The word that stands for a country."""
    return COUNTRY + "".join(character for character in country if character not in _BETWEEN_LETTERS)


def _country_word_in_sql() -> str:
    expression = "{row}.country"
    for character in _BETWEEN_LETTERS:
        quoted = character.replace("'", "''")
        expression = f"replace({expression}, '{quoted}', '')"
    return f"CASE {{row}}.country WHEN '' THEN '' ELSE ' {COUNTRY}' || {expression} END"


_SOURCES: Mapping[str, Mapping[str, str]] = {
    # table → column of its index → expression over a row
    "founders": {"name": "{row}.full_name", "title": "{row}.title"},
    "companies": {
        "name": "{row}.name",
        "domain": "{row}.domain",
        "description": "{row}.description",
        "place": "{row}.city || ' ' || {row}.region || ' ' || {row}.country",
        "industry": "(SELECT group_concat(value, ' ') FROM json_each({row}.industries))",
        "facets": (
            f"CASE {{row}}.employees WHEN '' THEN '' ELSE '{EMPLOYEES}'"
            " || replace(replace({row}.employees, '-', 'to'), '+', 'up') END"
            f" || CASE {{row}}.founded WHEN '' THEN '' ELSE ' {FOUNDED}' || substr({{row}}.founded, 1, 4) END"
            " || CASE WHEN coalesce({row}.funding_usd, {row}.funding_amount) IS NULL THEN ''"
            f" ELSE ' {FUNDING}' || length(coalesce({{row}}.funding_usd, {{row}}.funding_amount)) END"
            f" || {_country_word_in_sql()}"
        ),
        "funding": "{row}.last_funding_type",
    },
    "addresses": {"address": "{row}.key"},
}
_WATCHED: Mapping[str, str] = {
    "founders": "full_name, title",
    "companies": "name, domain, description, city, region, country, industries, employees, founded, funding_usd, "
    "funding_amount, last_funding_type",
    "addresses": "key",
}


def ddl() -> list[str]:
    """The statements that make the index and what keeps it in step."""
    words = "CREATE VIRTUAL TABLE companies_text_words USING fts5vocab(companies_text, 'row')"
    return [*(statement for of in _SOURCES for statement in _ddl(of)), words]


def _ddl(of: str) -> Iterable[str]:
    columns = ", ".join(_SOURCES[of])
    yield (
        f"CREATE VIRTUAL TABLE {of}_text USING fts5({columns}, content='', detail=column, "
        "tokenize='unicode61 remove_diacritics 2')"
    )
    there = f"(SELECT CAST(value AS INTEGER) FROM meta WHERE name = '{_mark(of)}')"  # noqa: S608  names of our own
    indexed = f"OLD.id <= {there}"
    drop = f"INSERT INTO {of}_text ({of}_text, rowid, {columns}) VALUES ('delete', OLD.id, {_values(of, 'OLD')});"  # noqa: S608  names of our own
    put = f"INSERT INTO {of}_text (rowid, {columns}) VALUES (NEW.id, {_values(of, 'NEW')});"  # noqa: S608  names of our own
    changed = f"AFTER UPDATE OF {_WATCHED[of]} ON {of}"
    yield f"CREATE TRIGGER {of}_text_update {changed} WHEN {indexed} BEGIN {drop} {put} END"
    yield f"CREATE TRIGGER {of}_text_delete AFTER DELETE ON {of} WHEN {indexed} BEGIN {drop} END"
    # The number of a deleted row may be given again: then it lies below the mark.
    yield f"CREATE TRIGGER {of}_text_insert AFTER INSERT ON {of} WHEN NEW.id <= {there} BEGIN {put} END"


def _values(of: str, row: str) -> str:
    return ", ".join(expression.format(row=row) for expression in _SOURCES[of].values())


def _mark(of: str) -> str:
    return f"search:{of}"


@sa.event.listens_for(t.metadata, "after_create")
def _create(_metadata: object, connection: sa.Connection, **_options: object) -> None:
    for statement in () if on_server(connection) else ddl():
        connection.exec_driver_sql(statement)


def told_brackets(connection: sa.Connection) -> list[tuple[str, str]]:
    """Every bracket of head counts that a list has given: its word, and itself (`11-50`)."""
    if on_server(connection):
        told = sa.text("SELECT DISTINCT employees FROM companies WHERE employees <> ''")
        return [(EMPLOYEES + each.replace("-", "to").replace("+", "up"), each) for each in connection.scalars(told)]
    end = EMPLOYEES[:-1] + chr(ord(EMPLOYEES[-1]) + 1)
    query = "SELECT term FROM companies_text_words WHERE term >= ? AND term < ?"
    words = connection.exec_driver_sql(query, (EMPLOYEES, end)).scalars()
    return [(word, word[len(EMPLOYEES) :].replace("to", "-").replace("up", "+")) for word in words]


# --- in step --------------------------------------------------------------------------------------


def is_behind(connection: sa.Connection) -> bool:
    """Whether rows have come that are not indexed yet."""
    return not on_server(connection) and any(_newest(connection, of) > _indexed(connection, of) for of in _SOURCES)


def refresh(connection: sa.Connection) -> None:
    """Index what has come since; in a transaction that may write."""
    for of, columns in () if on_server(connection) else _SOURCES.items():
        newest, indexed = _newest(connection, of), _indexed(connection, of)
        if newest > indexed:
            names = ", ".join(columns)
            connection.exec_driver_sql(
                f"INSERT INTO {of}_text (rowid, {names}) SELECT id, {_values(of, of)} FROM {of} WHERE id > ?",  # noqa: S608  names of our own
                (indexed,),
            )
            put_fact(connection, _mark(of), str(newest))


def optimize(connection: sa.Connection) -> None:
    """Make one piece of each index, without the words of rows that are gone: until then they only count as deleted."""
    for of in () if on_server(connection) else _SOURCES:
        connection.exec_driver_sql(f"INSERT INTO {of}_text ({of}_text) VALUES ('optimize')")  # noqa: S608  names of our own


def _newest(connection: sa.Connection, of: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {of}").scalar_one())  # noqa: S608  names of our own


def _indexed(connection: sa.Connection, of: str) -> int:
    return int(connection.scalar(sa.select(t.meta.c.value).where(t.meta.c.name == _mark(of))) or 0)


def is_index(name: str | None) -> bool:
    """Whether a table belongs to the index: models know nothing of it."""
    return name is not None and any(name == f"{of}_text" or name.startswith(f"{of}_text_") for of in _SOURCES)


# --- PostgreSQL -------------------------------------------------------------------------------------

_TERM = re.compile(r"(\{[^}]*\}|\w+) : (\([^()]*\)|\"[^\"]*\")|\"zqnothing\"")


def matching(connection: sa.Connection, of: str, match: str) -> sa.TextClause:
    """The ids that a query of FTS5 finds. PostgreSQL is asked the same of its own text search, without an index: a
    team's list is read through in a moment."""
    name = f"match_{abs(hash((of, match)))}"
    if not on_server(connection):
        found = sa.text(f"SELECT rowid FROM {of}_text WHERE {of}_text MATCH :{name}")  # noqa: S608  the words are bound
        return found.bindparams(**{name: match})
    asked: dict[str, str] = {}

    def term(told: re.Match[str]) -> str:
        if told[1] is None:
            return "false"
        words = re.findall(r'"(\w+)"(\*?)', told[2])
        asked[f"{name}_{len(asked)}"] = " & ".join(word + (":*" if begun else "") for word, begun in words)
        text = " || ' ' || ".join(_on_server(of, column) for column in told[1].strip("{}").split())
        words_of = f"to_tsvector('simple', translate({text}, '.-_@/&,()', '         '))"
        return f"{words_of} @@ to_tsquery('simple', :{[*asked][-1]})"

    where = _TERM.sub(term, match)
    return sa.text(f"SELECT id FROM {of} WHERE {where}").bindparams(**asked)  # noqa: S608  the words are bound


def _on_server(of: str, column: str) -> str:
    said = _SOURCES[of][column].format(row=of).replace(":", "\\:")
    said = said.replace("group_concat(value", "string_agg(value").replace("json_each(", "json_array_elements_text(")
    amount = f"coalesce({of}.funding_usd, {of}.funding_amount)"
    return "coalesce(" + said.replace(f"length({amount})", f"length(CAST({amount} AS text))") + ", '')"
