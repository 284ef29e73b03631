// What a request is refused with: a status, and the name and reason that CouchDB gives.

export class Refused extends Error {
  constructor(status, error, reason) {
    super(reason);
    Object.assign(this, { status, error });
  }
}

export const missing = (reason = 'missing') => new Refused(404, 'not_found', reason);
export const conflict = () => new Refused(409, 'conflict', 'Document update conflict.');
export const bad = (reason, error = 'bad_request') => new Refused(400, error, reason);
