/** A small team's vaults, a third of it odd, from nothing to managed by commands alone. `npm run bench -- onboarding` does it with 1,000 secrets. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Played, startTheatre, type Theatre } from '../../bench/onboarding/play.ts';
import { withSignIn } from '../../bench/onboarding/sign-in.ts';
import { findSecrets } from '../canary.ts';
import { builtApp } from '../paths/built-app.ts';

const never = '0 0 0 1 1 *';

let theatre: Theatre;
beforeAll(async () => {
  const settings = { KEYTURN_SWEEP_SCHEDULE: never, KEYTURN_DRIFT_SCHEDULE: never };
  theatre = await startTheatre({ vaults: 2, secrets: 30 }, { app: await builtApp(), settings });
});
afterAll(() => theatre?.close());

interface Ended {
  readonly vault: string;
  readonly secret: string;
  readonly outcome: string;
  readonly why: string;
}

const secretsIn = ({ out }: Played): readonly Ended[] => JSON.parse(out).secrets;

it('every secret is discovered, onboarded and rehearsed, or named with its reason; nothing is read out', async () => {
  const played = await withSignIn(async () => {
    const looked = await theatre.keyturn('discover', '--read');
    const done = await theatre.keyturn('onboard', '--all', '--yes', '-r', 'a test');
    const rehearsed = await theatre.keyturn('rehearse', '--all', '-r', 'a test');
    return { looked, done, rehearsed };
  });
  const { looked, done, rehearsed } = played;
  expect(JSON.parse(looked.out)).toMatchObject({ vaults: 2, blind: [] });
  const ended = secretsIn(done);
  const byPath = new Map(ended.map((one) => [`${one.vault}/${one.secret}`, one]));
  const wrong = theatre.generated.flatMap(({ vault, secret, about, expected }) => {
    const one = byPath.get(`${vault}/${secret}`);
    const right: readonly string[] = expected;
    const fits = one !== undefined && right.includes(one.outcome) && (one.outcome === 'onboarded' || one.why !== '');
    return fits ? [] : [`${secret} (${about}): ${one?.outcome ?? 'not seen'}: ${one?.why ?? ''}`];
  });
  expect(wrong).toEqual([]);
  const managed = ended.filter(({ outcome }) => outcome === 'onboarded');
  expect(managed.length).toBeGreaterThan(10);
  expect(secretsIn(rehearsed).filter(({ outcome }) => outcome === 'twin').length).toBeGreaterThanOrEqual(
    managed.length,
  );
  const values = theatre.vaults.flatMap((vault) =>
    theatre.generated
      .filter((one) => one.vault === vault.name)
      .flatMap(({ secret }) => vault.versions(secret).map(({ value }) => value)),
  );
  expect(findSecrets({ played, logs: theatre.azure.host.logs() }, values)).toEqual([]);
  expect(theatre.throttled()).toBe(0);
});
