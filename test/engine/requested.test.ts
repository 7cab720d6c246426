/** What was asked of a secret, as the tag `requested` holds it. */
import { expect, test } from 'vitest';
import { type Requested, readRequested, requestedTag, withRequested } from '../../shared/engine/policy/requested.ts';
import { longestTag } from '../../shared/engine/policy/stamp.ts';

const at = new Date('2026-01-01T00:00:00Z');
const by = 'entra:00000000-0000-0000-0000-000000000000';
const emergency = { rotationId: 'e'.repeat(32), by, at };
const earlier = { rotationId: 'f'.repeat(32), by, at, version: 'A'.repeat(32) };
const paused = { by, at, until: new Date('2026-02-01T00:00:00Z') };

test.each<[string, Requested]>([
  ['nothing', {}],
  ['an emergency', { emergency }],
  ['an emergency about an earlier version', { earlier }],
  ['one whose asker is not known', { earlier: { ...earlier, by: '' } }],
  ['both emergencies', { emergency: { ...emergency, by: 'ann' }, earlier: { ...earlier, by: 'bob' } }],
  ['an earlier emergency and a pause', { earlier, paused }],
])('%s is read as it was written', (_name, requested) => {
  expect(readRequested(withRequested({ team: 'orders' }, requested))).toEqual(requested);
});

test('where all of it finds no room, the names of people go and everything else stays', () => {
  const tags = withRequested({}, { emergency, earlier, paused });
  expect(tags[requestedTag]?.length).toBeLessThanOrEqual(longestTag);
  const read = readRequested(tags);
  expect(read.emergency).toEqual({ ...emergency, by: '' });
  expect(read.earlier).toEqual({ ...earlier, by: '' });
  expect(read.paused).toEqual({ ...paused, by: '' });
});

test.each(['', 'x', 'f,2026-01-01T00:00:00Z,ann', `${'f'.repeat(32)},2026-01-01T00:00:00Z,ann,version`, ',,,'])(
  'an earlier emergency that somebody edited into "%s" counts as none',
  (text) => {
    expect(readRequested({ [requestedTag]: `earlier=${text}` })).toEqual({});
  },
);
