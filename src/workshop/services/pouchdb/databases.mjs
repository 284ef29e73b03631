// The databases: each is a PouchDB, the indexes of its views, and its replication. They are in memory
// and, where the server was given a folder, also in a file each, from which they come back.
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import memory from 'pouchdb-adapter-memory';
import PouchDB from 'pouchdb-core';
import replication from 'pouchdb-replication';
import journal from './journal.mjs';
import { bad, Refused } from './refusals.mjs';
import { Index } from './views.mjs';

PouchDB.plugin(memory).plugin(replication);
const SOURCES = 100; // indexes kept for each database
export const databases = new Map(); // name -> Store
export const wake = new EventEmitter().setMaxListeners(0);
export const { version } = PouchDB;
const ENDING = '.journal';
let folder;
let generation = 0;

class Store {
  constructor(name) {
    Object.assign(this, { name, writes: 0, indexes: new Map(), locals: new Map(), tag: randomBytes(8).toString('hex') });
    this.kept = Boolean(folder);
    this.pouch = folder
      ? new PouchDB(path.join(folder, encodeURIComponent(name) + ENDING), { adapter: 'memory', db: journal })
      : new PouchDB(`${generation += 1}`, { adapter: 'memory' });
  }

  wrote() {
    this.writes += 1;
    wake.emit(this.name);
  }

  // Like CouchDB's, a sequence is a string that only the server understands.
  seq(number) { return `${number}-${this.tag}`; }

  async index(source) {
    if (!this.indexes.has(source)) {
      if (this.indexes.size >= SOURCES) this.indexes.delete(this.indexes.keys().next().value);
      this.indexes.set(source, new Index(source));
    }
    const index = this.indexes.get(source);
    await index.update(this.pouch, () => this.writes);
    return index;
  }
}

// Keep databases in this folder from now on, and open those that are there.
export function keepIn(given) {
  folder = given;
  for (const file of fs.readdirSync(folder)) {
    if (file.endsWith(ENDING)) create(decodeURIComponent(file.slice(0, -ENDING.length)));
  }
}

export function create(name) {
  if (!/^[a-z][a-z0-9_$()+/-]*$/.test(name)) {
    throw bad(`Name: '${name}'. Only lowercase characters (a-z), digits (0-9), and any of the characters _, $, (, ), +, -, and / are allowed. Must begin with a letter.`, 'illegal_database_name');
  }
  if (databases.has(name)) throw new Refused(412, 'file_exists', 'The database could not be created, the file already exists.');
  databases.set(name, new Store(name));
}

export async function replicate(body, here) {
  const local = (end) => {
    const at = new URL(typeof end === 'object' && end !== null ? end.url : end, here);
    if (at.host !== new URL(here).host) throw new Refused(403, 'forbidden', 'This server replicates only between its own databases.');
    const name = decodeURIComponent(at.pathname.slice(1).replace(/\/$/, ''));
    if (!databases.has(name)) throw new Refused(404, 'db_not_found', `could not open ${name}`);
    return databases.get(name);
  };
  if (body?.continuous) throw new Refused(501, 'not_implemented', 'This server replicates once, not continuously.');
  if (body?.create_target && !databases.has(body.target)) create(body.target);
  const [source, target] = [local(body.source), local(body.target)];
  const done = await PouchDB.replicate(source.pouch, target.pouch, { doc_ids: body.doc_ids });
  target.wrote();
  const { docs_read, docs_written, doc_write_failures, last_seq } = done;
  return { ok: true, session_id: randomBytes(16).toString('hex'), source_last_seq: source.seq(last_seq),
    replication_id_version: 4, history: [{ docs_read, docs_written, doc_write_failures }],
    ...(docs_read === 0 && docs_written === 0 && { no_changes: true }) };
}
