/** The three that rotate in turns: the engine, the straight script and the least one. Each has secrets and logins of its own. */
import type { Strategy } from '../../shared/contract/strategy.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { timed } from '../pairs.ts';
import { other, type Recorded, type Scripts, scriptsOn } from './scripts.ts';
import type { Stage } from './stage.ts';
import { onTape } from './watch.ts';

/** What one rotation costs. */
export interface Counted {
  readonly vaultCalls: number;
  readonly connections: number;
  readonly statements: number;
  readonly storageCalls: number;
}

/** Each gives the time in ms of one rotation. */
export interface Players {
  readonly engine: () => Promise<number>;
  readonly straight: () => Promise<number>;
  readonly least: () => Promise<number>;
  /** One more rotation of each, with all that it does. */
  count(): Promise<Readonly<Record<'engine' | 'straight' | 'least', Counted>>>;
}

/** The vault lists 25 versions in a call, more than a secret has after five years of 90 days; so many are never listed here. */
const mostRotations = 20;

/** Prepares secrets for so many rotations of each. */
export async function startPlayers(
  stage: Stage,
  strategy: Strategy,
  storage: { readonly total: number },
  rotations: number,
): Promise<Players> {
  const scripts = scriptsOn(stage);
  const recorded: Recorded[] = [];
  const secrets = await secretsFor(stage, scripts, strategy, rotations + 2);
  const perform = {
    engine: async () => {
      const pair = secrets.engine();
      const done = await byEngine(stage, pair.engine);
      recorded.push({ ...done, ...pair.script });
      return done.ms;
    },
    straight: () => {
      const next = recorded.shift();
      if (next === undefined) throw new Error('there is nothing to do again');
      return timed(() => scripts.straight(next, strategy));
    },
    least: () => {
      const secret = secrets.least();
      return timed(() => scripts.least(secret, strategy));
    },
  };
  // One ahead, so that the script may begin too: it does what the engine has done before.
  await perform.engine();
  const count = async (who: () => Promise<number>): Promise<Counted> => {
    const [vaultCalls, storageCalls] = [stage.vault.calls.total, storage.total];
    const { tape } = await onTape(who);
    return {
      vaultCalls: stage.vault.calls.total - vaultCalls,
      connections: tape.connections,
      statements: tape.statements,
      storageCalls: storage.total - storageCalls,
    };
  };
  return {
    ...perform,
    count: async () => ({
      straight: await count(perform.straight),
      engine: await countEngine(),
      least: await count(perform.least),
    }),
  };

  async function countEngine(): Promise<Counted> {
    const [vaultCalls, storageCalls] = [stage.vault.calls.total, storage.total];
    await perform.engine();
    const { tape } = recorded.at(-1) ?? {};
    return {
      vaultCalls: stage.vault.calls.total - vaultCalls,
      connections: tape?.connections ?? 0,
      statements: tape?.statements ?? 0,
      storageCalls: storage.total - storageCalls,
    };
  }
}

interface Pair {
  readonly engine: string;
  readonly script: Pick<Recorded, 'secret' | 'rename'>;
}

/** Secrets in turn, each for so many rotations. The script's login is made as the engine's was, so that it is always in the same state. */
async function secretsFor(stage: Stage, scripts: Scripts, strategy: Strategy, rotations: number) {
  const short = strategy.replaceAll(/\W.*/g, '');
  const pairs: Pair[] = [];
  const leasts: string[] = [];
  for (let at = 0; at * mostRotations < rotations; at++) {
    const [engine, script, bare] = [`${short}-by-engine-${at}`, `${short}-by-script-${at}`, `${short}-by-least-${at}`];
    const [ours, theirs, barely] = [engine, script, bare].map((name) => name.replaceAll('-', '_'));
    await stage.addSecret(engine, `${ours}`, strategy);
    await stage.addSecret(script, `${theirs}`, strategy);
    await stage.addSecret(bare, `${barely}`, strategy);
    const rename = (text: string): string => text.replaceAll(`${ours}`, `${theirs}`);
    // Twice, so that both logins of a pair are there: making one is a rotation of another kind.
    for (let round = 0; round < 2; round++) {
      const { tape, value } = await byEngine(stage, engine);
      await scripts.straight({ tape, value, secret: script, rename }, strategy);
    }
    if (strategy === 'alternating-users') await stage.target.addLogin(other(`${barely}`), 'Never-used-by-anybody-1', 0);
    pairs.push({ engine, script: { secret: script, rename } });
    leasts.push(bare);
  }
  const inTurn = <Item>(items: readonly Item[]) => {
    let next = 0;
    return (): Item => {
      const item = items[Math.floor(next++ / mostRotations)];
      if (item === undefined) throw new RangeError('there are no secrets left');
      return item;
    };
  };
  return { engine: inTurn(pairs), least: inTurn(leasts) };
}

/** One rotation, its time in ms and all that it did. Anything but a rotated secret ends the bench. */
async function byEngine(stage: Stage, secret: string) {
  // Past the overlap of the rotation before, or this one would have to wait for it.
  stage.vault.clock.advance(3_000);
  // Named by its version, as an event does: a request that names none looks back through the versions for its own work.
  const version = stage.vault.versions(secret).at(-1)?.id ?? '';
  const request = { vault: 'bench', secret, version, mode: 'asked', requestedBy: 'bench' } as const;
  const { result, tape } = await onTape(async () => {
    const started = performance.now();
    const rotated = await rotate(stage.engine, request);
    return { rotated, ms: performance.now() - started };
  });
  const { rotated, ms } = result;
  if (rotated.kind === 'rotated') return { ms, tape, value: stage.vault.versions(secret).at(-1)?.value ?? '' };
  const why = rotated.kind === 'failed' ? rotated.failure.message : `${rotated.reason}: ${rotated.detail}`;
  throw new Error(`${secret} was not rotated: ${why}`);
}
