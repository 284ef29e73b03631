// Queries: all documents, views, and the changes feed.
import { once } from 'node:events';
import { databases, wake } from './databases.mjs';
import { read } from './documents.mjs';
import { missing, Refused } from './refusals.mjs';
import { SandboxError } from './sandbox.mjs';
import { QueryError, reduced } from './views.mjs';

export async function allDocs(store, given, only) {
  const o = { inclusive_end: true, ...given };
  if (only) Object.assign(o, { startkey: o.startkey ?? only, endkey: o.endkey ?? `${only}\ufff0` });
  delete o.key;
  if (o.keys) for (const name of ['startkey', 'endkey']) delete o[name];
  const { total_rows, offset, rows } = await store.pouch.allDocs(o);
  return { total_rows, offset: o.keys ? null : offset, rows };
}

export async function view(store, design, name, o) {
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

export async function changes(store, o, response) {
  if (o.filter !== undefined && o.filter !== '_doc_ids') {
    throw new Refused(501, 'not_implemented', `This server keeps no filters: filter=${o.filter} would let all changes pass.`);
  }
  const now = async () => (await store.pouch.info()).update_seq;
  const since = o.since === 'now' ? await now() : Number.parseInt(o.since ?? 0, 10) || 0;
  const ask = { since, limit: o.limit, include_docs: o.include_docs, conflicts: o.conflicts,
    descending: o.descending, style: o.style, doc_ids: o.doc_ids };
  const found = o.feed === 'longpoll' ? await longPoll(store, ask, o.timeout ?? 60000, response) : await store.pouch.changes(ask);
  const results = found.results.map(({ seq, ...rest }) => ({ seq: store.seq(seq), ...rest }));
  return { results, last_seq: store.seq(Math.max(found.last_seq, since)), pending: 0 };
}

// Ask again after each write, until there is something, the time is over, or nobody waits any more.
async function longPoll(store, ask, timeout, response) {
  const until = Date.now() + timeout;
  for (;;) {
    const woken = new AbortController();
    const written = once(wake, store.name, { signal: woken.signal }).catch(() => {});
    const found = await store.pouch.changes(ask);
    const left = until - Date.now();
    const stop = () => woken.abort();
    if (found.results.length || left <= 0 || response.closed) {
      stop();
      return found;
    }
    const timer = setTimeout(stop, left);
    response.once('close', stop);
    await written;
    clearTimeout(timer);
    response.off('close', stop);
    if (databases.get(store.name) !== store) throw missing('Database does not exist.');
  }
}
