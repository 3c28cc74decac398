"""How times and large numbers are stored, on both engines, and what constraints are called."""

from datetime import UTC, datetime

import sqlalchemy as sa

NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""So that a migration can drop a constraint: Alembic's batch mode needs names on SQLite."""

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite's integers have 64 bits; PostgreSQL's plain ones have 32, too few for funding or an IMAP UID."""


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """An aware time, kept in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        """SQLite keeps no zone."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
