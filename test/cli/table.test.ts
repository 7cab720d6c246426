import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Secret } from '../../cli/api/views.ts';
import { secretsTable } from '../../cli/commands/list.ts';
import { byUrgency } from '../../cli/selection.ts';
import { tableLines } from '../../cli/terminal/table.ts';
import { cut, plain, widthOf, wrapped } from '../../cli/terminal/text.ts';
import { lengthOf, relative } from '../../cli/terminal/time.ts';

const now = new Date('2026-03-01T12:00:00Z');

function secret(name: string, state: string, detail: string, more: Partial<Secret> = {}): Secret {
  return {
    ...{ vault: 'contoso-kv', secret: name, state, detail, enabled: true, tags: {} },
    ...{ createdAt: '2026-01-01T00:00:00Z', expiresAt: '2026-03-31T12:00:00Z', dueAt: '2026-03-03T12:00:00Z' },
    ...{ rotator: 'postgres', strategy: 'alternating-users' },
    ...more,
  };
}

const secrets = [
  secret('orders-db', 'healthy', 'due at 2026-03-03'),
  secret('billing-database-of-the-western-region', 'failing', 'the admin was refused: password authentication failed'),
  secret('reports-db', 'due', 'the next sweep or event starts its rotation', { dueAt: '2026-02-27T12:00:00Z' }),
];

describe('a table of secrets', () => {
  it.each([40, 80, 120])('is never wider than a terminal of %i columns', (columns) => {
    const lines = tableLines(secretsTable(byUrgency(secrets), now), columns, false);
    expect(lines.filter((line) => widthOf(line) > columns)).toEqual([]);
    expect(lines).toHaveLength(4);
  });

  it('of 40 columns keeps state and secret, of 80 says why, of 120 shows all', () => {
    const at = (columns: number) => tableLines(secretsTable(byUrgency(secrets), now), columns, false);
    expect(at(40)).toEqual([
      'STATE    SECRET',
      'failing  billing-database-of-the-wester…',
      'due      reports-db',
      'healthy  orders-db',
    ]);
    expect(at(80)[0]).toMatch(/^STATE +SECRET +EXPIRES +DETAIL$/);
    expect(at(80)[1]).toContain('the admin');
    expect(at(120)[0]).toMatch(/^STATE +SECRET +EXPIRES +DUE +ROTATOR +STRATEGY +DETAIL$/);
  });

  it('says what the newest rotation warned of, also of a healthy secret', () => {
    const reminders = ['The change is forgotten when redis-0 restarts: start it with an aclfile.'];
    const one = secret('orders-redis', 'healthy', 'due at 2026-03-03', { reminders });
    const two = secret('shop-redis', 'due', 'it starts soon', { reminders });
    const lines = tableLines(secretsTable([one, two], now), undefined, false);
    expect(lines[1]).toContain('The change is forgotten when redis-0 restarts');
    expect(lines[2]).toContain('it starts soon; The change is forgotten when redis-0 restarts');
  });

  it('into a pipe is neither cut nor coloured', () => {
    const lines = tableLines(secretsTable(secrets, now), undefined, false);
    expect(lines.join('\n')).toContain('the admin was refused: password authentication failed');
    expect(lines.join('\n')).toContain('billing-database-of-the-western-region');
    expect(lines.join('\n')).not.toContain('\x1b');
  });

  it('with colours takes the same room as without', () => {
    const without = tableLines(secretsTable(secrets, now), 80, false);
    const uncoloured = tableLines(secretsTable(secrets, now), 80, true).map((line) => stripVTControlCharacters(line));
    expect(uncoloured).toEqual(without);
  });

  it('names the vault only where there are several', () => {
    const two = [...secrets, secret('mail-key', 'healthy', '', { vault: 'fabrikam-kv' })];
    expect(tableLines(secretsTable(secrets, now), 120, false)[0]).not.toContain('VAULT');
    expect(tableLines(secretsTable(two, now), 120, false)[0]).toContain('VAULT');
  });
});

describe('urgency', () => {
  it('puts a failing secret before a due one, a due one before a healthy one, and an unknown state first', () => {
    const all = byUrgency([...secrets, secret('new', 'something-newer', '')]);
    expect(all.map(({ state }) => state)).toEqual(['something-newer', 'failing', 'due', 'healthy']);
  });

  it('puts what is due earlier first among equals', () => {
    const pair = [
      secret('later', 'healthy', '', { dueAt: '2026-05-01T00:00:00Z' }),
      secret('sooner', 'healthy', '', { dueAt: '2026-04-01T00:00:00Z' }),
    ];
    expect(byUrgency(pair).map(({ secret }) => secret)).toEqual(['sooner', 'later']);
  });
});

describe('text from others', () => {
  it('cannot steer the terminal', () => {
    const hostile = 'a\x1b]0;title\x07b\x1b[2Jc\r\nd\u009b31me\u202ef';
    expect(plain(hostile)).toBe('a ]0;title b [2Jc d 31mef');
    const [, line = ''] = tableLines(secretsTable([secret('x', 'due', hostile)], now), 120, false);
    expect([...line].some((character) => character < ' ')).toBe(false);
  });

  it('is cut by columns, not by characters', () => {
    expect(cut('データベース', 7)).toBe('データ…');
    expect(widthOf(cut('データベース', 7))).toBe(7);
    expect(cut('orders', 6)).toBe('orders');
  });

  it.each([
    ['👨‍👩‍👧 family', 9],
    ['🇩🇪 flag', 7],
    ['re\u0301sume\u0301', 6],
    ['✔️ done', 7],
    ['\x1b[31mred\x1b[0m', 3],
    ['データ', 6],
  ])('%j takes the columns that a terminal gives it', (text, columns) => {
    expect(widthOf(text)).toBe(columns);
  });

  it('is not cut inside a character of several code points', () => {
    expect(cut('a👨‍👩‍👧b👨‍👩‍👧', 5)).toBe('a👨‍👩‍👧b…');
    expect(cut('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301…');
  });

  it('is broken at blanks, and a long word is left whole', () => {
    expect(wrapped('run keyturn rotate orders-db now', 16, '  ')).toBe('  run keyturn\n  rotate\n  orders-db now');
    expect(wrapped('\x1b[1mDo:\x1b[0m rotate orders-db', 20, '')).toBe('\x1b[1mDo:\x1b[0m rotate orders-db');
    expect(wrapped('https://example.com/a/long/address', 10, '')).toBe('https://example.com/a/long/address');
    expect(wrapped('データ ベース データ', 8, ' ')).toBe(' データ\n ベース\n データ');
    expect(wrapped('narrower than its indent', 4, '      ')).toMatch(/^ {6}narrower\n {6}than\n/);
  });
});

describe('times', () => {
  it.each([
    [1, '1 s'],
    [90, '90 s'],
    [600, '10 min'],
    [7_100, '2 h'],
    [86_400, '24 h'],
    [172_790, '2 d'],
    [7_775_999, '90 d'],
  ])('%i s are %s', (seconds, text) => {
    expect(lengthOf(seconds)).toBe(text);
  });

  it('say whether they are past', () => {
    expect(relative('2026-03-04T12:00:00Z', now)).toBe('in 3 d');
    expect(relative('2026-03-01T11:50:00Z', now)).toBe('10 min ago');
    expect(relative(undefined, now)).toBe('');
  });
});
