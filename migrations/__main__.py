"""Write `store/tables.py` from the models, and with a subject the next migration from where tables and migrations
disagree: `python -m migrations "what changes"`. Needs the extra `dev`: ruff lays the tables out.
"""

import sys
import tempfile
from pathlib import Path

from migrations.tables import FILE, written


def migrate(subject: str) -> None:
    from alembic import command

    from outreach.store.schema import alembic_config, open_database, revisions  # reads the tables as they are now

    number = f"{int(revisions()[-1]) + 1:04d}"
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder) / "empty.db", create=True)
        with database.engine.connect() as connection:
            command.revision(alembic_config(connection), subject, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
    for subject in sys.argv[1:]:
        migrate(subject)
