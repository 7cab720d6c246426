/**
 * Two logins of one real server, each with its own secret: `shop-db` is the attacker's to edit (value, tags, versions), `billing-db` is
 * somebody else's. The engine runs as in the app, with the rotator's own driver; the vault is kept in memory.
 */
import type { Credential } from '../../shared/contract/credential.ts';
import type { RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { newPassword } from '../../shared/engine/rotation/password.ts';
import type { EngineDependencies } from '../../shared/engine/running/dependencies.ts';
import type { RotatorHarness, Scene, Target } from '../conformance/harness.ts';
import { dayMs, MemoryVault, makeWorld } from '../engine/world.ts';

export const request = { vault: 'contoso-kv', secret: 'shop-db', requestedBy: 'sweep' } as const;

/** The id of rotations that the attacker makes up. */
export const madeUp = 'ab'.repeat(16);

/** What stands in the place of a password that is not known. */
export const junk = 'junkjunkjunkjunkjunk1';

export interface AttackStage {
  readonly vault: MemoryVault;
  readonly deps: EngineDependencies;
  readonly strategy: Strategy;
  /** As the tag names it. */
  readonly rotator: string;
  readonly mine: Scene<unknown>;
  readonly theirs: Scene<unknown>;
  /** Publishes a version of the attacker's secret, as the attacker writes it; due. */
  publish(credential: { readonly username: string; readonly password: string }, more?: Written): string;
  /** Of the other secret, where nobody of them changed anything: its login's password still logs in, and the server holds it as before. */
  untouched(): Promise<{ readonly logsIn: boolean; readonly same: boolean }>;
  close(): Promise<void>;
}

export interface Written {
  readonly tags?: Readonly<Record<string, string>>;
  /** Fields of the value besides the login. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Starts the server of a rotator's conformance suite. To be closed. */
export async function startAttack<Options>(
  harness: RotatorHarness<Options>,
  strategy: Strategy,
  target: Target<Options>,
): Promise<AttackStage> {
  const mine = await target.scene(strategy, { admin: 'connection' });
  const theirs = await target.scene(strategy, { admin: 'connection' });
  const vault = new MemoryVault();
  const deps = engineOf(harness, target, vault);
  const { admin, adminEndpoint } = mine;
  if (admin.kind !== 'connection') throw new Error('the attacks borrow an admin');
  vault.put('server-admin', { value: writtenValue(admin.credential, adminEndpoint), tags: { serves: '*-db' } });
  const before = await theirs.snapshot();
  const expiresAt = new Date(vault.now.getTime() + 20 * dayMs);
  const tags = { rotator: harness.entry.name, strategy, admin: 'server-admin' };
  vault.put('billing-db', { value: writtenValue(theirs.current, theirs.endpoint), tags, expiresAt });
  return {
    ...{ vault, deps, strategy, mine, theirs, rotator: harness.entry.name },
    publish(credential, { tags: more = {}, fields = {} } = {}) {
      const { username } = credential;
      const value = writtenValue({ username, password: new SecretText(credential.password) }, mine.endpoint, fields);
      return vault.put('shop-db', { value, tags: { ...tags, ...more }, expiresAt });
    },
    async untouched() {
      const after = await theirs.snapshot();
      return {
        logsIn: await theirs.login(theirs.current),
        same: JSON.stringify(after) === JSON.stringify(before),
      };
    },
    close: () => target.close(),
  };
}

function engineOf<Options>(
  harness: RotatorHarness<Options>,
  target: Target<Options>,
  vault: MemoryVault,
): EngineDependencies {
  const environment: RotatorEnvironment = {
    trustedCertificates: [],
    connectTimeoutMs: 3_000,
    getToken: () => Promise.reject(new Error('no identity here')),
    allowedHosts: [],
    cloud: { resourceManager: 'https://a.test', graph: 'https://g.test', login: 'https://l.test' },
    ...target.environment,
  };
  return {
    ...makeWorld('single-user').deps(),
    vaults: new Map([[vault.name, vault]]),
    rotators: new Map([[harness.entry.name, harness.entry]]),
    loadRotator: (entry) => entry.load(environment),
    getToken: environment.getToken,
    newPassword,
    elapsedMs: () => performance.now(),
  };
}

function writtenValue(
  { username, password }: Credential,
  { host, port, database, options }: Scene<unknown>['endpoint'],
  more: Readonly<Record<string, unknown>> = {},
): SecretText {
  const named = { username, password: password.reveal(), host, port, ...(database === undefined ? {} : { database }) };
  return new SecretText(JSON.stringify({ ...named, ...options, ...more }));
}

/** A stamp as the attacker writes it. */
export function stamp(fields: Readonly<Record<string, string>>): { readonly rotation: string } {
  return {
    rotation: Object.entries({ id: madeUp, ...fields })
      .map(([name, value]) => `${name}=${value}`)
      .join(';'),
  };
}
