/** A vault keeps 15 tags for each secret: whoever owns it needs some for themselves, however much of Keyturn it uses. */
import { expect, it } from 'vitest';
import * as z from 'zod';
import { rotators } from '../../rotators/registry.ts';
import type { Tags } from '../../shared/contract/ports.ts';
import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { strategyTraits } from '../../shared/contract/strategy.ts';
import { parsePolicy, tagsRead } from '../../shared/engine/policy/policy.ts';
import { withRequested } from '../../shared/engine/policy/requested.ts';
import { longestTag, mostTags, withStamp } from '../../shared/engine/policy/stamp.ts';

const leftToOwner = 3;
const id = '0123456789abcdef0123456789abcdef';
const at = new Date('2026-03-01T02:14:07Z');
const dayMs = 86_400_000;

/** Every tag that a policy takes, as long as somebody might write it. */
const every: Tags = {
  strategy: '',
  also: 'eu-vault/orders-db',
  admin: 'orders-database-rotation-admin',
  users: 'orders_application_login_a, orders_application_login_b',
  'valid-for': 'P90D',
  'rotate-before': 'P30D',
  overlap: 'P2DT12H',
  window: 'Mon-Fri 01:00-05:00; Sat,Sun 00:00-24:00 America/Argentina/Buenos_Aires',
  consumers: 'shop-web, shop-worker, billing-api, billing-reports, warehouse-sync',
  notify: 'events, shop-hook, billing-hook, oncall-teams, shop-site',
  announce: 'P7D',
  rehearse: 'P30D',
  'on-foreign-version': 'repair',
  format: 'json;field=/connections/orders/password;length=32;require=upper,lower,digit,special;exclude=@/',
  field: '/connections/orders/password',
  password: 'length=32',
};

/** Short ones that say how long and when, together in one tag. */
const packed: readonly string[] = [
  'strategy',
  'valid-for',
  'rotate-before',
  'overlap',
  'window',
  'announce',
  'rehearse',
  'also',
  'on-foreign-version',
];

/** What these say fits behind the tag "format", for a secret that needs its tags for other things. */
const folded: readonly string[] = ['field', 'password'];

/** The tags a rotator reads for itself, from the schema it registers. */
function ownTags(options: z.ZodType): readonly string[] {
  const read = options instanceof z.ZodPipe ? options.in : options;
  if (!(read instanceof z.ZodObject)) throw new Error('a schema of tags is an object, or one that is transformed');
  return Object.keys(read.shape);
}

/** A version of a secret with every feature on: published in an emergency for two requests, asked for in another, and paused. */
function tagsOf({ name, strategies, options }: RotatorEntry): Tags {
  const strategy = strategies.at(-1);
  const isChosen = strategy !== undefined && strategyTraits[strategy].chosen;
  // A key that the target makes has no rules of ours.
  const format = isChosen ? every['format'] : every['format']?.replace(/;length=.*/, '');
  const known: Tags = { ...every, strategy: strategy ?? '', format: format ?? '' };
  const policy = packed.map((tag) => `${tag}=${known[tag]}`).join('; ');
  const alone = Object.entries(known).filter(([tag]) => !packed.includes(tag) && !folded.includes(tag));
  const own = ownTags(options).map((tag): [string, string] => [tag, 'of the rotator']);
  const written = Object.fromEntries([['rotator', name], ['policy', policy], ...alone, ...own]);
  const revocation = { by: `entra:${id}`, at };
  const stamp = {
    rotationId: id,
    also: id,
    from: id,
    copiesDue: true,
    retireBy: at,
    retired: true,
    revoke: `entra:${id}`,
  };
  return withStamp(withRequested(written, { emergency: { rotationId: id, ...revocation }, paused: revocation }), stamp);
}

it('every tag that a policy takes is written in this test', () => {
  const entry = { ...rotators[0], name: 'x', strategies: ['self-issued'], options: z.object({}) } as const;
  const aliases = ['ValidityPeriodDays', 'ProviderAddress', 'CredentialId'];
  const taken = tagsRead({ ...entry, load: () => Promise.reject(new Error('not loaded')) }) ?? [];
  const others = new Set(['rotator', 'policy', ...aliases]);
  expect(taken.filter((tag) => !others.has(tag)).sort()).toEqual(Object.keys(every).sort());
});

it.each(rotators.map((entry) => [entry.name, entry] as const))(
  'a secret of %s with every feature on leaves 3 of its 15 tags to its owner',
  (_name, entry) => {
    const tags = tagsOf(entry);
    const names = Object.keys(tags);
    expect(names).toEqual(expect.arrayContaining(['rotator', 'policy', 'admin', 'notify', 'rotation', 'requested']));
    expect(mostTags - names.length, names.join(', ')).toBeGreaterThanOrEqual(leftToOwner);
    const tooLong = Object.entries(tags).filter(([, text]) => text.length > longestTag);
    expect(tooLong).toEqual([]);
    const defaults = { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: dayMs };
    // Its own tags are nonsense here; what the policy says is read.
    const plain = { ...entry, options: z.object({}) };
    const outcome = parsePolicy(tags, defaults, new Map([[entry.name, plain]]));
    expect(outcome).toMatchObject({ kind: 'policy', policy: { announceMs: 7 * dayMs, overlapMs: 2.5 * dayMs } });
  },
);
