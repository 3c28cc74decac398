"""Write the next migration from where models and migrations disagree: `python -m migrations "what changes"`."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from outreach.store.schema import alembic_config, open_database, revisions


def main(subject: str) -> None:
    number = f"{int(revisions()[-1]) + 1:04d}"
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder) / "empty.db", create=True)
        with database.engine.connect() as connection:
            command.revision(alembic_config(connection), subject, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    main(sys.argv[1])
