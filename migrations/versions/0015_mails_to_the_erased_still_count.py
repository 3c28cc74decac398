"""mails to people who were erased still count against the caps"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("send_ledger", schema=None) as batch_op:
        batch_op.alter_column("outbox_id", existing_type=sa.INTEGER(), nullable=True)


def downgrade() -> None:
    raise NotImplementedError("a store is never downgraded: restore the backup made before the upgrade")
