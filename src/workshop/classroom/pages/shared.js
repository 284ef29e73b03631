"use strict";
// A client of the class's API like any other: OAuth with PKCE, tokens in this tab only.
const HERE = location.origin + location.pathname;
const ANSWER = 40000, LEAST_PAUSE = 300, MOST_PAUSE = 5000; // milliseconds
const get = (id) => document.getElementById(id);
const show = (id, visible = true) => { get(id).hidden = !visible; };
const put = (id, words) => { if (get(id).textContent !== words) get(id).textContent = words; };
const many = (n, one) => n + " " + one + (n === 1 ? "" : "s");
const sentence = (words) => words && words[0].toUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? "" : ".");
const hour = (seconds) => new Date(1000 * seconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const waking = new Set(); // what ends a pause, or a request that waits, when the network is back
let tokens = JSON.parse(sessionStorage.getItem("tokens")), renewing = null, ahead = 0;

class Refusal extends Error {}
class Over extends Error {}

// Everything that is shown is text: no value of the class ever becomes markup.
function make(tag, words = "", more = {}) {
  const made = Object.assign(document.createElement(tag), more);
  made.append(words);
  return made;
}

// By hand, as crypto.subtle is not there on a page without TLS, as in a room's own network.
function sha256(bytes) {
  const primes = [], root = (n, of) => ((n ** (1 / of)) % 1) * 2 ** 32 | 0, turn = (x, n) => x >>> n | x << (32 - n);
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const K = primes.map((p) => root(p, 3)), H = primes.slice(0, 8).map((p) => root(p, 2));
  const words = new Int32Array((((bytes.length + 8) >> 6) + 1) * 16);
  [...bytes, 128].forEach((byte, i) => { words[i >> 2] |= byte << (24 - (i % 4) * 8); });
  words[words.length - 1] = 8 * bytes.length;
  for (let at = 0; at < words.length; at += 16) {
    const w = [...words.subarray(at, at + 16)];
    let [a, b, c, d, e, f, g, h] = H;
    for (let i = 0; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      if (i > 15) w[i] = w[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ x >>> 3) + w[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ y >>> 10) | 0;
      const t = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + K[i] + w[i] | 0;
      const u = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, d + t | 0, c, b, a, t + u | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((x, i) => { H[i] = H[i] + x | 0; });
  }
  return H.flatMap((x) => [x >>> 24, x >>> 16 & 255, x >>> 8 & 255, x & 255]);
}

function keep(given) {
  tokens = given;
  if (given) sessionStorage.setItem("tokens", JSON.stringify(given));
  else sessionStorage.removeItem("tokens");
}

// Off to the class's own form; a secret that the link brought is filled in at once.
function logIn(scope, secret) {
  const asked = { verifier: random(), state: random() };
  sessionStorage.setItem("asked", JSON.stringify(asked));
  const challenge = base64url(sha256(new TextEncoder().encode(asked.verifier)));
  const fields = { response_type: "code", client_id: "pages", redirect_uri: HERE, scope, state: asked.state, code_challenge: challenge, code_challenge_method: "S256" };
  const action = "/oauth/authorize?" + new URLSearchParams(fields);
  if (!secret) return location.assign(action);
  const form = make("form", "", { method: "post", action });
  form.append(make("input", "", { type: "hidden", name: "secret", value: secret }));
  document.body.append(form);
  form.submit();
}

// Back from the form: the code in the address becomes tokens. Returns whether there are some.
async function loggedIn() {
  const query = new URLSearchParams(location.search), asked = JSON.parse(sessionStorage.getItem("asked"));
  if (query.get("code") && asked && query.get("state") === asked.state) {
    const form = { grant_type: "authorization_code", code: query.get("code"), redirect_uri: HERE, client_id: "pages", code_verifier: asked.verifier };
    const reply = await untilAnswered("/oauth/token", { method: "POST", body: new URLSearchParams(form) });
    if (reply.ok) keep(reply.json());
    else put("problem", "That took too long. Join once more.");
    sessionStorage.removeItem("asked");
  }
  if (location.search) history.replaceState(null, "", HERE);
  return tokens !== null;
}

function pause(ms) {
  return new Promise((done) => {
    const wake = () => { clearTimeout(timer); waking.delete(wake); done(); };
    const timer = setTimeout(wake, ms);
    waking.add(wake);
  });
}

async function ask(address, how = {}) {
  const control = new AbortController(), wake = () => control.abort();
  const timer = setTimeout(wake, ANSWER);
  waking.add(wake);
  try {
    const reply = await fetch(address, { cache: "no-store", ...how, signal: control.signal });
    const text = await reply.text(); // all of it, or it was lost
    ahead = Date.parse(reply.headers.get("Date")) - Date.now() || ahead;
    return { status: reply.status, ok: reply.ok, headers: reply.headers, text, json: () => JSON.parse(text) };
  } finally {
    clearTimeout(timer);
    waking.delete(wake);
  }
}

// Asks until there is an answer that is one; says meanwhile that there is none.
async function untilAnswered(address, how) {
  for (let wait = LEAST_PAUSE; ; wait = Math.min(2 * wait, MOST_PAUSE)) {
    try {
      const reply = await ask(address, how);
      const later = Number(reply.headers.get("Retry-After"));
      if (later > 60 || (reply.status < 500 && ![408, 425, 429].includes(reply.status))) {
        put("link", "Connected.");
        return reply;
      }
      await pause(Math.max(wait, 1000 * later));
    } catch {
      put("link", "No connection. Trying again …");
      await pause(wait * (0.5 + Math.random()));
    }
  }
}

async function renewed(old) {
  if (tokens && tokens.access_token !== old) return;
  renewing ??= (async () => {
    const form = { grant_type: "refresh_token", refresh_token: tokens?.refresh_token ?? "", client_id: "pages" };
    const reply = await untilAnswered("/oauth/token", { method: "POST", body: new URLSearchParams(form) });
    keep(reply.ok ? { ...tokens, ...reply.json() } : null);
  })().finally(() => { renewing = null; });
  await renewing;
}

// One request with the token. A write has one key however often it is sent. Throws Refusal or Over.
async function call(method, path, body, headers = {}) {
  const how = { method, headers: { ...headers } };
  if (method !== "GET") how.headers["Idempotency-Key"] = random();
  if (body) Object.assign(how, { body: JSON.stringify(body) }).headers["Content-Type"] = "application/json";
  for (let renewals = 0; ; renewals++) {
    const token = tokens?.access_token;
    how.headers.Authorization = "Bearer " + token;
    const reply = await untilAnswered("/api/v1" + path, how);
    if (reply.ok || reply.status === 304) return reply;
    if (reply.status !== 401) throw new Refusal(wordsOf(reply));
    if (renewals === 0) await renewed(token);
    if (renewals > 0 || !tokens) throw new Over("Your time in this class is over: it was ended, or you have left.");
  }
}

function wordsOf(reply) {
  try {
    return sentence(reply.json().detail || reply.json().title);
  } catch {
    return "The class answers " + reply.status + ".";
  }
}

// Shows the board whenever it changes.
async function followBoard(showBoard) {
  for (let etag = ""; ; ) {
    const reply = await call("GET", "/board" + (etag && "?wait=25"), null, etag ? { "If-None-Match": etag } : {});
    if (reply.status === 200) showBoard(reply.json());
    etag = reply.headers.get("ETag") ?? etag;
    await pause(LEAST_PAUSE); // a large class changes all the time
  }
}

async function followMessages() {
  for (let after = 0; ; ) {
    const said = (await call("GET", "/messages?after=" + after + (after && "&wait=25"))).json();
    const log = get("messages"), atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
    for (const one of said.messages) {
      if (one.number <= after) continue;
      const line = make("p", make("strong", one.name + ": "));
      line.append(one.text);
      log.append(line);
      after = one.number;
    }
    if (atEnd) log.scrollTop = log.scrollHeight;
    if (!said.messages.length) await pause(LEAST_PAUSE);
  }
}

// What a form does: disabled while it is sent, its field emptied once the class has it.
function onSubmit(id, send) {
  const form = get(id), button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    put("problem", "");
    try {
      await send(form);
    } catch (problem) {
      failed(problem);
    } finally {
      button.disabled = false;
    }
  });
}

async function sendMessage(form) {
  await call("POST", "/messages", { text: form.elements.text.value });
  form.reset();
}

function failed(problem) {
  if (problem instanceof Over) { keep(null); begin(); }
  put("problem", problem.message);
}

function timeLeft(board) {
  if (!board?.ends_at) return "";
  const left = Math.ceil(board.ends_at - (Date.now() + ahead) / 1000);
  return left <= 0 ? "Time is up." : Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0") + " left";
}

async function leave() {
  const { refresh_token: token } = tokens;
  keep(null);
  await ask("/oauth/revoke", { method: "POST", body: new URLSearchParams({ token, client_id: "pages" }) }).catch(() => null);
  location.assign(HERE);
}

const wakeAll = () => [...waking].forEach((wake) => wake());
addEventListener("online", wakeAll);
document.addEventListener("visibilitychange", () => document.hidden || wakeAll());
