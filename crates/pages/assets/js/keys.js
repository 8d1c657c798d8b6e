// Keys, their limits and budgets; webhooks' secrets and what was sent.

import { call } from './api.js';
import { codeBlock, confirmed, copy, fill, h, icon, money, table, toast, tool, when } from './dom.js';

/** @typedef {{max_queued?: number | null, max_running?: number | null, submits_per_minute?: number | null, bytes_per_day?: number | null, budget_usd?: number | null}} LimitSet */
/** @typedef {{id: string, owner_id: string, name: string, role: string, created_at: string, revoked_at: string | null, last_used_at?: string | null, limits: LimitSet, owner_limits: LimitSet, spent_usd: number}} Key */

/** @type {[keyof LimitSet, string, string][]} */
const LIMITS = [
  ['budget_usd', 'Budget, USD in all', '0.01'], ['max_queued', 'Requests waiting', '1'], ['max_running', 'Requests running', '1'],
  ['submits_per_minute', 'Submits a minute', '1'], ['bytes_per_day', 'Bytes sent a day', '1'],
];

/** @param {import('./app.js').Place} place */
export async function view({ signal, me }) {
  const admin = me?.token_type === 'admin';
  const list = h('div', null);
  const hooks = h('div', { class: 'card webhooks' });
  const revoked = h('input', { type: 'checkbox', id: 'revoked', onchange: () => void keys() });

  async function keys() {
    const all = /** @type {Key[]} */ ((await call('/v1/keys', { signal })).keys);
    const shown = all.filter((k) => revoked.checked || !k.revoked_at);
    fill(list, h('ul', { class: 'cards' }, shown.map((k) => card(k, admin, keys))));
  }

  async function webhooks() {
    const [secret, sent] = await Promise.all([call('/v1/webhooks/secret', { signal }), call('/v1/webhooks/deliveries?limit=20', { signal })]);
    const hidden = h('code', { class: 'secret' }, '•'.repeat(24));
    const reveal = h('button', { type: 'button', onclick: () => { hidden.textContent = secret.secret; reveal.hidden = true; } }, 'Show');
    fill(hooks, h('h2', null, 'Webhooks'),
      h('p', { class: 'dim' }, 'A submit with ?webhook=URL posts the result there, signed with this secret (Standard Webhooks). A rotated secret signs along for a day.'),
      h('p', { class: 'actions' }, hidden, reveal, tool('copy', 'Copy the secret', () => copy(secret.secret)),
        h('button', { type: 'button', onclick: async () => { if (await confirmed('Rotate the secret?', 'Receivers have a day to learn the new one.', 'Rotate')) { await call('/v1/webhooks/secret/rotate', { method: 'POST' }); await webhooks(); } } }, icon('again'), 'Rotate'),
        secret.previous.length ? h('span', { class: 'dim' }, `${secret.previous.length} older still signing`) : null),
      h('h3', null, 'Last deliveries'),
      sent.deliveries.length ? table('Deliveries', ['State', 'Event', 'To', 'Attempts', 'When', h('span', { class: 'offscreen' }, 'Replay')],
        sent.deliveries.map((/** @type {any} */ d) => [
          [h('span', { class: `state ${d.state}` }, d.state), d.last_error && h('p', { class: 'faults' }, d.last_error)],
          d.event, h('span', { class: 'id' }, d.url), d.attempts, when(d.finished_at ?? d.next_attempt_at ?? d.created_at),
          h('button', { type: 'button', 'aria-label': `Replay ${d.id}`, onclick: async () => { await call(`/v1/webhooks/deliveries/${d.id}/replay`, { method: 'POST' }).then(() => toast('It is sent again'), (e) => toast(e.message, 'fault')); await webhooks(); } }, 'Replay')]))
        : h('p', { class: 'dim' }, 'Nothing was sent yet.'));
  }

  await Promise.all([keys(), webhooks()]);
  return {
    title: 'API keys',
    el: h('section', { class: 'stack' },
      h('div', { class: 'title' }, h('h1', null, 'API keys'), h('button', { type: 'button', class: 'main', onclick: () => create(admin, keys) }, icon('plus'), 'New key')),
      h('p', { class: 'check' }, revoked, h('label', { htmlFor: 'revoked' }, 'Show revoked keys')), list, hooks),
  };
}

/** @param {Key} k @param {boolean} admin @param {() => Promise<void>} renew */
function card(k, admin, renew) {
  const set = LIMITS.filter(([name]) => k.limits[name] !== null && k.limits[name] !== undefined);
  const budget = k.limits.budget_usd;
  return h('li', { class: `card key ${k.revoked_at ? 'revoked' : ''}` },
    h('div', { class: 'title' }, h('h2', null, k.name), h('span', { class: 'chip' }, k.revoked_at ? 'revoked' : k.role)),
    h('p', { class: 'id' }, k.id), admin && h('p', { class: 'id' }, k.owner_id),
    h('dl', null,
      h('dt', null, 'Last used'), h('dd', null, when(k.last_used_at)),
      h('dt', null, 'Created'), h('dd', null, when(k.created_at)),
      k.revoked_at && [h('dt', null, 'Revoked'), h('dd', null, when(k.revoked_at))],
      h('dt', null, 'Spent'), h('dd', null, k.spent_usd ? money(k.spent_usd) : '$0', budget ? [` of ${money(budget)} `, h('meter', { max: budget, value: k.spent_usd, 'aria-label': 'Part of the budget' })] : ''),
      set.filter(([name]) => name !== 'budget_usd').map(([name, text]) => [h('dt', null, text), h('dd', null, String(k.limits[name]))]).flat()),
    !k.revoked_at && h('p', { class: 'actions' },
      h('button', { type: 'button', 'aria-label': `Change ${k.name}`, onclick: () => change(k, renew) }, icon('edit'), 'Change'),
      h('button', { type: 'button', class: 'danger', 'aria-label': `Revoke ${k.name}`, onclick: async () => {
        if (!(await confirmed(`Revoke “${k.name}”?`, 'Its next call is refused. This cannot be undone.', 'Revoke'))) return;
        await call(`/v1/keys/${k.id}`, { method: 'DELETE' });
        await renew();
      } }, 'Revoke')));
}

/** The fields of limits. @param {LimitSet} now */
function limitFields(now) {
  return h('fieldset', { class: 'limits' }, h('legend', null, h('span', { class: 'name' }, 'Limits'), h('span', { class: 'dim' }, 'empty: none')),
    LIMITS.map(([name, text, step]) => h('label', { class: 'field' }, h('span', null, text), h('input', { name, type: 'number', min: '0', step, value: now[name] ?? '' }))));
}

/** @param {HTMLFormElement} form @returns {LimitSet} */
function limitsOf(form) {
  const data = new FormData(form);
  return Object.fromEntries(LIMITS.map(([name]) => [name, data.get(name) === '' ? null : Number(data.get(name))]));
}

/** @param {string} title @param {Node[]} fields @param {string} yes @param {(form: HTMLFormElement, dialog: HTMLDialogElement) => Promise<void>} done */
function dialogOf(title, fields, yes, done) {
  const fault = h('p', { class: 'faults', role: 'alert' });
  const form = h('form', { onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    try {
      await done(form, dialog);
    } catch (error) {
      fault.textContent = error instanceof Error ? error.message : String(error);
    }
  } }, h('h2', { id: 'dialog-title' }, title), fields, fault,
  h('p', { class: 'actions' }, h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), h('button', { class: 'main' }, yes)));
  const dialog = h('dialog', { class: 'card', 'aria-labelledby': 'dialog-title', onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** @param {boolean} admin @param {() => Promise<void>} renew */
function create(admin, renew) {
  const name = h('label', { class: 'field' }, h('span', { class: 'name' }, 'Name'), h('input', { name: 'name', required: true, maxLength: 128, placeholder: 'what it is for' }));
  const role = h('label', { class: 'field' }, h('span', { class: 'name' }, 'Role'), h('select', { name: 'role' }, h('option', { value: 'user' }, 'user'), h('option', { value: 'admin' }, 'admin: sees the system and all keys')));
  dialogOf('New key', [name, ...(admin ? [role] : []), limitFields({})], 'Create', async (form, dialog) => {
    const data = new FormData(form);
    const limits = limitsOf(form);
    const set = Object.values(limits).some((v) => v !== null);
    const made = await call('/v1/keys', { method: 'POST', body: { name: data.get('name'), ...(admin ? { role: data.get('role') } : {}), ...(set ? { limits } : {}) } });
    fill(dialog, h('form', { method: 'dialog' }, h('h2', { id: 'dialog-title' }, `The key “${made.name}”`),
      h('p', null, 'Copy it now: it is shown this once, and only its hash is kept.'), codeBlock(made.key, 'Copy the key'),
      h('p', { class: 'actions' }, h('button', { class: 'main' }, 'I have it'))));
    await renew();
  });
}

/** @param {Key} k @param {() => Promise<void>} renew */
function change(k, renew) {
  const name = h('label', { class: 'field' }, h('span', { class: 'name' }, 'Name'), h('input', { name: 'name', required: true, maxLength: 128, value: k.name }));
  dialogOf(`Change “${k.name}”`, [name, limitFields(k.limits)], 'Save', async (form, dialog) => {
    await call(`/v1/keys/${k.id}`, { method: 'PATCH', body: { name: new FormData(form).get('name'), limits: limitsOf(form) } });
    dialog.close();
    await renew();
  });
}
