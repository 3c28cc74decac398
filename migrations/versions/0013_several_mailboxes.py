"""a campaign's further mailboxes, and the one mailbox of each enrollment"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("more_mailboxes", sa.JSON(), server_default="[]", nullable=False))

    with op.batch_alter_table("enrollments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mailbox_id", sa.Integer(), nullable=True))

    op.execute(
        "UPDATE enrollments SET mailbox_id = "
        "(SELECT campaigns.mailbox_id FROM campaigns WHERE campaigns.id = enrollments.campaign_id)"
    )

    with op.batch_alter_table("enrollments", schema=None) as batch_op:
        batch_op.alter_column("mailbox_id", existing_type=sa.Integer(), nullable=False)
        batch_op.create_index("ix_enrollments_campaign_mailbox", ["campaign_id", "mailbox_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_enrollments_mailbox_id_mailboxes"), "mailboxes", ["mailbox_id"], ["id"]
        )


def downgrade() -> None:
    raise NotImplementedError("a store is never downgraded: restore the backup made before the upgrade")
