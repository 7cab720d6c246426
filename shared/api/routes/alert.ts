/**
 * An alert of Azure Monitor rotates the secret that its custom properties name.
 *
 * Source: "Common alert schema for Azure Monitor alerts": `schemaId`, `data.essentials`, `data.customProperties`. An alert is sent when
 * it fires and when it is resolved, and may be sent more than once; `originAlertId` is the same each time.
 */
import * as z from 'zod';
import type { Answer } from '../answer.ts';
import { ok } from '../answer.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { fields, secretName, vaultName } from '../fields.ts';
import { problem } from '../problem.ts';
import { type Call, type Route, route } from '../route.ts';
import { rotationView } from '../views/rotation.ts';
import { askFor } from './rotate.ts';

/** Everything else in an alert is Azure's, and left aside. */
const alert = z.object({
  schemaId: z.literal('azureMonitorCommonAlertSchema', {
    error: 'takes the common alert schema: switch it on in the action group',
  }),
  data: z.object({
    essentials: z.object({
      alertId: z.string().min(1).max(2048),
      originAlertId: z.string().min(1).max(2048),
      alertRule: z.string().max(1024).default(''),
      monitorCondition: z.string().max(64),
      firedDateTime: z.string().max(64).optional(),
    }),
    customProperties: z.record(z.string(), z.unknown()).nullish(),
  }),
});
type Alert = z.infer<typeof alert>;

const wanted = z.object({
  vault: vaultName,
  secret: secretName,
  action: z.enum(['rotate', 'emergency'], { error: 'takes rotate or emergency' }),
});

export function alertRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'receiveAlert',
        method: 'POST',
        path: '/alerts',
        needs: 'operator',
        covers: 'each',
        summary: "Rotate the secret that an alert's custom properties name",
        description:
          'Takes the common alert schema of Azure Monitor. Custom properties: `vault`, `secret`, `action` (`rotate`, or `emergency`, which needs that role). Acts on `Fired` only, and once for each `originAlertId`.',
        keyInAddress: true,
        answers: {
          200: {
            description: 'Nothing to do for this alert.',
            schema: z.object({ state: z.literal('ignored'), detail: z.string() }),
          },
          202: { description: 'Queued.', schema: rotationView },
        },
        params: fields({}),
        query: fields({}),
        body: alert,
      },
      (call) => act(deps, call),
    ),
  ];
}

async function act(deps: ApiDependencies, call: Call<unknown, unknown, Alert>): Promise<Answer> {
  const { essentials, customProperties } = call.body.data;
  const { monitorCondition, originAlertId, firedDateTime = '' } = essentials;
  if (monitorCondition !== 'Fired') return ok({ state: 'ignored', detail: 'only the condition "Fired" rotates' });
  const named = wanted.safeParse(customProperties ?? {});
  if (!named.success) {
    const errors = named.error.issues.map((issue) => ({
      in: 'body' as const,
      field: ['data', 'customProperties', ...issue.path.map(String)].join('.'),
      detail: issue.message,
    }));
    return problem('alert-unusable', 'its custom properties do not name what to rotate', { errors });
  }
  const { vault, secret, action } = named.data;
  const denied = call.demand(action === 'emergency' ? 'emergency' : 'operator', { vault, secret });
  if (denied !== undefined) return denied;
  const rule = essentials.alertRule.replaceAll(/\p{Cc}/gu, ' ').slice(0, 300);
  // A rule that fires again after it was resolved keeps the origin in some kinds of alerts; the time tells the two apart.
  const idempotencyKey = `alert ${originAlertId} ${firedDateTime}`;
  const reason = `alert ${rule}`.trim();
  const asked = { ...call, path: { vault, secret }, query: { wait: false }, idempotencyKey };
  return action === 'rotate'
    ? askFor.rotate(deps, { ...asked, body: { reason, force: false, breakGlass: false } })
    : askFor.emergency(deps, { ...asked, body: { reason, breakGlass: false } });
}
