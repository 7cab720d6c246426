/** Preflight of an application's client secret: nothing is changed, every problem is named. */
import type { CheckName, RotatorCheck, Step } from '../../shared/contract/rotator.ts';
import type { Failure } from '../../shared/errors.ts';
import type { Graph, HeldKey } from './connect.ts';
import type { EntraAppTags } from './tags.ts';
import { whose } from './whose.ts';

/** Preflight. Changes nothing. */
export async function check(graph: Graph, step: Step<EntraAppTags>): Promise<readonly RotatorCheck[]> {
  const held = await graph.list(step);
  if (held.kind === 'failed') return [failed('target', held)];
  const checks: RotatorCheck[] = [
    {
      name: 'target',
      state: 'passed',
      detail: `${step.options.clientId} holds ${held.keys.length} client secrets`,
    },
  ];
  const login = await graph.logIn(step, step.current.password);
  if (login.kind === 'accepted')
    checks.push({ name: 'current credential', state: 'passed', detail: 'the published secret gets a token' });
  else
    checks.push({
      name: 'current credential',
      state: 'failed',
      detail: login.detail,
      fix: `Store a client secret that gets a token as ${step.secret}.`,
    });
  checks.push(await checkId(graph, step, held.keys));
  // Reading an application needs less than changing it; Graph has no way to ask without changing.
  checks.push({
    name: 'permissions',
    state: 'unknown',
    detail: 'whether secrets may be added shows at the first rotation',
  });
  return checks;
}

async function checkId(graph: Graph, step: Step<EntraAppTags>, held: readonly HeldKey[]): Promise<RotatorCheck> {
  const found = await whose(graph, step, step.current, held);
  switch (found.kind) {
    case 'own':
      return { name: 'key id', state: 'passed', detail: `the published secret has the key id ${found.keyId}` };
    case 'failed':
      return failed('key id', found);
    case 'gone':
      return {
        name: 'key id',
        state: 'unknown',
        detail: 'the application holds no secret with the key id of the published one',
      };
    case 'unproven': {
      const how = `remove it by hand after the first rotation, or give it a name that begins with ${step.labelPrefix}`;
      return { name: 'key id', state: 'unknown', detail: `${found.detail}: ${how}` };
    }
  }
}

function failed(name: CheckName, { message, hint }: Failure): RotatorCheck {
  return { name, state: 'failed', detail: message, fix: hint };
}
