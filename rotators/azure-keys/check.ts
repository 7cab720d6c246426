/** Preflight of an Azure key: nothing is changed, every problem is named. */
import * as z from 'zod';
import type { CheckName, RotatorCheck, Step } from '../../shared/contract/rotator.ts';
import type { Failure } from '../../shared/errors.ts';
import type { Azure } from './connect.ts';
import { listKeys, permissionFor, slotOf } from './keys.ts';
import { readResource, switchedOff } from './properties.ts';
import type { AzureKeysTags } from './tags.ts';

const permissionsShape = z.object({
  value: z.array(z.looseObject({ actions: z.array(z.string()), notActions: z.array(z.string()).default([]) })),
});

/** Preflight. Changes nothing. */
export async function check(azure: Azure, step: Step<AzureKeysTags>): Promise<readonly RotatorCheck[]> {
  const view = await readResource(azure.arm, step);
  if (view.kind === 'failed') return [failed('target', view)];
  const checks: RotatorCheck[] = [
    { name: 'target', state: 'passed', detail: `${step.options.type} ${step.options.name}` },
  ];
  const off = switchedOff(step, view);
  checks.push(
    off === undefined ? { name: 'keys', state: 'passed', detail: 'keys are switched on' } : failed('keys', off),
  );
  checks.push(await checkSlot(azure, step));
  checks.push(await checkRight(azure, step));
  return checks;
}

async function checkSlot(azure: Azure, step: Step<AzureKeysTags>): Promise<RotatorCheck> {
  const listing = await listKeys(azure.arm, step);
  if (listing.kind === 'failed') return failed('slot', listing);
  const published = slotOf(listing.keys, step.current);
  if (published !== undefined) {
    return { name: 'slot', state: 'passed', detail: `the published key is in slot ${published.slot}` };
  }
  const slots = listing.keys.map((key) => key.slot).join(', ');
  return {
    name: 'slot',
    state: 'failed',
    detail: `the published key is in none, or in several, of the slots ${slots}`,
    fix: `Store one of the keys of ${step.options.name} as the value of ${step.secret}.`,
  };
}

// Regenerating cannot be tried without doing it. Resource Manager tells the caller's effective actions; where it does not, the
// answer is "unknown" and the proof is the first rotation.
async function checkRight(azure: Azure, step: Step<AzureKeysTags>): Promise<RotatorCheck> {
  const { resource, row } = step.options;
  const wanted = permissionFor(step.options, row.slots[0]?.action ?? '');
  const outcome = await azure.arm.send(step, {
    method: 'GET',
    path: `${resource}/providers/Microsoft.Authorization/permissions`,
    apiVersion: '2022-04-01',
    permission: 'Microsoft.Authorization/permissions/read',
  });
  const permissions = permissionsShape.safeParse(outcome.kind === 'failed' ? undefined : outcome.body);
  if (!permissions.success)
    return { name: 'permissions', state: 'unknown', detail: `whether ${wanted} is granted was not told` };
  const granted = permissions.data.value.some(
    (one) =>
      one.actions.some((action) => covers(action, wanted)) && !one.notActions.some((action) => covers(action, wanted)),
  );
  if (granted) return { name: 'permissions', state: 'passed', detail: `${wanted} is granted` };
  return {
    name: 'permissions',
    state: 'failed',
    detail: `${wanted} is not granted`,
    fix: `Assign a role with ${wanted} on ${step.options.name} to the app's identity.`,
  };
}

function covers(pattern: string, action: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.\\^$+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'i').test(action);
}

function failed(name: CheckName, { message, hint }: Failure): RotatorCheck {
  return { name, state: 'failed', detail: message, fix: hint };
}
