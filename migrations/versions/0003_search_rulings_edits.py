"""search, rulings, edits, undone imports"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SEARCH = (
    "CREATE VIRTUAL TABLE founders_text USING fts5(name, title, content='', detail=column, tokenize='unicode61 remove_diacritics 2')",
    "CREATE TRIGGER founders_text_update AFTER UPDATE OF full_name, title ON founders WHEN OLD.id <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'search:founders') BEGIN INSERT INTO founders_text (founders_text, rowid, name, title) VALUES ('delete', OLD.id, OLD.full_name, OLD.title); INSERT INTO founders_text (rowid, name, title) VALUES (NEW.id, NEW.full_name, NEW.title); END",
    "CREATE TRIGGER founders_text_delete AFTER DELETE ON founders WHEN OLD.id <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'search:founders') BEGIN INSERT INTO founders_text (founders_text, rowid, name, title) VALUES ('delete', OLD.id, OLD.full_name, OLD.title); END",
    "CREATE TRIGGER founders_text_insert AFTER INSERT ON founders WHEN NEW.id <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'search:founders') BEGIN INSERT INTO founders_text (rowid, name, title) VALUES (NEW.id, NEW.full_name, NEW.title); END",
    "CREATE VIRTUAL TABLE companies_text USING fts5(name, domain, description, place, industry, facets, funding, content='', detail=column, tokenize='unicode61 remove_diacritics 2')",
    "CREATE TRIGGER companies_text_update AFTER UPDATE OF name, domain, description, city, region, country, industries, employees, founded, funding_usd, funding_amount, last_funding_type ON companies WHEN OLD.id <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'search:companies') BEGIN INSERT INTO companies_text (companies_text, rowid, name, domain, description, place, industry, facets, funding) VALUES ('delete', OLD.id, OLD.name, OLD.domain, OLD.description, OLD.city || ' ' || OLD.region || ' ' || OLD.country, (SELECT group_concat(value, ' ') FROM json_each(OLD.industries)), CASE OLD.employees WHEN '' THEN '' ELSE 'zqe' || replace(replace(OLD.employees, '-', 'to'), '+', 'up') END || CASE OLD.founded WHEN '' THEN '' ELSE ' zqy' || substr(OLD.founded, 1, 4) END || CASE WHEN coalesce(OLD.funding_usd, OLD.funding_amount) IS NULL THEN '' ELSE ' zqf' || length(coalesce(OLD.funding_usd, OLD.funding_amount)) END || CASE OLD.country WHEN '' THEN '' ELSE ' zqc' || replace(replace(replace(replace(replace(replace(replace(replace(replace(OLD.country, ' ', ''), '''', ''), '’', ''), '-', ''), '.', ''), ',', ''), '(', ''), ')', ''), '&', '') END, OLD.last_funding_type); INSERT INTO companies_text (rowid, name, domain, description, place, industry, facets, funding) VALUES (NEW.id, NEW.name, NEW.domain, NEW.description, NEW.city || ' ' || NEW.region || ' ' || NEW.country, (SELECT group_concat(value, ' ') FROM json_each(NEW.industries)), CASE NEW.employees WHEN '' THEN '' ELSE 'zqe' || replace(replace(NEW.employees, '-', 'to'), '+', 'up') END || CASE NEW.founded WHEN '' THEN '' ELSE ' zqy' || substr(NEW.founded, 1, 4) END || CASE WHEN coalesce(NEW.funding_usd, NEW.funding_amount) IS NULL THEN '' ELSE ' zqf' || length(coalesce(NEW.funding_usd, NEW.funding_amount)) END || CASE NEW.country WHEN '' THEN '' ELSE ' zqc' || replace(replace(replace(replace(replace(replace(replace(replace(replace(NEW.country, ' ', ''), '''', ''), '’', ''), '-', ''), '.', ''), ',', ''), '(', ''), ')', ''), '&', '') END, NEW.last_funding_type); END",
    "CREATE TRIGGER companies_text_delete AFTER DELETE ON companies WHEN OLD.id <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'search:companies') BEGIN INSERT INTO companies_text (companies_text, rowid, name, domain, description, place, industry, facets, funding) VALUES ('delete', OLD.id, OLD.name, OLD.domain, OLD.description, OLD.city || ' ' || OLD.region || ' ' || OLD.country, (SELECT group_concat(value, ' ') FROM json_each(OLD.industries)), CASE OLD.employees WHEN '' THEN '' ELSE 'zqe' || replace(replace(OLD.employees, '-', 'to'), '+', 'up') END || CASE OLD.founded WHEN '' THEN '' ELSE ' zqy' || substr(OLD.founded, 1, 4) END || CASE WHEN coalesce(OLD.funding_usd, OLD.funding_amount) IS NULL THEN '' ELSE ' zqf' || length(coalesce(OLD.funding_usd, OLD.funding_amount)) END || CASE OLD.country WHEN '' THEN '' ELSE ' zqc' || replace(replace(replace(replace(replace(replace(replace(replace(replace(OLD.country, ' ', ''), '''', ''), '’', ''), '-', ''), '.', ''), ',', ''), '(', ''), ')', ''), '&', '') END, OLD.last_funding_type); END",
    "CREATE TRIGGER companies_text_insert AFTER INSERT ON companies WHEN NEW.id <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'search:companies') BEGIN INSERT INTO companies_text (rowid, name, domain, description, place, industry, facets, funding) VALUES (NEW.id, NEW.name, NEW.domain, NEW.description, NEW.city || ' ' || NEW.region || ' ' || NEW.country, (SELECT group_concat(value, ' ') FROM json_each(NEW.industries)), CASE NEW.employees WHEN '' THEN '' ELSE 'zqe' || replace(replace(NEW.employees, '-', 'to'), '+', 'up') END || CASE NEW.founded WHEN '' THEN '' ELSE ' zqy' || substr(NEW.founded, 1, 4) END || CASE WHEN coalesce(NEW.funding_usd, NEW.funding_amount) IS NULL THEN '' ELSE ' zqf' || length(coalesce(NEW.funding_usd, NEW.funding_amount)) END || CASE NEW.country WHEN '' THEN '' ELSE ' zqc' || replace(replace(replace(replace(replace(replace(replace(replace(replace(NEW.country, ' ', ''), '''', ''), '’', ''), '-', ''), '.', ''), ',', ''), '(', ''), ')', ''), '&', '') END, NEW.last_funding_type); END",
    "CREATE VIRTUAL TABLE addresses_text USING fts5(address, content='', detail=column, tokenize='unicode61 remove_diacritics 2')",
    "CREATE TRIGGER addresses_text_update AFTER UPDATE OF key ON addresses WHEN OLD.id <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'search:addresses') BEGIN INSERT INTO addresses_text (addresses_text, rowid, address) VALUES ('delete', OLD.id, OLD.key); INSERT INTO addresses_text (rowid, address) VALUES (NEW.id, NEW.key); END",
    "CREATE TRIGGER addresses_text_delete AFTER DELETE ON addresses WHEN OLD.id <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'search:addresses') BEGIN INSERT INTO addresses_text (addresses_text, rowid, address) VALUES ('delete', OLD.id, OLD.key); END",
    "CREATE TRIGGER addresses_text_insert AFTER INSERT ON addresses WHEN NEW.id <= (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'search:addresses') BEGIN INSERT INTO addresses_text (rowid, address) VALUES (NEW.id, NEW.key); END",
    "CREATE VIRTUAL TABLE companies_text_words USING fts5vocab(companies_text, 'row')",
)


def upgrade() -> None:
    op.create_table(
        "founder_edits",
        sa.Column("founder_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["founder_id"], ["founders.id"], name=op.f("fk_founder_edits_founder_id_founders")),
        sa.PrimaryKeyConstraint("founder_id", "field", name=op.f("pk_founder_edits")),
    )
    op.create_table(
        "rulings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=False),
        sa.Column("left_sha256", sa.String(), nullable=False),
        sa.Column("left_position", sa.Integer(), nullable=False),
        sa.Column("right_sha256", sa.String(), nullable=False),
        sa.Column("right_position", sa.Integer(), nullable=False),
        sa.Column("ruled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rulings")),
    )
    op.create_table(
        "merges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("absorbed_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("leads", sa.JSON(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    op.add_column("imports", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_companies_slug"), "companies", ["slug"])
    for statement in SEARCH if op.get_bind().dialect.name == "sqlite" else ():
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a store is never downgraded: restore the backup made before the upgrade")
