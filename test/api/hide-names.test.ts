/** A message that names secrets of others names those alone that the caller may see. */
import { expect, test } from 'vitest';
import { type Caller, may } from '../../shared/api/caller.ts';
import { withoutHidden } from '../../shared/api/hide-names.ts';
import { failure } from '../../shared/errors.ts';

const bounded: Caller = {
  kind: 'caller',
  id: 'key:ci',
  name: 'ci',
  how: 'key',
  person: false,
  grants: [{ role: 'operator', scope: { vaults: 'prod-kv', secrets: 'orders-*' } }],
  consumers: [],
};
const sees = (place: { vault: string; secret: string }) => may(bounded, 'reader', place);
const shared = (others: string) => failure('login-shared', { secret: 'orders-db', login: 'app', others }).message;

test.each([
  ['prod-kv/orders-copy', 'prod-kv/orders-copy'],
  ['prod-kv/billing-db', '1 secret that your role does not reach'],
  ['prod-kv/billing-db, prod-kv/orders-copy', 'prod-kv/orders-copy, 1 secret that your role does not reach'],
  ['test-kv/orders-copy, prod-kv/billing-db', '2 secrets that your role does not reach'],
])('a login that %s publishes too', (others, named) => {
  const body = { checks: [{ detail: shared(others) }], trouble: { rotation: { last: { message: shared(others) } } } };
  const [check, last] = [{ detail: shared(named) }, { message: shared(named) }];
  expect(withoutHidden(body, sees)).toEqual({ checks: [check], trouble: { rotation: { last } } });
});

test('other text, sessions and values that are no text stay as they are', () => {
  const body = { a: 'prod-kv/billing-db', b: shared('2 open sessions (psql)'), c: [1, null, true], d: null };
  expect(withoutHidden(body, sees)).toEqual(body);
});
