/** One server for a test file, a rotator, and steps for it. */
import { afterAll, beforeAll, expect } from 'vitest';
import type { MysqlFamilyOptions } from '../../../local/mysql-family.ts';
import type { MysqlTags } from '../../../rotators/mysql/tags.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import type { Rotator, Step } from '../../../shared/contract/rotator.ts';
import type { Strategy } from '../../../shared/contract/strategy.ts';
import type { StepParts } from '../../conformance/harness.ts';
import { makeStep, type StepExtras } from '../../conformance/step.ts';
import { admin, type Flavour, loadMysql, type MysqlBench, startBench } from './bench.ts';

export interface Rig {
  readonly bench: MysqlBench;
  readonly rotator: Rotator<MysqlTags>;
  stepFor(
    current: Credential,
    strategy: Strategy,
    extras?: StepExtras,
    changes?: Partial<StepParts<MysqlTags>>,
  ): Step<MysqlTags>;
  /** Proposes and applies; the candidate is not proven. */
  applied(step: Step<MysqlTags>): Promise<Credential>;
}

/** Registers the hooks that start and end the server. Must be called inside `describe`. */
export function useRig(flavour: Flavour, options: () => Promise<MysqlFamilyOptions> = async () => ({})): Rig {
  let started: { readonly bench: MysqlBench; readonly rotator: Rotator<MysqlTags> } | undefined;
  beforeAll(async () => {
    started = { bench: await startBench(flavour, await options()), rotator: await loadMysql() };
  }, 60_000);
  afterAll(() => started?.bench.close());
  const need = () => {
    if (started === undefined) throw new Error('the server was not started');
    return started;
  };
  return {
    get bench() {
      return need().bench;
    },
    get rotator() {
      return need().rotator;
    },
    stepFor: (current, strategy, extras = {}, changes = {}) => {
      const { endpoint } = need().bench;
      const adminEndpoint = { host: endpoint.host, port: endpoint.port ?? 0, options: {} };
      const connection = { kind: 'connection', secret: 'mysql-admin', credential: admin } as const;
      const parts = { current, endpoint, adminEndpoint, admin: connection, options: {}, ...changes };
      return makeStep<MysqlTags>(strategy, parts, extras);
    },
    applied: async (step) => {
      const candidate = need().rotator.propose(step, step.current);
      if ('kind' in candidate) throw new Error(candidate.message);
      expect(await need().rotator.apply(step, candidate, step.current)).toMatchObject({ kind: 'applied' });
      return candidate;
    },
  };
}
