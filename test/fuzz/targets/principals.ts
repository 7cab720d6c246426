/** The header with which App Service names a caller. */
import fc from 'fast-check';
import { callerByPrincipal } from '../../../shared/api/auth/principal.ts';
import { roles } from '../../../shared/contract/access.ts';
import { hostile, spoiled } from '../inputs.ts';
import { canary, holdsNoSecret, must, target } from '../target.ts';

const tenant = '11111111-2222-3333-4444-555555555555';
const oid = 'aaaaaaaa-0000-0000-0000-000000000001';
const claims = [
  { typ: 'tid', val: tenant },
  { typ: 'oid', val: oid },
  { typ: 'name', val: 'Ann' },
  { typ: 'roles', val: 'Keyturn.Operator' },
  { typ: 'groups', val: oid },
  { typ: 'nonce', val: canary },
];
const right = { auth_typ: 'aad', name_typ: 'name', role_typ: 'roles', claims };
const scopes = new Map([[oid, [{ role: 'operator' as const, scope: { vaults: '*', secrets: 'orders-*' } }]]]);

const encoded = spoiled(right, { ...right, claims: claims.slice(1) }).map((one) =>
  Buffer.from(JSON.stringify(one)).toString('base64'),
);

export const principals = target('principals', 5, fc.oneof({ weight: 9, arbitrary: encoded }, hostile), (header) => {
  const outcome = callerByPrincipal(header, tenant, { consumers: new Map(), scopes });
  holdsNoSecret('what is said of the caller', outcome);
  if (outcome.kind === 'refused') return must(outcome.detail.length < 500, 'a refusal is bounded');
  const said = Buffer.from(header, 'base64').toString('utf8').toLowerCase();
  must(said.includes(tenant) && said.includes('"aad"'), 'a caller is of the tenant, by Entra');
  must(
    outcome.grants.every(({ role }) => roles.includes(role)),
    'a caller has known roles',
  );
  must(/^entra:/.test(outcome.id) && !/\p{Cc}/u.test(outcome.name), 'a name does not break a line');
  must(outcome.name.length <= 300 && outcome.id.length <= 300, `a name is bounded: ${outcome.id.length}`);
});
