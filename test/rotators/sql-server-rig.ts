/** A rotator and a server for the tests that call it directly. */
import { sqlServer } from '../../rotators/sql-server/entry.ts';
import type { SqlServerTags } from '../../rotators/sql-server/tags.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import type { ApplyOutcome, Rotator, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import type { Scene } from '../conformance/harness.ts';
import { makeStep, type StepExtras } from '../conformance/step.ts';
import { proposed } from '../conformance/workbench.ts';
import { type Flavour, quoted, type SqlServerFixture, startFixture } from './sql-server-fixture.ts';

export interface Rig {
  readonly fixture: SqlServerFixture;
  readonly rotator: Rotator<SqlServerTags>;
  sql(text: string, database?: string): Promise<readonly (readonly unknown[])[]>;
  step(
    strategy: Strategy,
    scene: Scene<SqlServerTags>,
    changes?: Partial<Scene<SqlServerTags>>,
    extras?: StepExtras,
  ): Step<SqlServerTags>;
  /** Proposes and applies; whatever comes of it. */
  apply(
    step: Step<SqlServerTags>,
    live?: Credential,
  ): Promise<{ readonly candidate: Credential; readonly outcome: ApplyOutcome }>;
  close(): Promise<void>;
}

export const environmentFor = (ca: string): RotatorEnvironment => ({
  trustedCertificates: [ca],
  connectTimeoutMs: 5_000,
  getToken: async () => new SecretText('no token'),
  allowedHosts: [],
  cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
});

export async function startRig(flavour: Flavour): Promise<Rig> {
  const fixture = await startFixture(flavour);
  const rotator = await sqlServer.load(environmentFor(fixture.ca));
  return {
    fixture,
    rotator,
    sql: async (text, database) => (await fixture.server.run(text, database)).flatMap((result) => result.rows),
    step: (strategy, scene, changes = {}, extras = {}) => makeStep(strategy, { ...scene, ...changes }, extras),
    async apply(step, live = step.current) {
      const candidate = proposed(rotator.propose(step, step.current));
      return { candidate, outcome: await rotator.apply(step, candidate, live) };
    },
    close: () => fixture.close(),
  };
}

/** The login in use, written for a statement. */
export const nameOf = (scene: Scene<SqlServerTags>): string => quoted(scene.current.username ?? '');
export const otherOf = (scene: Scene<SqlServerTags>): string => quoted(`${scene.current.username}_alt`);
