/**
 * A vault, a target, leases and workers in memory, for the tests that enumerate crashes: they need thousands of runs, each with its own
 * world, and a way to stop a worker at any call. The same matrix runs on real parts in crash-real.test.ts.
 */
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import type {
  Lease,
  Leases,
  NewVersion,
  ReadOutcome,
  SecretProperties,
  SecretVersion,
  Vault,
  VersionChange,
  WriteOutcome,
} from '../../shared/contract/ports.ts';
import type { RetireOutcome, Rotator, RotatorEntry, Step, UseOutcome } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategies } from '../../shared/contract/strategy.ts';
import { newPassword } from '../../shared/engine/rotation/password.ts';
import type { EngineDependencies, Published } from '../../shared/engine/running/dependencies.ts';
import { failure } from '../../shared/errors.ts';

export const dayMs = 86_400_000;

/** What a dead worker's calls throw. */
export class Crash extends Error {}

interface Stored extends NewVersion {
  readonly version: string;
  readonly createdAt: Date;
  updatedAt: Date;
  enabled: boolean;
  tags: Readonly<Record<string, string>>;
}

export class MemoryVault implements Vault {
  readonly name = 'contoso-kv';
  now = new Date('2026-01-01T00:00:00Z');
  readonly secrets = new Map<string, Stored[]>();
  /** Answers the next writes with this instead, before or after the effect. */
  loseWrites = 0;

  put(name: string, version: NewVersion): string {
    const stored: Stored = {
      ...version,
      version: randomBytes(16).toString('hex'),
      createdAt: this.now,
      updatedAt: this.now,
      enabled: version.enabled ?? true,
    };
    this.secrets.set(name, [...(this.secrets.get(name) ?? []), stored]);
    return stored.version;
  }

  newest(name: string): Stored {
    const stored = this.secrets.get(name)?.at(-1);
    if (stored === undefined) throw new Error(`no secret ${name}`);
    return stored;
  }

  count(name: string): number {
    return this.secrets.get(name)?.length ?? 0;
  }

  async read(name: string, { version }: { version?: string }): Promise<ReadOutcome> {
    const all = this.secrets.get(name) ?? [];
    const stored = version === undefined ? all.at(-1) : all.find((each) => each.version === version);
    if (stored === undefined) return { kind: 'not-found' };
    if (!stored.enabled) return { kind: 'disabled' };
    return { kind: 'found', secret: { ...this.#properties(name, stored), value: stored.value, readAt: this.now } };
  }

  async write(name: string, version: NewVersion): Promise<WriteOutcome> {
    const made = this.put(name, version);
    if (this.loseWrites > 0) {
      this.loseWrites--;
      return failure('vault-unreachable', { secret: name, vault: this.name, detail: 'connection cut' });
    }
    return { kind: 'written', secret: { ...this.#properties(name, this.newest(name)), version: made } };
  }

  async change(name: string, version: string, change: VersionChange): Promise<WriteOutcome> {
    const stored = this.secrets.get(name)?.find((each) => each.version === version);
    if (stored === undefined) return failure('secret-missing', { secret: name, vault: this.name });
    stored.enabled = change.enabled ?? stored.enabled;
    stored.tags = change.tags ?? stored.tags;
    return { kind: 'written', secret: this.#properties(name, stored) };
  }

  async versions(name: string) {
    const listed = (this.secrets.get(name) ?? []).map((stored) => this.#properties(name, stored)).reverse();
    return { kind: 'listed' as const, versions: listed };
  }

  async *list() {
    const secrets: SecretProperties[] = [...this.secrets.keys()].map((name) =>
      this.#properties(name, this.newest(name)),
    );
    yield { kind: 'page' as const, secrets, readAt: this.now };
  }

  #properties(name: string, stored: Stored): Omit<SecretVersion, 'value' | 'readAt'> {
    const { version, enabled, createdAt, updatedAt, expiresAt, contentType, tags } = stored;
    return {
      name,
      version,
      enabled,
      createdAt,
      updatedAt,
      tags,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(contentType === undefined ? {} : { contentType }),
    };
  }
}

/** Knows logins with their passwords; a key without a login is kept under its slot, its key id, or ''. */
export class MemoryTarget {
  readonly logins = new Map<string, Set<string>>();
  /** Names and labels of issued keys, by key id. */
  readonly labels = new Map<string, string>();
  down = false;
  /** Passwords that the target refuses to take. */
  refusing: (password: string) => boolean = () => false;
  touched: string[] = [];

  accepts(credential: Credential): boolean {
    const password = credential.password.reveal();
    const login = credential.username;
    if (login !== undefined) return this.logins.get(login)?.has(password) ?? false;
    return [...this.logins.values()].some((passwords) => passwords.has(password));
  }

  set(login: string, passwords: readonly string[]): void {
    this.touched.push(login);
    this.logins.set(login, new Set(passwords));
  }
}

const host = 'db.contoso.test';
const other = (login: string | undefined): string => (login === 'app_alt' ? 'app' : 'app_alt');
const none = new SecretText('');

/** One rotator for all strategies, each as simple as its target allows. Counts no calls and keeps no state of its own. */
export class MemoryRotator implements Rotator {
  readonly #target: MemoryTarget;

  constructor(target: MemoryTarget) {
    this.#target = target;
  }

  propose(step: Step, current: Credential): Credential {
    switch (step.strategy) {
      case 'alternating-users':
        return { username: other(current.username), password: step.newPassword() };
      case 'dual-key':
      case 'issue-revoke':
        return { password: none };
      case 'self-issued':
        return { password: step.newPassword(), parts: { previous: current.password } };
      default:
        return { ...current, password: step.newPassword() };
    }
  }

  async apply(step: Step, candidate: Credential, live: Credential) {
    const target = this.#target;
    if (target.down) return this.#unreachable(step);
    // The fence of a real target: its own clock refuses what arrives after the lease.
    if (step.remainingMs() <= 0)
      return failure('target-busy', { secret: step.secret, target: host, detail: 'too late' });
    const password = candidate.password.reveal();
    if (target.refusing(password)) {
      return failure('candidate-refused', { secret: step.secret, target: host, login: 'app', detail: 'too weak' });
    }
    const applied = (credential: Credential) => ({ kind: 'applied' as const, credential });
    switch (step.strategy) {
      case 'dual-password':
        target.set(candidate.username ?? '', [live.password.reveal(), password]);
        return applied(candidate);
      case 'dual-key': {
        const used = [...target.logins].find(([, keys]) => keys.has(step.current.password.reveal()))?.[0];
        const slot = used === 'key1' ? 'key2' : 'key1';
        const key = step.newPassword();
        target.set(slot, [key.reveal()]);
        return applied({ password: key, slot });
      }
      case 'issue-revoke': {
        for (const [id, label] of target.labels) {
          if (label === step.label && id !== step.current.keyId) target.logins.delete(id);
        }
        const keyId = randomBytes(4).toString('hex');
        const key = step.newPassword();
        target.set(keyId, [key.reveal()]);
        target.labels.set(keyId, step.label);
        return applied({ password: key, keyId });
      }
      case 'self-issued':
        target.set('self', [password]);
        return applied(candidate);
      default:
        target.set(candidate.username ?? '', [password]);
        return applied(candidate);
    }
  }

  async verify(step: Step, credential: Credential) {
    if (this.#target.down) return { kind: 'unreachable' as const, detail: 'ECONNREFUSED' };
    if (step.strategy === 'self-issued') return { kind: 'accepted' as const };
    return this.#target.accepts(credential)
      ? { kind: 'accepted' as const }
      : { kind: 'refused' as const, detail: 'password authentication failed' };
  }

  async inUse(): Promise<UseOutcome> {
    return { kind: 'idle' as const };
  }

  async retire(step: Step, previous: Credential): Promise<RetireOutcome> {
    if (this.#target.down) return this.#unreachable(step);
    for (const passwords of this.#target.logins.values()) passwords.delete(previous.password.reveal());
    return { kind: 'retired' as const, sessionsEnded: 0 };
  }

  async check() {
    return [];
  }

  #unreachable(step: Step) {
    return failure('target-unreachable', { secret: step.secret, target: host, detail: 'ECONNREFUSED' });
  }
}

/** Leases on a clock of their own. A crashed worker's lease runs out. */
export class MemoryLeases implements Leases {
  nowMs = 0;
  readonly held = new Map<string, number>();

  async acquire(vault: string, secret: string) {
    const key = `${vault}/${secret}`.toLowerCase();
    if ((this.held.get(key) ?? 0) > this.nowMs) return { kind: 'busy' as const };
    const until = this.nowMs + 60_000;
    this.held.set(key, until);
    const lease: Lease = {
      remainingMs: () => until - this.nowMs,
      release: async () => {
        if (this.held.get(key) === until) this.held.delete(key);
      },
    };
    return { kind: 'held' as const, lease };
  }

  /** As long as it takes for a dead worker's lease to run out. */
  expire(): void {
    this.nowMs += 61_000;
  }
}

export interface World {
  readonly vault: MemoryVault;
  readonly target: MemoryTarget;
  readonly leases: MemoryLeases;
  readonly rotator: MemoryRotator;
  readonly acknowledged: Set<string>;
  readonly published: { readonly published: Published; readonly again: boolean }[];
  readonly secret: string;
  readonly firstVersion: string;
  readonly firstPassword: string;
  /** The credential that the vault's newest version holds. */
  current(): Credential;
  deps(wrap?: <T extends object>(name: string, port: T) => T): EngineDependencies;
}

export const memoryEntry: RotatorEntry = {
  name: 'memory',
  strategies: [...strategies],
  options: z.object({}),
  load: () => Promise.reject(new Error('loaded by the test')),
};

const keyed = new Set<Strategy>(['dual-key', 'issue-revoke', 'self-issued']);

/** A world with one secret of that strategy, 20 days before it expires. */
export function makeWorld(strategy: Strategy, tags: Readonly<Record<string, string>> = {}): World {
  const vault = new MemoryVault();
  const target = new MemoryTarget();
  const leases = new MemoryLeases();
  const rotator = new MemoryRotator(target);
  const published: World['published'] = [];
  const secret = 'orders-db';
  const firstPassword = newPassword().reveal();
  const fields = keyed.has(strategy) ? {} : { username: 'app' };
  const shown = strategy === 'self-issued' ? { current: firstPassword } : { ...fields, host, password: firstPassword };
  const entry = keyed.has(strategy) ? { ...memoryEntry, hostless: true } : memoryEntry;
  target.set(strategy === 'dual-key' ? 'key1' : 'app', [firstPassword]);
  target.touched = [];
  vault.put('orders-admin', { value: new SecretText(`{"username":"root","password":"r","host":"${host}"}`), tags: {} });
  const expiresAt = new Date(vault.now.getTime() + 20 * dayMs);
  const firstVersion = vault.put(secret, {
    value: new SecretText(JSON.stringify(shown)),
    contentType: 'application/json',
    tags: { rotator: 'memory', strategy, admin: 'orders-admin', team: 'orders', ...tags },
    expiresAt,
  });
  const world: World = {
    acknowledged: new Set(),
    vault,
    target,
    leases,
    rotator,
    published,
    secret,
    firstVersion,
    firstPassword,
    current: () => credentialIn(vault.newest(secret).value),
    deps: (wrap = (_name, port) => port) => ({
      vaults: new Map([[vault.name, wrap('vault', vault)]]),
      rotators: new Map([['memory', entry]]),
      loadRotator: async () => wrap('rotator', rotator),
      leases: wrap('leases', leases),
      progress: { step: () => undefined },
      followUps: wrap('followUps', {
        published: async (about: Published, again: boolean) => {
          published.push({ published: about, again });
          return { kind: 'followed-up' as const };
        },
        done: async (rotationId: string) => ({
          kind: 'known' as const,
          done: published.some((one) => one.published.rotationId === rotationId),
        }),
      }),
      acknowledged: async () => ({ kind: 'acknowledged', consumers: world.acknowledged }),
      defaults: { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: dayMs },
      identityLogin: () => undefined,
      getToken: () => Promise.reject(new Error('no identity here')),
      newPassword,
      wait: async () => undefined,
      elapsedMs: () => leases.nowMs,
    }),
  };
  return world;
}

const shownValue = z.object({
  username: z.string().optional(),
  password: z.string().optional(),
  current: z.string().optional(),
});

export function credentialIn(value: SecretText): Credential {
  const shown = shownValue.parse(JSON.parse(value.reveal()));
  const password = new SecretText(shown.password ?? shown.current ?? '');
  return { password, ...(shown.username === undefined ? {} : { username: shown.username }) };
}
