// The CouchDB protocol over PouchDB, in memory: as much of Apache CouchDB 3 as the notebooks and
// couchdb-python use, with its statuses and error bodies. It listens on loopback only, wants the
// password that its parent gives it on standard input, refuses what a web page could send, and
// ends when its standard input closes.
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import readline from 'node:readline';
import memory from 'pouchdb-adapter-memory';
import PouchDB from 'pouchdb-core';
import replication from 'pouchdb-replication';
import { check, SandboxError } from './sandbox.mjs';
import { Index, QueryError, reduced } from './views.mjs';

PouchDB.plugin(memory).plugin(replication);
const LARGEST = 16 * 1024 * 1024; // bytes of a request's body
const SOURCES = 100; // indexes kept for each database
const databases = new Map(); // name -> Store
const wake = new EventEmitter().setMaxListeners(0);
let generation = 0;

class Refused extends Error {
  constructor(status, error, reason) {
    super(reason);
    Object.assign(this, { status, error });
  }
}

const missing = (reason = 'missing') => new Refused(404, 'not_found', reason);
const conflict = () => new Refused(409, 'conflict', 'Document update conflict.');
const bad = (reason, error = 'bad_request') => new Refused(400, error, reason);

class Store {
  constructor(name) {
    Object.assign(this, { name, writes: 0, indexes: new Map(), tag: randomBytes(8).toString('hex') });
    this.pouch = new PouchDB(`${generation += 1}`, { adapter: 'memory' });
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

// ---------------------------------------------------------------- parameters

const NAMES = { start_key: 'startkey', end_key: 'endkey', start_key_doc_id: 'startkey_docid', end_key_doc_id: 'endkey_docid' };
const JSON_OPTIONS = ['key', 'keys', 'startkey', 'endkey', 'open_revs', 'doc_ids'];
const FLAGS = ['descending', 'include_docs', 'inclusive_end', 'reduce', 'group', 'conflicts', 'update_seq',
  'revs', 'revs_info', 'latest', 'new_edits'];
const NUMBERS = ['limit', 'skip', 'group_level', 'timeout', 'heartbeat'];

function options(url, body) {
  const given = Object.create(null);
  const entries = [...url.searchParams].map(([name, value]) => [name, value, true])
    .concat(Object.entries(body ?? {}).map(([name, value]) => [name, value, false]));
  for (const [spelled, value, fromUrl] of entries) {
    const name = NAMES[spelled] ?? spelled;
    if (JSON_OPTIONS.includes(name)) given[name] = fromUrl && !(name === 'open_revs' && value === 'all') ? parseJSON(value, name) : value;
    else if (FLAGS.includes(name)) given[name] = flag(value);
    else if (NUMBERS.includes(name)) given[name] = number(name, value);
    else given[name] = value;
  }
  if ('key' in given) Object.assign(given, { startkey: given.key, endkey: given.key });
  if (given.keys !== undefined && !Array.isArray(given.keys)) throw bad('`keys` parameter must be an array.');
  return given;
}

function parseJSON(text, name) {
  try { return JSON.parse(text); } catch { throw bad(`Invalid JSON value for \`${name}\`.`, 'query_parse_error'); }
}

function flag(value) {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw bad(`Invalid boolean parameter: ${JSON.stringify(value)}`, 'query_parse_error');
}

function number(name, value) {
  if (/^\d+$/.test(String(value))) return Number(value);
  if (name === 'heartbeat' && String(value) === 'true') return 60000;
  throw bad(`Invalid value for integer: ${JSON.stringify(value)}`, 'query_parse_error');
}

// ---------------------------------------------------------------- documents

function validate(doc) {
  if (doc === null || typeof doc !== 'object' || Array.isArray(doc)) throw bad('Document must be a JSON object');
  const { _id: id, _rev: rev } = doc;
  if (id !== undefined) {
    if (typeof id !== 'string') throw bad('Document id must be a string', 'illegal_docid');
    if (id === '') throw bad('Document id must not be empty', 'illegal_docid');
    if (id.startsWith('_') && !/^_(design|local)\/./.test(id)) {
      throw bad('Only reserved document ids may start with underscore.', 'illegal_docid');
    }
  }
  if (rev !== undefined && !/^\d+-\w+$/.test(rev)) throw bad('Invalid rev format');
  if (doc._attachments) throw new Refused(501, 'not_implemented', 'This server keeps no attachments.');
  if (id?.startsWith('_design/') && !doc._deleted) validateDesign(doc);
}

function validateDesign({ language = 'javascript', views = {}, ...rest }) {
  if (language !== 'javascript' || rest.validate_doc_update) {
    throw new Refused(501, 'not_implemented', 'This server knows views in JavaScript only.');
  }
  for (const [name, view] of Object.entries(views)) {
    for (const part of ['map', 'reduce']) {
      const source = view?.[part];
      if (source === undefined ? part === 'reduce' : part === 'reduce' && source[0] === '_') continue;
      try { check(source); } catch (problem) {
        if (!(problem instanceof SandboxError)) throw problem;
        throw bad(`Compilation of the ${part} function in the '${name}' view failed: ${problem.message}`, 'compilation_error');
      }
    }
  }
}

async function save(store, doc, newEdits = true) {
  const [result] = await write(store, [doc], newEdits);
  if (result?.error === 'conflict') throw conflict();
  if (result?.error) throw new Refused(result.status, result.error, result.reason);
  return result ?? { ok: true, id: doc._id, rev: doc._rev };
}

async function write(store, docs, newEdits = true) {
  docs.forEach(validate);
  const named = docs.map((doc) => ({ _id: doc._id ?? randomUUID().replaceAll('-', ''), ...doc }));
  const results = await store.pouch.bulkDocs({ docs: named }, { new_edits: newEdits });
  store.wrote();
  return results.map((result, i) => {
    if (!result.error) return { ok: true, id: result.id, rev: result.rev };
    const { status, name, message, reason } = result;
    if (status === 409) return { id: result.id ?? named[i]._id, error: 'conflict', reason: 'Document update conflict.' };
    if (name === 'doc_validation') return { status: 400, id: named[i]._id, error: name, reason: reason ?? message };
    return { status: status ?? 500, id: named[i]._id, error: name ?? 'unknown_error', reason: reason ?? message };
  });
}

async function document(store, method, id, { url, body, headers }) {
  const o = options(url);
  if (method === 'GET' || method === 'HEAD') return read(store, id, o);
  const rev = o.rev ?? headers['if-match']?.replaceAll('"', '');
  if (method === 'PUT') {
    const doc = body();
    if (doc?._id !== undefined && doc._id !== id) throw bad('Document ID must match the ID in the URL.');
    if (rev !== undefined && doc?._rev !== undefined && doc._rev !== rev) throw bad('Document rev from request body and query string have different values');
    validate(doc);
    const saved = await save(store, { ...doc, _id: id, ...(rev && { _rev: rev }) }, o.new_edits ?? true);
    return o.batch === 'ok' ? [202, { ok: true, id }] : [201, saved, { ETag: `"${saved.rev}"` }];
  }
  if (method === 'DELETE') {
    if (!rev) {
      await read(store, id, {});
      throw conflict();
    }
    if (!/^\d+-\w+$/.test(rev)) throw bad('Invalid rev format');
    await read(store, id, {});
    return [200, await save(store, { _id: id, _rev: rev, _deleted: true })];
  }
  if (method === 'COPY') {
    const [to, query] = (headers.destination ?? '').split('?');
    const { _rev, _conflicts, ...content } = (await read(store, id, o))[1];
    const onto = new URLSearchParams(query).get('rev');
    return [201, await save(store, { ...content, _id: decodeURIComponent(to), ...(onto && { _rev: onto }) })];
  }
  throw new Refused(405, 'method_not_allowed', 'Only DELETE,GET,HEAD,PUT allowed');
}

async function read(store, id, o) {
  try {
    const { rev, revs, revs_info: info, conflicts, open_revs: open, latest } = o;
    const doc = await store.pouch.get(id, { rev, revs, revs_info: info, conflicts, open_revs: open, latest });
    return [200, doc, Array.isArray(doc) ? {} : { ETag: `"${doc._rev}"` }];
  } catch (problem) {
    if (problem.status === 404) throw missing(problem.reason === 'deleted' ? 'deleted' : 'missing');
    throw problem;
  }
}

// ---------------------------------------------------------------- queries

async function allDocs(store, given, only) {
  const o = { inclusive_end: true, ...given };
  if (only) Object.assign(o, { startkey: o.startkey ?? only, endkey: o.endkey ?? `${only}\ufff0` });
  delete o.key;
  if (o.keys) for (const name of ['startkey', 'endkey']) delete o[name];
  const { total_rows, offset, rows } = await store.pouch.allDocs(o);
  return { total_rows, offset: o.keys ? null : offset, rows };
}

async function view(store, design, name, o) {
  const { views = {} } = (await read(store, `_design/${design}`, {}))[1];
  if (!Object.hasOwn(views, name)) throw missing('missing_named_view');
  const { map: source, reduce: reducer } = views[name];
  const reducing = Boolean(reducer) && (o.reduce ?? true);
  if (o.reduce && !reducer) throw new QueryError('Reduce is invalid for map-only views.');
  const grouped = o.group || o.group_level !== undefined;
  if (grouped && !reducing) throw new QueryError('Invalid use of grouping on a map view.');
  if (o.include_docs && reducing) throw new QueryError('`include_docs` is invalid for reduce');
  const level = o.group ? Infinity : o.group_level ?? 0;
  if (reducing && o.keys && level !== Infinity) throw new QueryError('Multi-key fetches for reduce views must use `group=true`');
  let index;
  try { index = await store.index(source); } catch (problem) {
    if (!(problem instanceof SandboxError)) throw problem;
    throw new QueryError(`The map function: ${problem.message}.`, 'os_process_error', 500);
  }
  const { rows, offset } = index.select({ inclusive_end: true, ...o });
  const cut = (list) => list.slice(o.skip ?? 0, (o.skip ?? 0) + (o.limit ?? Infinity));
  const seq = o.update_seq ? { update_seq: store.seq(index.seq) } : {};
  if (reducing) return { rows: cut(reduced(rows, reducer, level)), ...seq };
  const found = cut(rows).map(({ id, key, value }) => ({ id, key, value }));
  if (o.include_docs) await includeDocs(store, found, o);
  return { total_rows: index.rows.length, offset: Math.min(offset + (o.skip ?? 0), index.rows.length), rows: found, ...seq };
}

async function includeDocs(store, rows, { conflicts }) {
  const keys = [...new Set(rows.map(({ id, value }) => value?._id ?? id))];
  const found = await store.pouch.allDocs({ keys, include_docs: true, conflicts });
  const docs = new Map(found.rows.map(({ key, doc }) => [key, doc ?? null]));
  for (const row of rows) row.doc = docs.get(row.value?._id ?? row.id) ?? null;
}

async function changes(store, o, closed) {
  const now = async () => (await store.pouch.info()).update_seq;
  const since = o.since === 'now' ? await now() : Number.parseInt(o.since ?? 0, 10) || 0;
  const ask = { since, limit: o.limit, include_docs: o.include_docs, conflicts: o.conflicts,
    descending: o.descending, style: o.style, doc_ids: o.doc_ids };
  const until = Date.now() + (o.timeout ?? 60000);
  let found;
  for (;;) {
    const woken = new AbortController();
    const written = once(wake, store.name, { signal: woken.signal }).catch(() => {});
    found = await store.pouch.changes(ask);
    const left = until - Date.now();
    if (o.feed !== 'longpoll' || found.results.length || left <= 0 || closed.aborted) { woken.abort(); break; }
    const stop = () => woken.abort();
    const timer = setTimeout(stop, left);
    closed.addEventListener('abort', stop);
    await written;
    clearTimeout(timer);
    closed.removeEventListener('abort', stop);
    if (databases.get(store.name) !== store) throw missing('Database does not exist.');
  }
  const results = found.results.map(({ seq, ...rest }) => ({ seq: store.seq(seq), ...rest }));
  return { results, last_seq: store.seq(Math.max(found.last_seq, since)), pending: 0 };
}

async function replicate(body, here) {
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

// ---------------------------------------------------------------- databases and the server

function create(name) {
  if (!/^[a-z][a-z0-9_$()+/-]*$/.test(name)) {
    throw bad(`Name: '${name}'. Only lowercase characters (a-z), digits (0-9), and any of the characters _, $, (, ), +, -, and / are allowed. Must begin with a letter.`, 'illegal_database_name');
  }
  if (databases.has(name)) throw new Refused(412, 'file_exists', 'The database could not be created, the file already exists.');
  databases.set(name, new Store(name));
}

async function database(method, name, request) {
  if (method === 'PUT') {
    create(name);
    return [201, { ok: true }];
  }
  const store = databases.get(name);
  if (!store) throw missing('Database does not exist.');
  if (method === 'DELETE') {
    databases.delete(name);
    wake.emit(name);
    store.pouch.destroy().catch(() => {});
    return [200, { ok: true }];
  }
  if (method === 'POST') return [201, await save(store, request.body())];
  const { doc_count, update_seq } = await store.pouch.info();
  return [200, { db_name: name, doc_count, update_seq: store.seq(update_seq), purge_seq: store.seq(0),
    compact_running: false, instance_start_time: '0', props: {} }];
}

async function special(store, method, [what, ...rest], request) {
  const asked = () => options(request.url, method === 'POST' ? request.body() : undefined);
  switch (`${method} ${what}`) {
    case 'GET _all_docs': case 'POST _all_docs': return [200, await allDocs(store, asked())];
    case 'GET _design_docs': return [200, await allDocs(store, asked(), '_design/')];
    case 'GET _changes': case 'POST _changes': return [200, await changes(store, asked(), request.closed)];
    case 'POST _bulk_docs': {
      const { docs, new_edits: edits = true } = request.body() ?? {};
      if (!Array.isArray(docs)) throw bad('POST body must include `docs` parameter.');
      const results = await write(store, docs, edits);
      return [201, results.map(({ status, ...rest }) => rest)];
    }
    case 'POST _revs_diff': return [200, await store.pouch.revsDiff(request.body())];
    case 'POST _compact':
      if (!rest.length) await store.pouch.compact();
      return [202, { ok: true }];
    case 'POST _view_cleanup': return [202, { ok: true }];
    case 'POST _ensure_full_commit': return [201, { ok: true, instance_start_time: '0' }];
    case 'GET _security': return [200, {}];
    case `PUT ${what}`: return document(store, method, what, request); // where its name is refused
    default: throw new Refused(501, 'not_implemented', `This server does not know ${method} ${what}.`);
  }
}

async function route(request) {
  const { method, url } = request;
  const asked = method === 'HEAD' ? 'GET' : method;
  const path = url.path.replace(/^\/+/, '').split('/').filter((part, i, all) => part || i < all.length - 1).map(decode);
  const [first, ...rest] = path;
  if (first === undefined) {
    return [200, { couchdb: 'Welcome', version: PouchDB.version, uuid: instance, features: [], vendor: { name: 'PouchDB' } }];
  }
  if (first.startsWith('_')) {
    switch (`${asked} ${first}`) {
      case 'GET _all_dbs': return [200, [...databases.keys()].sort()];
      case 'GET _uuids': return [200, { uuids: Array.from({ length: options(url).count ?? 1 }, () => randomBytes(16).toString('hex')) }];
      case 'GET _session': return [200, { ok: true, userCtx: { name: request.user, roles: ['_admin'] }, info: { authenticated: 'default' } }];
      case 'GET _up': return [200, { status: 'ok', seeds: {} }];
      case 'GET _active_tasks': return [200, []];
      case 'POST _replicate': return [200, await replicate(request.body(), `http://${request.headers.host}/`)];
      default: throw missing();
    }
  }
  if (!rest.length) return database(asked, first, request);
  const store = databases.get(first);
  if (!store) throw missing('Database does not exist.');
  if (rest[0] === '_design' && rest[2] === '_view' && rest.length >= 4) {
    if (asked !== 'GET' && asked !== 'POST') throw new Refused(405, 'method_not_allowed', 'Only GET,HEAD,POST allowed');
    const o = options(url, asked === 'POST' ? request.body() : undefined);
    return [200, await view(store, rest[1], rest.slice(3).join('/'), o)];
  }
  if (rest[0] === '_design' && rest[2] === '_info') {
    await read(store, `_design/${rest[1]}`, {});
    return [200, { name: rest[1], view_index: { language: 'javascript', updater_running: false } }];
  }
  const prefixed = ['_design', '_local'].includes(rest[0]);
  if (rest[0].startsWith('_') && !prefixed && !/^_(design|local)\//.test(rest[0])) return special(store, asked, rest, request);
  if (rest.length > (prefixed ? 2 : 1)) throw new Refused(501, 'not_implemented', 'This server keeps no attachments.');
  return document(store, asked, rest.join('/'), request);
}

function decode(part) {
  try { return decodeURIComponent(part); } catch { throw bad('The path is not valid.'); }
}

// ---------------------------------------------------------------- HTTP

const instance = randomBytes(16).toString('hex');
const digest = (text) => createHash('sha256').update(text).digest();

async function receive(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > LARGEST) throw new Refused(413, 'too_large', 'the request entity is too large');
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString('utf8');
  return () => {
    if (!text) return undefined;
    try { return JSON.parse(text); } catch { throw bad('invalid UTF-8 JSON'); }
  };
}

function admit({ headers }, { user, wanted, hosts }) {
  // What a browser sends on behalf of a page, or under another name for this machine.
  if (headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none') {
    throw new Refused(403, 'forbidden', 'Requests from web pages are refused.');
  }
  if (!hosts.has(headers.host)) throw new Refused(403, 'forbidden', 'Requests to another host are refused.');
  if (!timingSafeEqual(digest(headers.authorization ?? ''), wanted)) {
    throw new Refused(401, 'unauthorized', 'Name or password is incorrect.');
  }
  return user;
}

function answer(response, status, value, headers = {}) {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, { ...headers, 'Content-Type': 'application/json', 'Content-Length': body.length, 'Cache-Control': 'must-revalidate' });
  response.end(body);
}

function failure(problem) {
  const { status, error, name, message, reason } = problem;
  if (problem instanceof Refused || problem instanceof QueryError) return [status, { error, reason: message }];
  if (Number.isInteger(status) && status >= 400) return [status === 500 ? 400 : status, { error: name, reason: reason ?? message }];
  return [500, { error: 'unknown_error', reason: String(message) }];
}

async function handle(incoming, response, door) {
  const closed = new AbortController();
  response.on('close', () => closed.abort());
  let reply;
  try {
    const { method, headers } = incoming;
    const user = admit(incoming, door);
    const [path, query] = incoming.url.split(/\?(.*)/s); // not new URL(): it would resolve ".."
    const url = { path, searchParams: new URLSearchParams(query) };
    reply = await route({ method, headers, url, user, closed: closed.signal, body: await receive(incoming) });
  } catch (problem) {
    reply = failure(problem);
    if (!incoming.complete) response.setHeader('Connection', 'close');
  }
  if (!response.destroyed) answer(response, ...reply);
}

const lines = readline.createInterface({ input: process.stdin });
const [first] = await once(lines, 'line');
lines.on('close', () => process.exit(0));
process.on('unhandledRejection', () => {}); // a promise that a view function made and left
process.on('SIGINT', () => {}); // an interrupt of the notebook is not for the server
const { user, password } = JSON.parse(first);
const door = { user, wanted: digest(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`), hosts: new Set() };
const server = http.createServer({ keepAliveTimeout: 0 }, (incoming, response) => {
  handle(incoming, response, door).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  for (const host of ['127.0.0.1', 'localhost']) door.hosts.add(`${host}:${port}`);
  console.log(JSON.stringify({ port }));
});
