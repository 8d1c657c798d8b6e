// What the form of a model holds, for as long as the tab lives.

/** @typedef {import('./api.js').Model} Model */

const name = (/** @type {string} */ id) => `reshoot-draft ${id}`;

/** @param {string} id @returns {any} */
export function draft(id) {
  try {
    return JSON.parse(sessionStorage.getItem(name(id)) ?? '{}');
  } catch {
    return {};
  }
}

/** @param {string} id @param {any} body */
export function keepDraft(id, body) {
  try {
    sessionStorage.setItem(name(id), JSON.stringify(body));
  } catch {
    // A body with data: URIs may be larger than the storage; it is then lost with a reload.
  }
}
