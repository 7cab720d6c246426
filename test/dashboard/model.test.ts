/** What the dashboard decides before it draws anything. */
import { describe, expect, it, test } from 'vitest';
import { calendarOf } from '../../dashboard/model/calendar.ts';
import { filtered, filtersOf, indexed, noFilters, queryOf } from '../../dashboard/model/filters.ts';
import { addressOf, placeOf } from '../../dashboard/model/place.ts';
import { rowsInView } from '../../dashboard/model/rows-in-view.ts';
import type { Attempt, Row } from '../../dashboard/model/shapes.ts';
import { relative, sentence } from '../../dashboard/model/time.ts';
import { timelineOf } from '../../dashboard/model/timeline.ts';
import { byUrgency, needsPerson } from '../../dashboard/model/urgency.ts';

const day = (number: number) => `2026-03-${String(number).padStart(2, '0')}T12:00:00.000Z`;

function row(change: Partial<Row>): Row {
  return {
    ...{ vault: 'prod', secret: 'orders-db', state: 'healthy', detail: 'all is well', expired: false, enabled: true },
    ...{ createdAt: day(1), tags: {}, rotator: 'postgres', ...change },
  };
}

describe('the order of the list', () => {
  it('puts what needs a person first, and of two alike the one that waits longer or comes sooner', () => {
    const rows = [
      row({ secret: 'later', dueAt: day(20) }),
      row({ secret: 'sooner', dueAt: day(10) }),
      row({ secret: 'new-failure', state: 'failing', since: day(9) }),
      row({ secret: 'old-failure', state: 'failing', since: day(2) }),
      row({ secret: 'gone', state: 'drifted', since: day(9) }),
    ];
    const order = rows.sort(byUrgency).map(({ secret }) => secret);
    expect(order).toEqual(['gone', 'old-failure', 'new-failure', 'sooner', 'later']);
  });

  it('puts a pause after failures before one that somebody wanted, and says of it alone that it needs a person', () => {
    const wanted = row({ secret: 'wanted', state: 'paused', since: day(1), pausedBy: 'ann' });
    const stuck = row({ secret: 'stuck', state: 'paused', since: day(2) });
    const tried = row({ secret: 'tried', state: 'paused', since: day(3), nextTryAt: day(9) });
    expect([wanted, tried, stuck].sort(byUrgency)).toEqual([stuck, tried, wanted]);
    expect([wanted, tried, stuck].filter(needsPerson)).toEqual([stuck]);
  });
});

describe('filters', () => {
  const all = [
    row({ secret: 'orders-db', tags: { team: 'shop' }, waitsFor: ['billing-app'] }),
    row({ secret: 'reports-db', vault: 'eu', rotator: 'redis', state: 'failing' }),
    row({ secret: 'left-alone', state: 'unmanaged' }),
  ].map(indexed);
  const names = (search: string) => filtered(all, filtersOf(search)).shown.map(({ secret }) => secret);

  it.each([
    ['', ['orders-db', 'reports-db']],
    ['?state=unmanaged', ['left-alone']],
    ['?state=failing&state=healthy', ['orders-db', 'reports-db']],
    ['?vault=eu', ['reports-db']],
    ['?rotator=postgres', ['orders-db']],
    ['?tag=team', ['orders-db']],
    ['?tag=team%3Dshop', ['orders-db']],
    ['?tag=team%3Dother', []],
    ['?q=BILLING', ['orders-db']],
    ['?q=db+eu', ['reports-db']],
    ['?tag=constructor', []],
    ['?state=no-such-state', ['orders-db', 'reports-db']],
  ])('%s shows %j', (search, shown) => {
    expect(names(search)).toEqual(shown);
  });

  it('stand in the address and come back from it', () => {
    const filters = {
      text: 'a b & c',
      vault: 'eu',
      rotator: 'redis',
      tag: 'x=y=z',
      states: ['failing', 'due'] as const,
    };
    expect(filtersOf(queryOf(filters))).toEqual(filters);
    expect(queryOf(noFilters)).toBe('');
  });

  it('count each state of what the other filters leave', () => {
    const { counts } = filtered(all, filtersOf('?rotator=postgres&state=failing'));
    expect(Object.fromEntries(counts)).toEqual({ healthy: 1, unmanaged: 1 });
  });
});

test.each([
  ['/secrets/prod/orders-db', { page: 'secret', vault: 'prod', secret: 'orders-db' }],
  ['/secrets/prod/%3Cscript%3E', { page: 'secret', vault: 'prod', secret: '<script>' }],
  ['/approvals/abc', { page: 'approvals', id: 'abc' }],
  ['/fleet', { page: 'fleet' }],
])('the address %s leads to its page and the page back to it', (address, place) => {
  expect(placeOf(address, '')).toEqual(place);
  expect(addressOf(placeOf(address, ''))).toBe(address);
});

test('an address that is not UTF-8 stands for itself', () => {
  expect(placeOf('/secrets/prod/%E0%A4%A', '')).toEqual({ page: 'secret', vault: 'prod', secret: '%E0%A4%A' });
});

test.each([
  [day(2), day(1), 'in 24 h'],
  [day(1), day(4), '3 d ago'],
  [day(1), day(1), 'just now'],
])('%s seen at %s is %j', (at, now, said) => {
  expect(relative(at, Date.parse(now))).toBe(said);
});

test('a sentence of the API begins with a capital and says its times as people write them', () => {
  expect(sentence('due at 2026-03-01T02:14:05.000Z; waits')).toBe('Due at 2026-03-01 02:14 UTC; waits');
});

describe('the calendar', () => {
  const now = Date.parse(day(5));
  const entries = (...rows: Row[]) =>
    calendarOf(rows, now, 90).flatMap(({ date, entries: all }) => all.map(({ what, by }) => `${date} ${what} ${by}`));

  it('says what rotates, what a person has to replace, and what expires with nobody to renew it', () => {
    expect(
      entries(
        row({ dueAt: day(9), expiresAt: day(20) }),
        row({ secret: 'b', manual: true, owner: 'ann', dueAt: day(8) }),
        row({ secret: 'c', rotator: undefined, state: 'unmanaged', expiresAt: day(7) }),
        row({ secret: 'd', rotator: undefined, contentType: 'application/x-pkcs12', expiresAt: day(6) }),
      ),
    ).toEqual([
      '2026-03-06 expires by the policy of its certificate, if that says so',
      '2026-03-07 expires nobody',
      '2026-03-08 to replace by hand ann',
      '2026-03-09 rotates Keyturn',
    ]);
  });

  it('puts what is overdue under today, and leaves out what comes later than its days', () => {
    expect(entries(row({ dueAt: day(1) }), row({ secret: 'z', dueAt: '2026-09-01T00:00:00.000Z' }))).toEqual([
      '2026-03-05 rotates Keyturn',
    ]);
  });
});

test('a timeline tells of attempts, of versions that no attempt speaks of, and of acknowledgements, the newest first', () => {
  const attempt: Attempt = {
    ...{ rotationId: 'r', activity: 'rotation', outcome: 'rotated', reason: 'due', requestedBy: 'the sweep' },
    ...{ startedAt: day(3), to: 'v2', steps: [] },
  };
  const version = (name: string, at: string) => ({ version: name, current: false, enabled: true, createdAt: at });
  const moments = timelineOf(
    {
      versions: [version('v2', day(3)), version('v1', day(1))],
      acknowledgements: {
        ...{ version: 'v2', missing: [], complete: true },
        acknowledged: [{ consumer: 'shop', at: day(4), afterSeconds: 60 }],
      },
    },
    [attempt],
  );
  expect(moments.map(({ kind }) => kind)).toEqual(['acknowledged', 'attempt', 'version']);
});

test.each([
  [10_000, 0, { first: 0, end: 27 }],
  [10_000, 60 * 5_000, { first: 4_990, end: 5_027 }],
  [10_000, 60 * 9_999, { first: 9_989, end: 10_000 }],
  [3, 0, { first: 0, end: 3 }],
  [0, 0, { first: 0, end: 0 }],
  [5, 60 * 900, { first: 5, end: 5 }],
])('of %i rows scrolled by %i pixels only those in view are drawn', (count, top, drawn) => {
  expect(rowsInView(count, 60, top, 1_000, 10)).toEqual(drawn);
});
