// Documents: what may be stored, and reading and writing one or many.
import { randomUUID } from 'node:crypto';
import { options } from './parameters.mjs';
import { bad, conflict, missing, Refused } from './refusals.mjs';
import { check, SandboxError } from './sandbox.mjs';

const isLocal = (id) => id?.startsWith('_local/');

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
  if (rev !== undefined && !(isLocal(id) ? /^0-\d+$/ : /^\d+-\w+$/).test(rev)) throw bad('Invalid rev format');
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

export async function save(store, doc, newEdits = true) {
  const [result] = await write(store, [doc], newEdits);
  if (result?.error === 'conflict') throw conflict();
  if (result?.error) throw new Refused(result.status, result.error, result.reason);
  return result ?? { ok: true, id: doc._id, rev: doc._rev };
}

// As on Apache CouchDB: no `_rev` is compared, the last one to write wins.
function writeLocal({ locals }, { _id: id, _rev: before = '0-0', _deleted: deleted, ...content }) {
  const rev = deleted ? '0-0' : `0-${parseInt(before.slice(2), 10) + 1}`;
  if (deleted) locals.delete(id);
  else locals.set(id, { _id: id, _rev: rev, ...content });
  return { ok: true, id, rev };
}

export async function write(store, docs, newEdits = true) {
  docs.forEach(validate);
  const named = docs.map((doc) => ({ _id: doc._id ?? randomUUID().replaceAll('-', ''), ...doc }));
  const others = named.filter((doc) => !isLocal(doc._id));
  const results = await store.pouch.bulkDocs({ docs: others }, { new_edits: newEdits });
  const said = results.map((result, i) => {
    if (!result.error) return { ok: true, id: result.id, rev: result.rev };
    const { status, name, message, reason } = result;
    if (status === 409) return { id: result.id ?? others[i]._id, error: 'conflict', reason: 'Document update conflict.' };
    if (name === 'doc_validation') return { status: 400, id: others[i]._id, error: name, reason: reason ?? message };
    return { status: status ?? 500, id: others[i]._id, error: name ?? 'unknown_error', reason: reason ?? message };
  });
  const next = said.values();
  const all = named.map((doc) => (isLocal(doc._id) ? writeLocal(store, doc) : next.next().value));
  store.wrote();
  return newEdits ? all : said;
}

export async function document(store, method, id, { url, body, headers }) {
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
    if (isLocal(id)) {
      await read(store, id, {});
      return [200, await save(store, { _id: id, _deleted: true })];
    }
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

export async function read(store, id, o) {
  if (isLocal(id)) {
    const doc = store.locals.get(id);
    if (!doc) throw missing('missing');
    return [200, doc, { ETag: `"${doc._rev}"` }];
  }
  try {
    const { rev, revs, revs_info: info, conflicts, open_revs: open, latest } = o;
    const doc = await store.pouch.get(id, { rev, revs, revs_info: info, conflicts, open_revs: open, latest });
    return [200, doc, Array.isArray(doc) ? {} : { ETag: `"${doc._rev}"` }];
  } catch (problem) {
    if (problem.status === 404) throw missing(problem.reason === 'deleted' ? 'deleted' : 'missing');
    throw problem;
  }
}
