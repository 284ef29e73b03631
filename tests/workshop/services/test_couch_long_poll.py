"""What a long poll of the private CouchDB holds while it waits, and lets go of, seen in Node."""

from __future__ import annotations

import json
import subprocess

from workshop.services import node

# A database without documents, its readers, and what is held for them at the end of each story.
STORIES = """
import { EventEmitter } from 'node:events';
const [{ changes }, { databases, wake }] = await Promise.all(
  ['queries', 'databases'].map((name) => import(`${HOME}/${name}.mjs`)));
const pouch = {
  changes: async () => ({ results: [], last_seq: 0 }),
  info: async () => ({ update_seq: 0 }),
};
const store = { name: 'd', pouch, seq: String };
databases.set('d', store);
const poll = (reader, timeout) => changes(store, { feed: 'longpoll', since: 0, timeout }, reader);
const turns = () => new Promise((resolve) => { setTimeout(resolve, 20); });
const hangUp = (reader) => { reader.closed = true; reader.emit('close'); };
const held = (reader) => [wake.listenerCount('d'), reader.listenerCount('close'),
  process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length];
const stories = {
  'the time is over': (reader) => poll(reader, 20),
  'who hangs up': async (reader) => {
    setTimeout(hangUp, 20, reader);
    await poll(reader, 3600000);
  },
  'who has hung up': async (reader) => {
    hangUp(reader);
    await poll(reader, 3600000);
  },
  'five writes that tell nothing': async (reader) => {
    const polled = poll(reader, 3600000);
    for (let n = 0; n < 5; n += 1) {
      await turns();
      wake.emit('d');
    }
    await turns();
    found['while it waits'] = held(reader);
    hangUp(reader);
    await polled;
  },
};
const found = {};
for (const [name, story] of Object.entries(stories)) {
  const reader = new EventEmitter();
  await story(reader);
  found[name] = held(reader);
}
console.log(JSON.stringify(found));
"""


def test_a_long_poll_lets_go_of_all_that_it_held() -> None:
    """Listeners for writes, listeners for the reader's end, timers: none is left, or piles up."""
    script = f"const HOME = {json.dumps(str(node.install()))};\n{STORIES}"
    command = [node.program()[0], "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout) == {
        "the time is over": [0, 0, 0],
        "who hangs up": [0, 0, 0],
        "who has hung up": [0, 0, 0],
        "while it waits": [1, 1, 1],
        "five writes that tell nothing": [0, 0, 0],
    }
