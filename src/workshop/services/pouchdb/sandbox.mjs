// View functions are other people's code. They run in a context of their own: no host object is
// ever passed in, and only strings of JSON come out, so there is nothing to climb out by.
import vm from 'node:vm';

const LIMIT = Number(process.argv[2] ?? 1000); // milliseconds that one batch of calls may take
const KEPT = 256; // contexts kept, so that a database made anew finds its functions compiled

// Runs before the function is compiled, and keeps its own copies of what it needs.
const PRELUDE = `'use strict';
(() => {
  const { parse, stringify } = JSON;
  const text = String;
  const refuse = { value: undefined, writable: false, configurable: false, enumerable: false };
  for (const name of ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'FinalizationRegistry',
    'WeakRef', 'console']) delete globalThis[name];
  Object.defineProperty(Error, 'prepareStackTrace', refuse);
  Object.defineProperty(Error, 'stackTraceLimit', { ...refuse, value: 0 });
  Object.defineProperty(Error, 'captureStackTrace', refuse);
  Object.defineProperty(globalThis, 'Error', { ...refuse, value: Error });
  let rows;
  const fix = (name, value) => Object.defineProperty(globalThis, name, { ...refuse, value });
  fix('emit', (key, value) => { rows[rows.length] = [key, value]; });
  fix('log', () => {});
  fix('sum', (values) => { let total = 0; for (const v of values) total += v; return total; });
  fix('isArray', Array.isArray);
  fix('toJSON', (value) => stringify(value));
  fix('__map', (fn, docs) => {
    const out = [];
    for (const doc of parse(docs)) {
      rows = [];
      // Rows are made JSON at once: a key changed after it was emitted must not change its row.
      try { fn(doc); out[out.length] = stringify(rows); } catch { out[out.length] = '[]'; }
    }
    return '[' + out.join() + ']';
  });
  fix('__reduce', (fn, call) => {
    const { keys, values, rereduce } = parse(call);
    try { return stringify({ value: fn(keys, values, rereduce) ?? null }); } catch (error) {
      return stringify({ error: text(error) });
    }
  });
})();`;

const compiled = new Map();

export class SandboxError extends Error {}

function context(source) {
  let found = compiled.get(source);
  if (found) return found;
  // Dynamic import is the one expression that hands out a host object. The word cannot be
  // spelled another way in code, and code cannot be made from strings here.
  if (/\bimport\b/.test(source)) throw new SandboxError("the word 'import' is refused");
  const made = vm.createContext(Object.create(null), {
    codeGeneration: { strings: false, wasm: false },
    microtaskMode: 'afterEvaluate',
  });
  vm.runInContext(PRELUDE, made, { timeout: LIMIT });
  try { new vm.Script(`(${source}\n)`); } catch (problem) { throw new SandboxError(problem.message); }
  const kind = evaluate(made, `const __fn = (${source}\n); typeof __fn`);
  if (kind !== 'function') throw new SandboxError('the source is not a function');
  if (compiled.size >= KEPT) compiled.delete(compiled.keys().next().value);
  compiled.set(source, made);
  return made;
}

function evaluate(made, code) {
  const started = performance.now();
  let answer;
  let failed = false;
  try {
    answer = vm.runInContext(code, made, { timeout: LIMIT });
  } catch {
    failed = true; // what was thrown is never looked at: looking would run code of the view
  }
  if (!failed && typeof answer === 'string') return answer;
  throw new SandboxError(performance.now() - started >= LIMIT - 1
    ? `it did not finish in ${LIMIT} ms` : 'it failed');
}

// The documents' rows: for each document a list of [key, value].
export function map(source, docs) {
  const answer = evaluate(context(source), `__map(__fn, ${literal(docs)})`);
  return rowsOf(answer, docs.length);
}

export function reduce(source, keys, values, rereduce) {
  const call = literal({ keys, values, rereduce });
  return JSON.parse(evaluate(context(source), `__reduce(__fn, ${call})`));
}

// Throws SandboxError when the source is no function that may run.
export function check(source) {
  context(String(source));
}

function literal(value) {
  return JSON.stringify(JSON.stringify(value));
}

function rowsOf(answer, count) {
  let parsed;
  try { parsed = JSON.parse(answer); } catch { parsed = null; }
  const good = Array.isArray(parsed) && parsed.length === count
    && parsed.every((rows) => Array.isArray(rows) && rows.every((row) => Array.isArray(row)));
  if (!good) throw new SandboxError('it failed');
  return parsed;
}
