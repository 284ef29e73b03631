// Memory that outlasts the server: every change is in a file, and on the disk, before it is seen.
// A line is a batch, all of it or none: one that was cut short is no JSON, and is passed over.
import fs from 'node:fs';
import memdown from 'memdown';

const packed = (value) => (Buffer.isBuffer(value) ? { base64: value.toString('base64') } : String(value ?? ''));
const unpacked = (value) => (typeof value === 'string' ? value : Buffer.from(value.base64, 'base64'));

class Journal extends memdown {
  constructor(file) {
    super(file);
    Object.assign(this, { file, waiting: [], writing: false });
  }

  _open(options, callback) {
    try {
      // "s": a write returns when it is on the disk. Under Node's permissions there is no fsync.
      this.handle = fs.openSync(this.file, 'as+', 0o600);
      const text = fs.readFileSync(this.file, 'utf8');
      if (text && !text.endsWith('\n')) fs.writeSync(this.handle, '\n');
      for (const line of text.split('\n')) {
        let batch = [];
        try { batch = JSON.parse(line || '[]'); } catch { continue; }
        this.apply(batch);
      }
    } catch (problem) { setImmediate(callback, problem); return; }
    super._open(options, callback);
  }

  apply(batch, callback = () => {}) {
    const changes = batch.map(([type, key, value]) => ({ type, key: unpacked(key), ...(type === 'put' && { value: unpacked(value) }) }));
    super._batch(changes, {}, callback);
  }

  _batch(changes, options, callback) {
    const batch = changes.filter(Boolean).map(({ type, key, value }) => [type, packed(key), ...(type === 'put' ? [packed(value)] : [])]);
    this.waiting.push({ batch, callback });
    this.write();
  }

  _put(key, value, options, callback) { this._batch([{ type: 'put', key, value }], options, callback); }

  _del(key, options, callback) { this._batch([{ type: 'del', key }], options, callback); }

  // What came while the disk was busy is written together, with one wait for the disk.
  write() {
    if (this.writing || !this.waiting.length) return;
    this.writing = true;
    const group = this.waiting.splice(0);
    const text = group.map(({ batch }) => `${JSON.stringify(batch)}\n`).join('');
    const done = (problem) => {
      if (problem) process.exit(1); // half a line may be there: only opening it again can tell
      for (const { batch, callback } of group) this.apply(batch, callback);
      this.writing = false;
      this.write();
    };
    fs.appendFile(this.handle, text, done);
  }

  _close(callback) { fs.close(this.handle, () => callback()); }
}

export default function journal(file) { return new Journal(file); }
journal.destroy = (file, callback) => memdown.destroy(file, () => fs.unlink(file, () => callback()));
