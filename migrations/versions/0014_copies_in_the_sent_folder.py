"""which mails have a copy in the Sent folder, and which providers put it there"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("mailboxes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("files_sent", sa.Boolean(), nullable=True))

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True))

    # What left before copies were made gets none.
    op.execute("UPDATE outbox SET filed_at = intent_at WHERE intent_at IS NOT NULL")
    op.create_index(
        "ix_outbox_unfiled",
        "outbox",
        ["mailbox_id", "sent_at"],
        unique=False,
        sqlite_where=sa.text("filed_at IS NULL AND sent_at IS NOT NULL"),
        postgresql_where=sa.text("filed_at IS NULL AND sent_at IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("a store is never downgraded: restore the backup made before the upgrade")
