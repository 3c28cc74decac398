"""notes, approvals and a campaign's terms"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("dedupe_key", name=op.f("pk_approvals")),
    )
    op.create_table(
        "founder_notes",
        sa.Column("founder_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["founder_id"], ["founders.id"], name=op.f("fk_founder_notes_founder_id_founders")),
        sa.PrimaryKeyConstraint("founder_id", "name", name=op.f("pk_founder_notes")),
    )
    # SQLite adds a column with a constant default in place: no table is rebuilt, so no link can break.
    op.add_column("campaigns", sa.Column("purpose", sa.String(), server_default="", nullable=False))
    op.add_column("campaigns", sa.Column("why", sa.String(), server_default="", nullable=False))
    op.add_column("campaigns", sa.Column("overrides", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("outbox", sa.Column("variant", sa.String(), server_default="", nullable=False))
    op.add_column("outbox", sa.Column("template", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    raise NotImplementedError("a store is never downgraded: restore the backup made before the upgrade")
