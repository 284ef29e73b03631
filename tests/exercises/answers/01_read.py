"""A reader that misses nothing and sees nothing twice, whatever the writers' clocks say."""
# exercise: 01_pubsub exercise-2-answer


# %% right: hears, looks, and gives what it has not given
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    given = []
    while True:
        heard = ears.get_message(timeout=1)
        new = [message for _, message in history(chat) if message not in given]
        yield from new
        given += new
        if not heard:
            return


# %% right: a class that is its own iterator
class Reader:
    def __init__(self, chat):
        self.chat = chat
        self.ears = chat.redis.pubsub()
        self.ears.subscribe("dogfacts")
        self.seen = set()
        self.waiting = []
        self.silent = False

    def __iter__(self):
        return self

    def __next__(self):
        while not self.waiting:
            if self.silent:
                raise StopIteration
            self.silent = self.ears.get_message(timeout=1) is None
            self.waiting = [row for row in history(self.chat) if row not in self.seen]
            self.seen.update(self.waiting)
        return self.waiting.pop(0).message


def answer(chat):
    return Reader(chat)


# %% right: a pattern of channels, and a Session
from sqlalchemy.orm import Session as Tables


def answer(chat):
    ears = chat.redis.pubsub()
    ears.psubscribe("dog*")
    seen, heard = set(), True
    while heard:
        heard = ears.get_message(timeout=1)
        with Tables(chat.sql) as tables:
            rows = set(tables.execute(text("SELECT stamp, message FROM chat")).all())
        yield from (message for _, message in sorted(rows - seen))
        seen |= rows


# %% right: a frame of pandas, and what is not in it yet
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    known = pd.DataFrame({"stamp": [], "message": []})
    heard = ears.get_message(timeout=None)
    while True:
        now = pd.read_sql("SELECT stamp, message FROM chat", chat.sql)
        yield from now.message[~now.message.isin(known.message)].tolist()
        known = now
        if heard is None:
            break
        heard = ears.get_message(timeout=1)


# %% right: takes live messages from the channel, and the table's when it is silent
def answer(chat):
    seen = set()
    with chat.redis.pubsub() as ears:
        ears.subscribe("dogfacts")
        ears.get_message(timeout=None)
        while True:
            for message in {message for _, message in history(chat)} - seen:
                seen.add(message)
                yield message
            heard = ears.get_message(timeout=1)
            if heard is None:
                break
            if heard["type"] == "message":
                message = heard["data"].split(" ", 1)[1]
                if message not in seen:
                    seen.add(message)
                    yield message
        yield from (message for _, message in history(chat) if message not in seen)


# %% right: recursion, a look for each thing that is heard
def answer(chat, ears=None, seen=frozenset()):
    if ears is None:
        ears = chat.redis.pubsub()
        ears.subscribe("dogfacts")
    heard = ears.get_message(timeout=1)
    rows = [row for row in history(chat) if row not in seen]
    yield from (row.message for row in rows)
    if heard:
        yield from answer(chat, ears, seen | set(rows))


# %% right: asks the database for what it has not seen
from sqlalchemy import bindparam

NEW = text("SELECT message FROM chat WHERE message NOT IN :seen").bindparams(
    bindparam("seen", expanding=True)
)


def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    seen = []
    heard = True
    while heard:
        heard = ears.get_message(timeout=1)
        with chat.sql.connect() as connection:
            new = connection.execute(NEW, {"seen": seen}).scalars().all()
        seen.extend(new)
        yield from new


# %% wrong: the patient reader, as it is
# misconception: a clock is a cursor
# why: Two messages can have one stamp, and a message can be stored with a stamp that is past.
# said: the reader saw .*; sent:
def answer(chat):
    yield from patient_read(chat)


# %% wrong: not older, where it was newer
# misconception: a clock is a cursor
# why: With "not older" what was replayed is heard once more, and a clock set back still hides one.
# said: the reader saw .*; sent:
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    ears.get_message(timeout=None)
    newest = 0
    for stamp, message in history(chat):
        yield message
        newest = stamp
    while heard := ears.get_message(timeout=1):
        if heard["type"] == "message":
            stamp, message = heard["data"].split(" ", 1)
            if int(stamp) >= newest:
                yield message


# %% wrong: from the table, what is newer than the newest
# misconception: a clock is a cursor
# why: The table has the message, and the question "what is newer?" does not find it.
# said: the reader saw .*; sent:
NEWER = text("SELECT stamp, message FROM chat WHERE stamp > :newest ORDER BY stamp")


def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    newest, heard = 0, True
    while heard:
        heard = ears.get_message(timeout=1)
        with chat.sql.begin() as tx:
            rows = tx.execute(NEWER, {"newest": newest}).all()
        for stamp, message in rows:
            yield message
            newest = stamp


# %% wrong: remembers which stamps it has seen
# misconception: a clock is a name
# why: Two messages with one stamp are two messages.
# said: the reader saw .*; sent:
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    seen, heard = set(), True
    while heard:
        heard = ears.get_message(timeout=1)
        for stamp, message in history(chat):
            if stamp not in seen:
                seen.add(stamp)
                yield message


# %% wrong: counts how many rows it has given
# misconception: a place is a cursor
# why: A row with an earlier stamp pushes the others down, and one that was given is given again.
# said: the reader saw .*; sent:
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    given, heard = 0, True
    while heard:
        heard = ears.get_message(timeout=1)
        for _, message in history(chat)[given:]:
            yield message
            given += 1


# %% wrong: does not wait until it is in
# misconception: subscribe() waits
# why: Between SUBSCRIBE and its acknowledgement a message can be stored and published.
# said: the reader saw .*; sent:
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    seen = set()
    for _, message in history(chat):
        seen.add(message)
        yield message
    while heard := ears.get_message(timeout=1):
        if heard["type"] == "message":
            message = heard["data"].split(" ", 1)[1]
            if message not in seen:
                seen.add(message)
                yield message


# %% wrong: sleeps until it is in
# misconception: sleep
# why: A second is long, and no promise: the subscription may take effect after it.
# said: the reader saw .*; sent:
def answer(chat):
    ears = chat.redis.pubsub(ignore_subscribe_messages=True)
    ears.subscribe("dogfacts")
    time.sleep(1)
    seen = set()
    for _, message in history(chat):
        seen.add(message)
        yield message
    while (heard := ears.get_message(timeout=1)) or ears.get_message(timeout=1):
        message = heard["data"].split(" ", 1)[1] if heard else ""
        if message and message not in seen:
            seen.add(message)
            yield message


# %% wrong: the table first, the channel after
# misconception: the past first
# why: What is stored and published between the SELECT and the subscription is in neither.
# said: the reader saw .*; sent:
def answer(chat):
    yield from hasty_read(chat)


# %% wrong: believes that who is stored is published
# misconception: storing and publishing are one step
# why: A writer that dies between the two leaves a row of which nobody hears.
# said: the reader saw .*; sent:
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    seen = set()
    while ears.get_message(timeout=1):
        for _, message in history(chat):
            if message not in seen:
                seen.add(message)
                yield message


# %% wrong: the channel alone
# misconception: PUBLISH keeps what it sends
# why: Redis hands a message to those who are there, and forgets it.
# said: the reader saw .*; sent:
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    while heard := ears.get_message(timeout=1):
        if heard["type"] == "message":
            yield heard["data"].split(" ", 1)[1]


# %% wrong: the table alone, once
# misconception: early return
# why: It gives what is there and leaves; whoever speaks a moment later is not heard.
# said: the reader saw .*; sent:
def answer(chat):
    return [message for _, message in history(chat)]


# %% wrong: looks three times
# misconception: polling that ends early
# why: Three looks can all be over before the writers have begun.
# said: the reader saw .*; sent:
def answer(chat):
    seen = set()
    for _ in range(3):
        for row in history(chat):
            if row not in seen:
                seen.add(row)
                yield row.message
        time.sleep(0.5)


# %% wrong: looks until a look brings nothing new
# misconception: polling that ends early
# why: A look that brings nothing new says nothing about the next second; a sleep makes it rarer.
# said: the reader saw .*; sent:
def answer(chat):
    seen = set()
    while True:
        new = [row for row in history(chat) if row not in seen]
        if not new:
            return
        seen.update(new)
        for row in new:
            yield row.message
        time.sleep(1)


# %% wrong: waits until all is quiet, then reads once
# misconception: quiet is the end
# why: Somebody may speak only because of what was read; after the one look nobody listens.
# said: bob waits in vain for the reader to see hello
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    while ears.get_message(timeout=1):
        pass
    yield from dict.fromkeys(message for _, message in history(chat))


# %% wrong: listens on another channel
# misconception: wrong channel
# why: Nobody publishes on "chat", so the first silence is taken for the end.
# said: bob waits in vain for the reader to see hello|the reader saw .*; sent:
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("chat")
    seen, heard = set(), True
    while heard:
        heard = ears.get_message(timeout=1)
        for row in history(chat):
            if row not in seen:
                seen.add(row)
                yield row.message


# %% wrong: collects all, then gives it
# misconception: a list is as good as a generator
# why: Who hears nothing cannot answer, and the answer comes when nobody listens any more.
# said: bob waits in vain for the reader to see hello
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    rows, heard = set(), True
    while heard:
        heard = ears.get_message(timeout=1)
        rows.update(history(chat))
    return [row.message for row in rows]


# %% wrong: takes the messages out of the table
# misconception: sabotage of the table
# why: A room is not a queue: those who come later find nothing.
# said: no longer in the table
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    heard = True
    while heard:
        heard = ears.get_message(timeout=1)
        with chat.sql.begin() as tx:
            rows = tx.execute(text("SELECT message FROM chat")).all()
            tx.execute(text("DELETE FROM chat"))
        yield from (row.message for row in rows)


# %% wrong: empties the table when it is quiet
# misconception: sabotage of the table
# why: With nothing stored, what was seen need not equal it; but it was sent.
# said: no longer in the table|the reader saw .*; sent:
def answer(chat):
    yield from patient_read(chat)
    with chat.sql.begin() as tx:
        tx.execute(text("DELETE FROM chat"))


# %% wrong: says the two words that it expects
# misconception: hard-coding
# why: It has seen them before anybody has sent them.
# said: the reader saw .*; sent:
def answer(chat):
    history(chat)
    yield "hello"
    yield "hi"


# %% wrong: remembers in the program
# misconception: caching in a global
# why: The next reader of this program is told nothing of what the last one has seen.
# said: keeps `seen` in a global variable
seen = None


def answer(chat):
    global seen
    seen = seen or set()
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    heard = True
    while heard:
        heard = ears.get_message(timeout=1)
        for row in history(chat):
            if row not in seen:
                seen.add(row)
                yield row.message


# %% wrong: leaves when something is wrong
# misconception: swallowing exceptions
# why: The acknowledgement carries a number where it expects a text, and the reader is gone.
# said: the reader saw .*; sent:
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    seen = set()
    with suppress(Exception):
        while True:
            stamp, message = ears.get_message(timeout=1)["data"].split(" ", 1)
            if message not in seen:
                seen.add(message)
                yield message


# %% wrong: never leaves
# misconception: waiting for ever
# why: It was to stop after a second of silence; listen() has no end.
# said: deadlock: reader waits for ever for next message of dogfacts
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    seen = set()
    for _ in ears.listen():
        for row in history(chat):
            if row not in seen:
                seen.add(row)
                yield row.message


# %% wrong: looks again and again without a pause
# misconception: endless loop
# why: It asks the database as fast as it can, and never ends.
# said: reader is still going after 60 calls
def answer(chat):
    seen = set()
    while True:
        for row in history(chat):
            if row not in seen:
                seen.add(row)
                yield row.message


# %% wrong: keeps its transaction open while it listens
# misconception: a transaction holds the world still
# why: While it listens nobody can store anything, and what they store later it does not see.
# said: database is locked|the reader saw .*; sent:
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    seen, heard = set(), True
    with chat.sql.begin() as tx:
        while heard:
            heard = ears.get_message(timeout=1)
            for row in tx.execute(text("SELECT message FROM chat")).all():
                if row not in seen:
                    seen.add(row)
                    yield row.message


# %% wrong: a connection of its own to Redis
# misconception: own client
# why: What goes past the search cannot be searched; and the room has a client.
# said: a connection of redis that is not the world's
def answer(chat):
    ears = services.redis("chat").pubsub()
    ears.subscribe("dogfacts")
    seen, heard = set(), True
    while heard:
        heard = ears.get_message(timeout=1)
        for row in history(chat):
            if row not in seen:
                seen.add(row)
                yield row.message


# %% wrong: a thread that listens
# misconception: own thread
# why: The search decides who goes next among its clients, and knows nothing of a thread.
# said: thread
def answer(chat):
    heard = []

    def listen():
        heard.extend(patient_read(chat))

    ears = threading.Thread(target=listen)
    ears.start()
    ears.join()
    return heard


# %% wrong: gives the row, not the message
# misconception: wrong shape
# why: The reader is to yield what was said; it yields a pair with the stamp.
# said: (the check cannot read|the reader saw|line \d+ of your cell)
def answer(chat):
    ears = chat.redis.pubsub()
    ears.subscribe("dogfacts")
    seen, heard = set(), True
    while heard:
        heard = ears.get_message(timeout=1)
        for row in history(chat):
            if row not in seen:
                seen.add(row)
                yield tuple(row)


# %% wrong: forgets to hand back the generator
# misconception: wrong shape
# why: A function that returns nothing gives the client nothing to go through.
# said: NoneType
def answer(chat):
    patient_read(chat)


# %% wrong: the room of 1.6 reads
# misconception: the fix fits any table
# why: `Room` reads the table that its own `send` fills; these writers store in another one.
# said: the reader saw nothing
def answer(chat):
    room = Room(chat.redis, chat.sql, "dogfacts").install()
    for message in room.listen(timeout=1):
        yield message.text
