// The CouchDB protocol over PouchDB: as much of Apache CouchDB 3 as the notebooks and
// couchdb-python use, with its statuses and error bodies. It listens on loopback only, wants the
// password that its parent gives it on standard input, refuses what a web page could send, and
// ends when its standard input closes. With a `folder` it keeps its databases there; without, in memory.
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import readline from 'node:readline';
import { keepIn } from './databases.mjs';
import { bad, Refused } from './refusals.mjs';
import { route } from './routes.mjs';
import { QueryError } from './views.mjs';

const LARGEST = 16 * 1024 * 1024; // bytes of a request's body

// Whether two texts are the same, in a time that says nothing of where they differ.
function isSame(given, wanted) {
  const bytes = Buffer.from(given);
  return bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
}

async function receive(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size <= LARGEST) pieces.push(piece);
  }
  // Only now: one who still sends would find the connection closed, and no answer.
  if (size > LARGEST) throw new Refused(413, 'too_large', 'the request entity is too large');
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
  if (!isSame(headers.authorization ?? '', wanted)) {
    throw new Refused(401, 'unauthorized', 'Name or password is incorrect.');
  }
  return user;
}

function answer(response, status, value, headers = {}) {
  const body = `${JSON.stringify(value)}\n`; // a text goes out together with its headers
  response.writeHead(status, { ...headers, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'must-revalidate' });
  response.end(body);
}

function failure(problem) {
  const { status, error, name, message, reason } = problem;
  if (problem instanceof Refused || problem instanceof QueryError) return [status, { error, reason: message }];
  if (Number.isInteger(status) && status >= 400) return [status === 500 ? 400 : status, { error: name, reason: reason ?? message }];
  return [500, { error: 'unknown_error', reason: String(message) }];
}

async function handle(incoming, response, door) {
  let reply;
  try {
    const { method, headers } = incoming;
    const user = admit(incoming, door);
    const [path, query] = incoming.url.split(/\?(.*)/s); // not new URL(): it would resolve ".."
    const url = { path, searchParams: new URLSearchParams(query) };
    reply = await route({ method, headers, url, user, response, body: await receive(incoming) });
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
const { user, password, folder, port: chosen = 0 } = JSON.parse(first);
if (folder) keepIn(folder);
const door = { user, wanted: Buffer.from(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`), hosts: new Set() };
const server = http.createServer({ keepAliveTimeout: 0 }, (incoming, response) => {
  handle(incoming, response, door).catch(() => response.destroy());
});
server.listen(chosen, '127.0.0.1', () => {
  const { port } = server.address();
  for (const host of ['127.0.0.1', 'localhost']) door.hosts.add(`${host}:${port}`);
  console.log(JSON.stringify({ port }));
});
