// Which request is answered by what: the paths of the CouchDB protocol that this server knows.
import { randomBytes } from 'node:crypto';
import { create, databases, replicate, version, wake } from './databases.mjs';
import { document, read, save, write } from './documents.mjs';
import { options } from './parameters.mjs';
import { allDocs, changes, view } from './queries.mjs';
import { bad, missing, Refused } from './refusals.mjs';

const instance = randomBytes(16).toString('hex');

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
    const destroyed = store.pouch.destroy().catch(() => {});
    if (store.kept) await destroyed;
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
    case 'GET _changes': case 'POST _changes': return [200, await changes(store, asked(), request.response)];
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

export async function route(request) {
  const { method, url } = request;
  const asked = method === 'HEAD' ? 'GET' : method;
  const path = url.path.replace(/^\/+/, '').split('/').filter((part, i, all) => part || i < all.length - 1).map(decode);
  const [first, ...rest] = path;
  if (first === undefined) {
    return [200, { couchdb: 'Welcome', version, uuid: instance, features: [], vendor: { name: 'PouchDB' } }];
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
