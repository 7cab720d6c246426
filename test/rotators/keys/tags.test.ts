/** The tags of the rotators of keys: which one is wrong is named, and nothing smuggles an address. */
import { describe, expect, it } from 'vitest';
import { azureKeysTags } from '../../../rotators/azure-keys/tags.ts';
import { rotators } from '../../../rotators/registry.ts';
import { parsePolicy } from '../../../shared/engine/policy/policy.ts';
import { dayMs } from '../../engine/world.ts';

const registry = new Map(rotators.map((entry) => [entry.name, entry]));
const defaults = { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: dayMs };

it.each([
  [{ rotator: 'http-keys' }, 'provider'],
  [{ rotator: 'http-keys', provider: 'Send Grid' }, 'provider'],
  [{ rotator: 'http-keys', provider: 'sendgrid/a//b' }, 'provider'],
  [{ rotator: 'self-issued', form: 'length=12' }, 'form'],
  [{ rotator: 'self-issued', form: 'length=long' }, 'form'],
  [{ rotator: 'self-issued', form: 'encoding=base32' }, 'form'],
  [{ rotator: 'self-issued', form: 'encoding=hex alphabet=abc' }, 'form'],
  [{ rotator: 'self-issued', form: 'alphabet=aab' }, 'form'],
  [{ rotator: 'self-issued', form: 'prefix=two words' }, 'form'],
  [{ rotator: 'self-issued', form: 'length=40 length=50' }, 'form'],
  [{ rotator: 'self-issued', form: 'size=40' }, 'form'],
  [{ rotator: 'azure-keys' }, 'resource'],
  [{ rotator: 'azure-keys', resource: '/subscriptions/x' }, 'resource'],
  [{ rotator: 'entra-app' }, 'resource'],
  [{ rotator: 'entra-app', resource: 'not a guid' }, 'resource'],
])('%o are named by the tag that is wrong', (tags, tag) => {
  const result = registry.get(tags.rotator)?.options.safeParse(tags);
  expect(result?.success).toBe(false);
  expect(result?.error?.issues.map((issue) => issue.path[0])).toEqual([tag]);
  for (const issue of result?.error?.issues ?? []) expect(issue.message).toMatch(/^(add|choose|write|name|remove) /);
});

const group = '/subscriptions/01234567-89ab-cdef-0123-456789abcdef/resourceGroups/g/providers';
it.each([
  `${group}/Microsoft.Storage/storageAccounts/a/listKeys`,
  `${group}/Microsoft.Storage/storageAccounts/..`,
  `${group}/Microsoft.Storage/storageAccounts/a?x=`,
  `${group}/Microsoft.Storage/storageAccounts/a%2f..%2fb`,
  `${group}/Microsoft.Compute/virtualMachines/a`,
  `https://elsewhere.test${group}/Microsoft.Storage/storageAccounts/a`,
])('the resource %s is refused', (resource) => {
  expect(azureKeysTags.safeParse({ resource }).success).toBe(false);
});

describe.each([
  [{ rotator: 'azure-keys', resource: `${group}/Microsoft.Storage/storageAccounts/a` }, 'dual-key'],
  [
    { rotator: 'entra-app', resource: `${'01234567-89ab-cdef-0123-456789abcdef/'.repeat(2).slice(0, -1)}` },
    'issue-revoke',
  ],
  [{ rotator: 'http-keys', provider: 'sendgrid' }, 'issue-revoke'],
  [{ rotator: 'self-issued' }, 'self-issued'],
])('%o', (tags, strategy) => {
  it('gives the one strategy where none is asked for', () => {
    expect(parsePolicy(tags, defaults, registry)).toMatchObject({ kind: 'policy', policy: { strategy } });
  });

  it('with another strategy is refused by a sentence that names both', () => {
    const detail = expect.stringMatching(`${tags.rotator} cannot do single-user.*${strategy}`);
    const problems = [{ tag: 'strategy', detail }];
    expect(parsePolicy({ ...tags, strategy: 'single-user' }, defaults, registry)).toEqual({
      kind: 'invalid',
      problems,
    });
  });
});

it('the name of the rotator that held four of them is refused, and the four are named', () => {
  const outcome = parsePolicy({ rotator: 'api-key', provider: 'azure' }, defaults, registry);
  const detail = expect.stringMatching(/"api-key" is no rotator.*azure-keys, entra-app, http-keys.*self-issued/);
  expect(outcome).toEqual({ kind: 'invalid', problems: [{ tag: 'rotator', detail }] });
});
