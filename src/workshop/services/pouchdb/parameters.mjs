// The parameters of a request, from its URL and its body, as values of the right type.
import { bad } from './refusals.mjs';

const NAMES = { start_key: 'startkey', end_key: 'endkey', start_key_doc_id: 'startkey_docid', end_key_doc_id: 'endkey_docid' };
const JSON_OPTIONS = ['key', 'keys', 'startkey', 'endkey', 'open_revs', 'doc_ids'];
const FLAGS = ['descending', 'include_docs', 'inclusive_end', 'reduce', 'group', 'conflicts', 'update_seq',
  'revs', 'revs_info', 'latest', 'new_edits'];
const NUMBERS = ['limit', 'skip', 'group_level', 'timeout', 'heartbeat'];

export function options(url, body) {
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
