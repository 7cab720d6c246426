/** Preflight of an application's client secret: nothing is changed, every problem is named. */
import type { Check, Step } from '../../shared/contract/rotator.ts';
import type { Failure } from '../../shared/errors.ts';
import type { Graph } from './connect.ts';
import type { EntraAppTags } from './tags.ts';

/** Preflight. Changes nothing. */
export async function check(graph: Graph, step: Step<EntraAppTags>): Promise<readonly Check[]> {
  const held = await graph.list(step);
  if (held.kind === 'failed') return [failed('application', held)];
  const checks: Check[] = [
    {
      name: 'application',
      state: 'passed',
      detail: `${step.options.clientId} holds ${held.keys.length} client secrets`,
    },
  ];
  const login = await graph.logIn(step, step.current.password);
  if (login.kind === 'accepted')
    checks.push({ name: 'current', state: 'passed', detail: 'the published secret gets a token' });
  else
    checks.push({
      name: 'current',
      state: 'failed',
      detail: login.detail,
      fix: `Store a client secret that gets a token as ${step.secret}.`,
    });
  const keyId = step.current.keyId ?? step.options.keyId;
  const known = held.keys.some((key) => key.keyId === keyId);
  checks.push({
    name: 'id',
    state: known ? 'passed' : 'unknown',
    detail: known
      ? 'the key id of the published secret is known'
      : 'the key id of the published secret is not known: set the tag "key-id", or remove it by hand after the first rotation',
  });
  // Reading an application needs less than changing it; Graph has no way to ask without changing.
  checks.push({ name: 'right', state: 'unknown', detail: 'whether secrets may be added shows at the first rotation' });
  return checks;
}

function failed(name: string, { message, hint }: Failure): Check {
  return { name, state: 'failed', detail: message, fix: hint };
}
