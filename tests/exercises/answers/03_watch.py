"""A watch that ends with what is on the board, whatever the workers' clocks say."""
# exercise: 03_notice_boards exercise-2-answer


# %% right: hears anything, looks at the board, compares whole notices
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    for heard in iter(lambda: ears.get_message(timeout=SILENCE) or "silence", None):
        notice = hall.redis.get("board")
        if notice is not None and notice != last:
            return notice, notice.split(":", 1)[1]
        if heard == "silence":
            return None


# %% right: a class, with stamp and value as the version
class Watch:
    def __init__(self, hall, last):
        self.hall, self.last = hall, last
        self.ears = hall.redis.pubsub()
        self.ears.subscribe("board")
        self.ears.get_message(timeout=None)

    def look(self):
        stamp, _, value = (self.hall.redis.get("board") or "").partition(":")
        version = (stamp, value)
        return (version, value) if value and version != self.last else None

    def run(self):
        while not (found := self.look()):
            if not self.ears.get_message(timeout=SILENCE):
                return self.look()
        return found


def answer(hall, last=0):
    return Watch(hall, last).run()


# %% right: a generator of all that is seen, of which the first is taken
def seen(hall):
    with hall.redis.pubsub() as ears:
        ears.psubscribe("boar?")
        while ears.get_message(timeout=SILENCE):
            yield hall.redis.get("board")
        yield hall.redis.get("board")


def answer(hall, last=0):
    new = (notice for notice in seen(hall) if notice not in (None, last))
    notice = next(new, None)
    return notice and (notice, notice.partition(":")[2])


# %% right: the value itself is the version
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    silent = False
    while not silent:
        silent = ears.get_message(timeout=SILENCE) is None
        value = on_the_board(hall)
        if value and value != last:
            return value, value
    return None


# %% right: a digest as the version, by recursion
import hashlib


def answer(hall, last=0, ears=None):
    if ears is None:
        ears = hall.redis.pubsub()
        ears.subscribe("board")
    heard = ears.get_message(timeout=SILENCE)
    notice = hall.redis.get("board") or ""
    digest = hashlib.sha256(notice.encode()).hexdigest()
    if notice and digest != last:
        return digest, notice.partition(":")[2]
    return answer(hall, last, ears) if heard else None


# %% right: one script looks and compares
SCRIPT = """-- the notice, unless it is the last one seen
local notice = redis.call('GET', KEYS[1])
if notice and notice ~= ARGV[1] then return notice end
return false"""


def answer(hall, last=0):
    look = hall.redis.register_script(SCRIPT)
    ears = hall.redis.pubsub(ignore_subscribe_messages=False)
    ears.subscribe("board")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        if notice := look(keys=["board"], args=[last]):
            return notice, notice.partition(":")[2]


# %% wrong: the patient watch, as it is
# misconception: a clock is a version
# why: Two posts can have one stamp, and the older stamp can be set last.
# said: the board says \d+; the watcher saw
def answer(hall, last=0):
    return patient_watch(hall, last)


# %% wrong: not older, where it was newer
# misconception: a clock is a version
# why: Now the same notice is new each time, and one with an older stamp is still not seen.
# said: the board says \d+; the watcher saw
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    ears.get_message(timeout=None)
    stamped = hall.redis.get("board") or "0:"
    while True:
        stamp, _, value = stamped.partition(":")
        if int(stamp) >= last and value:
            return int(stamp), value
        message = ears.get_message(timeout=SILENCE)
        if message is None:
            return None
        stamped = message["data"]


# %% wrong: another stamp is another notice
# misconception: a clock is a version
# why: Stamps that differ are different notices; stamps that are equal may be too.
# said: the board says \d+; the watcher saw
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        stamp, _, value = (hall.redis.get("board") or "0:").partition(":")
        if value and int(stamp) != last:
            return int(stamp), value
    return None


# %% wrong: believes the message
# misconception: the message is the state
# why: What is published last need not be what is set last: two workers can overtake each other.
# said: the board says \d+; the watcher saw
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    ears.get_message(timeout=None)
    stamped = hall.redis.get("board")
    while stamped is None or stamped == last:
        message = ears.get_message(timeout=SILENCE)
        if message is None:
            return None
        stamped = message["data"]
    return stamped, stamped.partition(":")[2]


# %% wrong: waits for a message before it looks
# misconception: the channel tells the past
# why: Who comes after the post hears nothing, and leaves with a board that it has not read.
# said: the board says \d+; the watcher saw
def answer(hall, last=0):
    ears = hall.redis.pubsub(ignore_subscribe_messages=True)
    ears.subscribe("board")
    ears.get_message(timeout=None)
    while ears.get_message(timeout=SILENCE):
        notice = hall.redis.get("board")
        if notice != last:
            return notice, notice.partition(":")[2]
    return None


# %% wrong: does not look when it hears nothing
# misconception: setting and publishing are one step
# why: A worker that dies between SET and PUBLISH leaves a notice of which nobody hears.
# said: the board says 100; the watcher saw \[\]
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    while ears.get_message(timeout=SILENCE):
        notice = hall.redis.get("board")
        if notice and notice != last:
            return notice, notice.partition(":")[2]
    return None


# %% wrong: does not wait until it is in
# misconception: subscribe() waits
# why: What is set and published before the subscription takes effect is neither read nor heard.
# said: the board says \d+; the watcher saw
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    notice = hall.redis.get("board")
    while not notice or notice == last:
        message = ears.get_message(timeout=SILENCE)
        if message is None:
            return None
        if message["type"] == "message":
            notice = hall.redis.get("board")
    return notice, notice.partition(":")[2]


# %% wrong: looks first, subscribes after
# misconception: the past first
# why: What is set and published between GET and the subscription is neither read nor heard.
# said: the board says \d+; the watcher saw
def answer(hall, last=0):
    notice = hall.redis.get("board")
    if notice and notice != last:
        return notice, notice.partition(":")[2]
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    ears.get_message(timeout=None)
    if ears.get_message(timeout=SILENCE):
        notice = hall.redis.get("board")
        return notice, notice.partition(":")[2]
    return None


# %% wrong: listens on another channel
# misconception: wrong channel
# why: Nobody publishes on "boards": it finds the notice only when its patience is over.
# said: waits in vain for the watcher to show (50|75)
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("boards")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        notice = hall.redis.get("board")
        if notice and notice != last:
            return notice, notice.partition(":")[2]
    return None


# %% wrong: waits until all is quiet, then reads once
# misconception: quiet is the end
# why: A progress bar that moves when everything is over shows no progress.
# said: waits in vain for the watcher to show 50
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    while ears.get_message(timeout=SILENCE):
        pass
    notice = hall.redis.get("board")
    if notice and notice != last:
        return notice, notice.partition(":")[2]
    return None


# %% wrong: looks three times
# misconception: polling that ends early
# why: Three looks can all be over before a worker has begun.
# said: the board says \d+; the watcher saw|in vain
def answer(hall, last=0):
    for _ in range(3):
        notice = hall.redis.get("board")
        if notice and notice != last:
            return notice, notice.partition(":")[2]
        time.sleep(SILENCE / 3)
    return None


# %% wrong: looks once
# misconception: early return
# why: It was to wait; a board that nobody has written to yet is not the end.
# said: the board says \d+; the watcher saw|in vain
def answer(hall, last=0):
    notice = hall.redis.get("board")
    return (notice, notice.partition(":")[2]) if notice and notice != last else None


# %% wrong: sleeps, then looks
# misconception: sleep
# why: However long it sleeps, a worker can be slower.
# said: the board says \d+; the watcher saw|in vain
def answer(hall, last=0):
    time.sleep(SILENCE)
    notice = hall.redis.get("board")
    return (notice, notice.partition(":")[2]) if notice and notice != last else None


# %% wrong: progress only rises
# misconception: the larger value is the newer
# why: The board can say 50 after 100, and it was to show what the board says.
# said: the board says 50; the watcher saw \['100'\]
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        value = on_the_board(hall)
        if value and int(value) > last:
            return int(value), value
    return None


# %% wrong: never comes back without something new
# misconception: waiting for ever
# why: It was to return None after so many seconds; listen() has no end.
# said: deadlock: .*waits for ever for next message of board
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    for _ in ears.listen():
        notice = hall.redis.get("board")
        if notice and notice != last:
            return notice, notice.partition(":")[2]


# %% wrong: asks as fast as it can
# misconception: endless loop
# why: Without a pause and without an end it asks until somebody posts, and for ever after the last.
# said: watcher is still going after 60 calls
def answer(hall, last=0):
    while True:
        notice = hall.redis.get("board")
        if notice and notice != last:
            return notice, notice.partition(":")[2]


# %% wrong: a board that is always written to
# misconception: there is always something
# why: The page can be open before the first post; GET says None.
# said: raises (AttributeError|TypeError)
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        notice = hall.redis.get("board")
        stamp, value = notice.split(":")
        if notice != last:
            return notice, value
    return None


# %% wrong: whatever is wrong, there is nothing new
# misconception: swallowing exceptions
# why: On an empty board the split fails, and the watch is over before the first post.
# said: the board says \d+; the watcher saw|in vain
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    try:
        while True:
            ears.get_message(timeout=SILENCE)
            stamp, value = hall.redis.get("board").split(":")
            if value != last:
                return value, value
    except Exception:
        return None


# %% wrong: takes the notice down
# misconception: sabotage of the board
# why: A board is for all: those who come later find nothing.
# said: the board says nothing
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        notice = hall.redis.getdel("board")
        if notice:
            return notice, notice.partition(":")[2]
    return None


# %% wrong: writes on the board what it has seen
# misconception: sabotage of the board
# why: Then both say the same; but it may have written over something newer.
# said: waits in vain for the watcher to show 50; the board says 25
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        notice = hall.redis.get("board")
        if notice and notice != last:
            hall.redis.set("board", notice)
            return notice, notice.partition(":")[2]
    return None


# %% wrong: gives the values that it expects
# misconception: hard-coding
# why: It shows 100 before anybody has posted it.
# said: the board says .*; the watcher saw|in vain
def answer(hall, last=0):
    hall.redis.get("board")
    return None if last == 2 else (last + 1, ["50", "100"][last])


# %% wrong: remembers in the program
# misconception: caching in a global
# why: Another page that is served by this program is told nothing of what the first has seen.
# said: It keeps `newest` in a global variable
newest = None


def answer(hall, last=0):
    global newest
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        notice = hall.redis.get("board")
        if notice and notice != newest:
            newest = notice
            return notice, notice.partition(":")[2]
    return None


# %% wrong: gives the same version each time
# misconception: wrong shape
# why: A pair that begins with `last` again counts as nothing new.
# said: waits in vain for the watcher to show 50; the board says 50
def answer(hall, last=0):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        value = on_the_board(hall)
        if value:
            return 1, value
    return None


# %% wrong: gives the value alone
# misconception: wrong shape
# why: It was to return a pair, of which the first comes back as `last`.
# said: raises ValueError: too many values to unpack.*`last, value = found`
def answer(hall, last=0):
    found = watch_level(hall, last)
    return found


def watch_level(hall, last):
    ears = hall.redis.pubsub()
    ears.subscribe("board")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        value = on_the_board(hall)
        if value and value != last:
            return value
    return None


# %% wrong: a connection of its own
# misconception: own client
# why: What goes past the search cannot be searched; and the hall has a client.
# said: a connection of redis that is not the world's
def answer(hall, last=0):
    mine = services.redis("hall")
    ears = mine.pubsub()
    ears.subscribe("board")
    heard = True
    while heard:
        heard = ears.get_message(timeout=SILENCE)
        notice = mine.get("board")
        if notice and notice != last:
            return notice, notice.partition(":")[2]
    return None


# %% wrong: a thread that listens
# misconception: own thread
# why: redis-py offers it, and the search decides who goes next among its clients only.
# said: thread
def answer(hall, last=0):
    heard = []
    ears = hall.redis.pubsub()
    ears.subscribe(board=lambda message: heard.append(message))
    listens = ears.run_in_thread(sleep_time=0.1)
    time.sleep(SILENCE)
    listens.stop()
    notice = hall.redis.get("board")
    return (notice, notice.partition(":")[2]) if notice and notice != last else None
