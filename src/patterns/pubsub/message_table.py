"""The table of messages, which all rooms of a database share."""

from __future__ import annotations

import sqlalchemy as sa

_messages = sa.Table(
    "room_messages",
    sa.MetaData(),
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.UniqueConstraint("room", "key"),
)


def create_table(sql: sa.Engine) -> None:
    """Make the table, unless it is there; any number of processes may do so at once."""
    try:
        _messages.create(sql, checkfirst=True)
    except sa.exc.DBAPIError:  # another process made it between our look and our CREATE
        _messages.create(sql, checkfirst=True)
