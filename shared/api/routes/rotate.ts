/** Asking for one rotation: as planned, in an emergency, or back to an earlier version. */
import * as z from 'zod';
import type { Answer } from '../answer.ts';
import { askRotation } from '../ask.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { breakGlass, fields, flag, reason, secretName, vaultName, version } from '../fields.ts';
import { type Asked, withFourEyes } from '../four-eyes.ts';
import { type Call, type Route, route } from '../route.ts';
import { rotationView, viewRotation } from '../views/rotation.ts';

const params = fields({ vault: vaultName, secret: secretName });
const query = fields({ wait: flag.describe('Answer when it is done, within 100 s; otherwise at once with 202.') });

const answers = {
  200: { description: 'With `wait`: the new version is current and proven.', schema: rotationView },
  202: {
    description: 'Queued, or waiting for a second person; `Location` is where its progress is shown.',
    schema: rotationView,
  },
};

type Path = z.infer<typeof params>;
type Query = z.infer<typeof query>;

const force = z.boolean('takes true or false').default(false);

/** What each of them takes. */
export const rotateBodies = {
  rotate: fields({ reason, force, version: version.optional(), breakGlass }),
  emergency: fields({ reason, breakGlass }),
  rollback: fields({ reason, to: version.optional(), force, breakGlass }),
  repair: fields({ reason, force, breakGlass }),
} as const;

type BodyOf<Action extends keyof typeof rotateBodies> = z.infer<(typeof rotateBodies)[Action]>;

/** Waits for a second person where the settings say so; then one rotation is asked for. */
function ask<Body extends Asked['body']>(
  deps: ApiDependencies,
  call: Call<Path, Query, Body>,
  held: Pick<Asked, 'action' | 'kinds'>,
  more: Omit<Parameters<typeof askRotation>[1], 'vault' | 'secret' | 'reason' | 'wait'>,
): Promise<Answer> {
  const { path, query, body } = call;
  return withFourEyes(
    deps,
    call,
    { ...held, place: path, body },
    (allowed) => askRotation(deps, { ...path, wait: query.wait, reason: body.reason, ...more }, allowed),
    (approval, record) => ({ ...viewRotation([record]), approval }),
  );
}

/** Each runs a request that was checked: of whoever asks, or of whoever asked when somebody approves it. */
export const askFor = {
  rotate(deps: ApiDependencies, call: Call<Path, Query, BodyOf<'rotate'>>) {
    const { force: forced, version: only } = call.body;
    const held = { action: 'rotate' as const, kinds: forced ? (['force'] as const) : [] };
    return ask(deps, call, held, { mode: forced ? 'forced' : 'asked', version: only });
  },
  emergency(deps: ApiDependencies, call: Call<Path, Query, BodyOf<'emergency'>>) {
    return ask(deps, call, { action: 'emergency', kinds: ['emergency'] }, { mode: 'emergency' });
  },
  async rollback(deps: ApiDependencies, call: Call<Path, Query, BodyOf<'rollback'>>) {
    const { to, force: forced } = call.body;
    const denied = forced ? call.demand('emergency') : undefined;
    const held = { action: 'rollback' as const, kinds: forced ? (['force'] as const) : [] };
    return denied ?? ask(deps, call, held, { mode: 'roll-back', to, force: forced });
  },
  async repair(deps: ApiDependencies, call: Call<Path, Query, BodyOf<'repair'>>) {
    const { force: forced } = call.body;
    const denied = forced ? call.demand('emergency') : undefined;
    // Where no version logs in it has the admin make a new credential, as force does.
    const held = { action: 'repair' as const, kinds: ['force'] as const };
    return denied ?? ask(deps, call, held, { mode: 'repair', force: forced });
  },
} as const;

export function rotateRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'rotateSecret',
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
        body: rotateBodies.rotate,
      },
      (call) => askFor.rotate(deps, call),
    ),
    route(
      {
        id: 'rotateInEmergency',
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
        body: rotateBodies.emergency,
      },
      (call) => askFor.emergency(deps, call),
    ),
    ...wayBackRoutes(deps),
  ];
}

/** Away from the current version. */
function wayBackRoutes(deps: ApiDependencies): readonly Route[] {
  return [
    route(
      {
        id: 'rollBackSecret',
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
        body: rotateBodies.rollback,
      },
      (call) => askFor.rollback(deps, call),
    ),
    route(
      {
        id: 'repairSecret',
        method: 'POST',
        path: '/vaults/{vault}/secrets/{secret}/repair',
        needs: 'operator',
        summary: 'Replace a version that does not log in',
        description:
          'Publishes the last version that logs in once more, or has the admin make a new credential where none does. Does nothing where the current version logs in. `force` goes back to a credential that was revoked in an emergency, too, and needs the role emergency.',
        idempotent: true,
        answers,
        params,
        query,
        body: rotateBodies.repair,
      },
      (call) => askFor.repair(deps, call),
    ),
  ];
}
