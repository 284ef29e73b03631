"""A chat in one table, and in one stream."""

import fakeredis
import pytest
import sqlalchemy as sa
from taken_home.pubsub import KeyAlreadyUsed, Message, Room, StreamRoom

redis, sql = fakeredis.FakeRedis(decode_responses=True), sa.create_engine("sqlite:///chat.db")
room = Room(redis, sql, "dogfacts").install()
room.send("ann", "Dogs dream.", key="fact 1")
room.send("ann", "Dogs dream.", key="fact 1")
assert list(room.listen(timeout=0)) == [Message(1, "ann", "Dogs dream.")]
with pytest.raises(KeyAlreadyUsed, match="names message 1"):
    room.send("ann", "Cats dream.", key="fact 1")

stream = StreamRoom(redis, "dogfacts")
stream.send("ben", "Dogs smell time.")
assert stream.history() == [Message(1, "ben", "Dogs smell time.")]
