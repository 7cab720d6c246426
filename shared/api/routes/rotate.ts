/** Asking for one rotation: as planned, in an emergency, or back to an earlier version. */
import * as z from 'zod';
import { askRotation } from '../ask.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { fields, flag, reason, secretName, vaultName, version } from '../fields.ts';
import { type Call, type Route, route } from '../route.ts';
import { rotationView } from '../views/rotation.ts';

const params = fields({ vault: vaultName, secret: secretName });
const query = fields({ wait: flag.describe('Answer when it is done, within 100 s; otherwise at once with 202.') });

const answers = {
  200: { description: 'With `wait`: the new version is current and proven.', schema: rotationView },
  202: { description: 'Queued; `Location` is where its progress is shown.', schema: rotationView },
};

type Path = z.infer<typeof params>;
type Query = z.infer<typeof query>;

function asking<Body extends { readonly reason: string }>({ path, query, body }: Call<Path, Query, Body>) {
  return { ...path, wait: query.wait, reason: body.reason };
}

export function rotateRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        method: 'POST',
        path: '/vaults/{vault}/secrets/{secret}/rotate',
        needs: 'operator',
        summary: 'Rotate one secret now',
        description:
          '`force` lets the admin replace the credential although none that is known logs in. `version` makes it void unless that version is still current.',
        idempotent: true,
        answers,
        params,
        query,
        body: fields({ reason, force: z.boolean('takes true or false').default(false), version: version.optional() }),
      },
      (call) => {
        const mode = call.body.force ? 'forced' : 'asked';
        return askRotation(deps, { ...asking(call), mode, version: call.body.version }, call);
      },
    ),
    route(
      {
        method: 'POST',
        path: '/vaults/{vault}/secrets/{secret}/emergency',
        needs: 'emergency',
        summary: 'Rotate now, revoke the old credential at once and end its sessions',
        description:
          'For a credential that leaked. There is no overlap: consumers that hold the old credential fail until they read the new one.',
        idempotent: true,
        answers,
        params,
        query,
        body: fields({ reason }),
      },
      (call) => askRotation(deps, { ...asking(call), mode: 'emergency' }, call),
    ),
    route(
      {
        method: 'POST',
        path: '/vaults/{vault}/secrets/{secret}/rollback',
        needs: 'operator',
        summary: 'Make an earlier version current again',
        description:
          'Its credential is proven first, or made to work again where the target allows that. `to` absent: the version before the current one. `force` goes back to a credential that was revoked in an emergency, too, and needs the role emergency.',
        idempotent: true,
        answers,
        params,
        query,
        body: fields({ reason, to: version.optional(), force: z.boolean('takes true or false').default(false) }),
      },
      async (call) => {
        const { to, force } = call.body;
        const denied = force ? call.demand('emergency') : undefined;
        return denied ?? askRotation(deps, { ...asking(call), mode: 'roll-back', to, force }, call);
      },
    ),
  ];
}
