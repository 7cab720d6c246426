/** Tags of a secret: the policy of every rotator, the stamp, what was asked, and how the sweep judges them. */
import fc from 'fast-check';
import { rotators } from '../../../rotators/registry.ts';
import { policyBounds } from '../../../shared/config/duration.ts';
import type { SecretProperties, Tags } from '../../../shared/contract/ports.ts';
import { strategies } from '../../../shared/contract/strategy.ts';
import { type Policy, parsePolicy, tagsRead } from '../../../shared/engine/policy/policy.ts';
import { readRequested, requestedTag, withRequested } from '../../../shared/engine/policy/requested.ts';
import { readStamp, revokedOf, stampTag, withRevoked, withStamp } from '../../../shared/engine/policy/stamp.ts';
import { judge } from '../../../shared/engine/sweep/judge.ts';
import { dayMs } from '../../engine/world.ts';
import { hostile } from '../inputs.ts';
import { must, target } from '../target.ts';

const byName = new Map(rotators.map((entry) => [entry.name, entry]));
const defaults = { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: dayMs };
const id = 'b'.repeat(32);
const from = 'a'.repeat(32);
const when = '2026-01-01T00:00:00Z';

const durations = ['PT1S', 'PT1M', 'P1D', 'P30D', '45', 'P3650D', 'P36525D', 'P0D', 'PT0S', 'P1M', '-1', '99999'];
const fitting: Readonly<Record<string, readonly string[]>> = {
  rotator: [...byName.keys()],
  strategy: strategies,
  admin: ['orders-admin', 'managed-identity'],
  users: ['app, app_alt', 'app'],
  'valid-for': durations,
  'rotate-before': durations,
  overlap: durations,
  window: ['Sat 01:00-05:00 Europe/Berlin', 'Mon-Fri 22:00-02:00', '00:00-24:00 UTC'],
  consumers: ['shop, billing'],
  format: ['json', 'raw', 'uri'],
  field: ['/password'],
  password: ['length=32;require=upper,lower;exclude=@/'],
  provider: ['sendgrid', 'twilio/AC1', 'cloudflare'],
  [stampTag]: [
    `id=${id};from=${from}`,
    `id=${id};also=${id};from=${from};retire-by=${when};retired=yes;revoke=key%3Aci;revoked=${when},ci;key=k%20;slot=1`,
    `revoked=${when},jane`,
  ],
  [requestedTag]: [`emergency=${id},${when},jane;paused=${when},jane,${when}`, `paused=${when},jane`],
  'pending-of': ['orders-db'],
};

const names = [...new Set([...Object.keys(fitting), ...rotators.flatMap((entry) => tagsRead(entry) ?? [])])];

const one = (name: string): fc.Arbitrary<string> => {
  const right = fc.constantFrom(...(fitting[name] ?? ['x']));
  const spoiled = fc
    .tuple(right, hostile, fc.nat(60))
    .map(([text, more, at]) => text.slice(0, at) + more + text.slice(at));
  return fc.oneof(
    { weight: 5, arbitrary: right },
    { weight: 1, arbitrary: spoiled },
    { weight: 1, arbitrary: hostile },
  );
};

const known = fc.record(Object.fromEntries(names.map((name) => [name, one(name)])), { requiredKeys: [] });
const some = fc.tuple(known, fc.subarray(names), fc.dictionary(hostile, hostile, { maxKeys: 2 }), one('rotator'));

/** Any subset of the known tags, more often with a rotator than without, and a few of somebody else. A vault holds 256 characters of each. */
const inputs = some.map(([all, kept, others, rotator]): Tags => {
  const entries = [['rotator', rotator] as const, ...Object.entries(all).filter(([name]) => kept.includes(name))];
  return Object.fromEntries(
    [...entries, ...Object.entries(others)].map(([name, text]) => [name, (text ?? '').slice(0, 256)]),
  );
});

export const tags = target('tags', 10, inputs, (given) => {
  const outcome = parsePolicy(given, defaults, byName);
  if (outcome.kind === 'policy') mustBeBounded(outcome.policy);
  if (outcome.kind === 'invalid') {
    must(outcome.problems.length > 0, 'tags that are refused have a problem');
    for (const { tag, detail } of outcome.problems)
      must(tag.length <= 256 && detail.length < 1_000, `a problem is bounded: ${detail.slice(0, 200)}`);
  }
  keepsStamp(given);
  const asked = readRequested(given);
  must(same(readRequested(withRequested(given, asked)), asked), 'what was asked reads back as it was written');
  const updatedAt = new Date(when);
  for (const name of ['orders-db', 'keyturn-pending-orders-db']) {
    const properties: SecretProperties = { name, enabled: true, createdAt: updatedAt, updatedAt, tags: given };
    judge({ rotators: byName, defaults }, properties, updatedAt);
  }
});

function mustBeBounded({ validForMs, rotateBeforeMs, overlapMs, consumers, notify = [] }: Policy): void {
  const { shortestMs, longestMs } = policyBounds.validFor;
  must(validForMs >= shortestMs && validForMs <= longestMs, 'a lifetime has the bounds of the settings');
  must(rotateBeforeMs > 0 && rotateBeforeMs <= validForMs / 3, 'the lead time is a third at most');
  must(overlapMs >= 0 && overlapMs < validForMs - rotateBeforeMs, 'the overlap ends before the next rotation');
  must(
    [...consumers, ...notify].every((name) => /^[\w.@-]{1,64}$/.test(name)),
    'names are names',
  );
}

function keepsStamp(given: Tags): void {
  const stamp = readStamp(given);
  const revoked = revokedOf(given);
  if (stamp !== undefined) {
    const again = readStamp(withStamp(given, stamp));
    must(again?.rotationId === stamp.rotationId && again.from === stamp.from, 'a stamp reads back as it was written');
    must(again?.keyId === stamp.keyId && again?.slot === stamp.slot, 'a stamp keeps the key and the slot');
    must((again?.revoked === undefined) === (stamp.revoked === undefined), 'a stamp keeps the mark of a revocation');
  }
  if (revoked !== undefined) must(revokedOf(withRevoked(given, revoked)) !== undefined, 'a mark of a revocation stays');
}

function same(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
