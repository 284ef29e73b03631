// Views: one sorted index for each map function of a database, kept in memory and brought up to
// date from the changes feed before each query, as CouchDB does with update=true.
import { map, reduce, SandboxError } from './sandbox.mjs';

const CHUNK = 20; // rows given to a custom reduce at once; more are reduced again (rereduce)
const { compare: compareText } = new Intl.Collator('und');
const RANK = { object: 5, string: 3, number: 2, boolean: 1 };

export class QueryError extends Error {
  constructor(reason, error = 'query_parse_error', status = 400) {
    super(reason);
    Object.assign(this, { error, status });
  }
}

function rank(value) {
  if (value === null || value === undefined) return 0;
  return Array.isArray(value) ? 4 : RANK[typeof value];
}

// CouchDB's order of keys: null, false, true, numbers, strings (Unicode collation), arrays, objects.
export function collate(a, b) {
  const kind = rank(a);
  if (kind !== rank(b)) return kind - rank(b);
  if (kind === 1 || kind === 2) return a - b;
  if (kind === 3) return a === b ? 0 : compareText(a, b);
  if (kind === 0) return 0;
  const left = kind === 4 ? a : Object.entries(a).flat();
  const right = kind === 4 ? b : Object.entries(b).flat();
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const order = collate(left[i], right[i]);
    if (order) return order;
  }
  return left.length - right.length;
}

const raw = (a, b) => (a < b ? -1 : Number(a > b));
const inOrder = (a, b) => collate(a.key, b.key) || raw(a.id, b.id) || a.nth - b.nth;

// The first place in sorted rows for which `after(row)` holds.
function place(rows, after) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (after(rows[middle])) high = middle; else low = middle + 1;
  }
  return low;
}

export class Index {
  constructor(source) {
    Object.assign(this, { source, seq: 0, stamp: -1, rows: [], byId: new Map(), busy: Promise.resolve() });
  }

  // Brings the index up to what was written when this was called.
  async update(db, stamp) {
    this.busy = this.busy.catch(() => {}).then(() => this.#catchUp(db, stamp()));
    await this.busy;
  }

  async #catchUp(db, stamp) {
    if (stamp === this.stamp) return;
    const feed = await db.changes({ since: this.seq, include_docs: true, conflicts: true });
    const changed = feed.results.filter(({ id }) => !id.startsWith('_design/'));
    const live = changed.filter((change) => !change.deleted).map(({ doc }) => doc);
    const made = live.length ? map(this.source, live) : [];
    const gone = new Set(changed.map(({ id }) => id).filter((id) => this.byId.has(id)));
    const fresh = live.flatMap((doc, i) => made[i].map(([key = null, value = null], nth) => (
      { id: doc._id, key, value, nth })));
    if (gone.size + fresh.length <= 8) {
      for (const id of gone) for (const row of this.byId.get(id)) this.rows.splice(this.rows.indexOf(row), 1);
      for (const row of fresh) this.rows.splice(place(this.rows, (r) => inOrder(r, row) > 0), 0, row);
    } else {
      this.rows = this.rows.filter(({ id }) => !gone.has(id)).concat(fresh).sort(inOrder);
    }
    for (const id of gone) this.byId.delete(id);
    for (const row of fresh) this.byId.set(row.id, [...(this.byId.get(row.id) ?? []), row]);
    Object.assign(this, { seq: feed.last_seq, stamp });
  }

  // The rows that the options select, in the order asked for, and where the first of them is.
  select(o) {
    if (o.keys) return { rows: o.keys.flatMap((key) => this.#range({ ...o, startkey: key, endkey: key }).rows), offset: 0 };
    return this.#range(o);
  }

  #range({ startkey, endkey, startkey_docid: fromId, endkey_docid: toId, descending, inclusive_end: inclusive }) {
    let [first, last] = [0, this.rows.length];
    const [low, high] = descending ? [endkey, startkey] : [startkey, endkey];
    const [lowId, highId] = descending ? [toId, fromId] : [fromId, toId];
    if (low !== undefined && high !== undefined && collate(low, high) > 0) {
      throw new QueryError('No rows can match your key range, reverse your start_key and end_key or set {descending=true}');
    }
    // Whether a row lies after the end of the range that is given: past it, or on it if `open`.
    const past = (key, id, open) => (row) => {
      const order = collate(row.key, key) || (id === undefined ? 0 : raw(row.id, id));
      return open ? order >= 0 : order > 0;
    };
    if (low !== undefined) first = place(this.rows, past(low, lowId, !descending || inclusive));
    if (high !== undefined) last = place(this.rows, past(high, highId, !descending && !inclusive));
    const rows = this.rows.slice(first, Math.max(first, last));
    return descending ? { rows: rows.reverse(), offset: this.rows.length - last } : { rows, offset: first };
  }
}

// Reduced rows: one for all, one for each key (group), or for each start of a key (group_level).
export function reduced(rows, source, level) {
  const groups = [];
  let group;
  for (const row of rows) {
    const key = level === 0 ? null : Array.isArray(row.key) && level < Infinity ? row.key.slice(0, level) : row.key;
    if (!group || (group.key !== key && JSON.stringify(group.key) !== JSON.stringify(key))) {
      group = { key, rows: [] };
      groups.push(group);
    }
    group.rows.push(row);
  }
  return groups.map(({ key, rows: some }) => {
    try { return { key, value: reduceRows(some, source) }; } catch (problem) {
      if (!problem.row) throw problem;
      return { key, error: problem.row, reason: problem.message };
    }
  });
}

function rowError(row, message) {
  return Object.assign(new Error(message), { row });
}

function reduceRows(rows, source) {
  const values = rows.map(({ value }) => value);
  if (source === '_count') return rows.length;
  if (source === '_sum') return sum(values);
  if (source === '_stats') return stats(values);
  if (source.startsWith('_')) throw new QueryError(`${source} is not a built-in reduce of this server`, 'invalid_value', 501);
  const backwards = [...rows].reverse(); // as CouchDB hands the rows of a leaf to a reduce
  let level = [];
  for (let i = 0; i < rows.length; i += CHUNK) {
    const some = backwards.slice(i, i + CHUNK);
    level.push(call(source, some.map(({ key, id }) => [key, id]), some.map(({ value }) => value), false));
  }
  while (level.length > 1) {
    const next = [];
    for (let i = 0; i < level.length; i += CHUNK) next.push(call(source, null, level.slice(i, i + CHUNK), true));
    level = next;
  }
  return level[0];
}

function call(source, keys, values, rereduce) {
  let answer;
  try { answer = reduce(source, keys, values, rereduce); } catch (problem) {
    if (!(problem instanceof SandboxError)) throw problem;
    throw new QueryError(`The reduce function: ${problem.message}.`, 'os_process_error', 500);
  }
  if (answer.error !== undefined) throw rowError('reduce_error', answer.error);
  const [size, given] = [JSON.stringify(answer.value).length, JSON.stringify(values).length];
  if (size > 4096 && size * 2 > given) {
    throw rowError('reduce_overflow_error', `Reduce output must shrink more rapidly: input size: ${given} output size: ${size}`);
  }
  return answer.value;
}

function sum(values) {
  const total = [];
  for (const value of values) {
    const parts = Array.isArray(value) ? value : [value];
    if (!parts.every((n) => typeof n === 'number')) {
      throw rowError('builtin_reduce_error', 'The _sum function requires that map values be numbers or arrays of numbers.');
    }
    parts.forEach((n, i) => { total[i] = (total[i] ?? 0) + n; });
  }
  return values.some(Array.isArray) ? total : total[0] ?? 0;
}

function stats(values) {
  if (!values.every((n) => typeof n === 'number')) {
    throw rowError('builtin_reduce_error', 'The _stats function requires that map values be numbers.');
  }
  return {
    sum: values.reduce((a, b) => a + b, 0), count: values.length,
    min: values.reduce((a, b) => Math.min(a, b)), max: values.reduce((a, b) => Math.max(a, b)),
    sumsqr: values.reduce((a, b) => a + b * b, 0),
  };
}
