/**
 * A vault, a target, leases and workers in memory, for the tests that enumerate crashes: they need thousands of runs, each with its own
 * world, and a way to stop a worker at any call. The same matrix runs on real parts in crash-real.test.ts.
 */
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import {
  type Lease,
  type Leases,
  leaseMs,
  type NewVersion,
  type ReadOutcome,
  type SecretProperties,
  type SecretsPage,
  type SecretVersion,
  type Vault,
  type VersionChange,
  type WriteOutcome,
} from '../../shared/contract/ports.ts';
import type {
  ApplyOutcome,
  RetireOutcome,
  Rotator,
  RotatorEntry,
  Step,
  UseOutcome,
  VerifyOutcome,
} from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategies } from '../../shared/contract/strategy.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { newPassword } from '../../shared/engine/rotation/password.ts';
import type {
  EndAsked,
  EngineDependencies,
  FollowUps,
  Published,
  WakeUps,
} from '../../shared/engine/running/dependencies.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { MemoryLoginIndex } from './kept.ts';

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
  readonly name: string;
  readonly #clock: { now: Date };

  /** Vaults of one world share a clock. */
  constructor(name = 'contoso-kv', clock = { now: new Date('2026-01-01T00:00:00Z') }) {
    this.name = name;
    this.#clock = clock;
  }

  /** Finer than what it tells: like the service it gives times in whole seconds. */
  get now(): Date {
    return this.#clock.now;
  }

  set now(now: Date) {
    this.#clock.now = now;
  }

  /** The id of the next version: 32 hex digits. */
  nextVersion = (): string => randomBytes(16).toString('hex');
  readonly secrets = new Map<string, Stored[]>();
  /** Answers the next writes with this instead, before or after the effect. */
  loseWrites = 0;
  /** Lists versions of one second in the wrong order: the service tells no finer time. */
  turnsTies = false;

  put(name: string, version: NewVersion): string {
    const stored: Stored = {
      ...version,
      version: this.nextVersion(),
      createdAt: this.#second(),
      updatedAt: this.#second(),
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
    return {
      kind: 'found',
      secret: { ...this.#properties(name, stored), value: stored.value, readAt: this.#second() },
    };
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
    stored.updatedAt = this.#second();
    return { kind: 'written', secret: this.#properties(name, stored) };
  }

  async versions(name: string) {
    const listed = (this.secrets.get(name) ?? []).map((stored) => this.#properties(name, stored)).reverse();
    if (this.turnsTies) listed.reverse().sort((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
    return { kind: 'listed' as const, versions: listed };
  }

  async *list(): AsyncGenerator<SecretsPage | Failure, void, undefined> {
    const secrets: SecretProperties[] = [...this.secrets.keys()].map((name) =>
      this.#properties(name, this.newest(name)),
    );
    yield { kind: 'page' as const, secrets, readAt: this.#second() };
  }

  #second(): Date {
    return new Date(Math.floor(this.now.getTime() / 1000) * 1000);
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

export interface Session {
  readonly login: string;
  readonly password: string;
}

/**
 * Knows logins with their passwords, the first one first as MySQL has it; a key without a login is kept under its slot, its key id, or ''.
 * As real targets do it may hold sessions open, lock a login after failed attempts, take no one in while it is full, and believe what it
 * knew a moment ago.
 */
export class MemoryTarget {
  readonly logins = new Map<string, Set<string>>();
  /** Sessions that live on, whatever becomes of the password they began with. */
  sessions: Session[] = [];
  /** How many sessions the admin has no right to end. */
  protectedSessions = 0;
  /** Most sessions at a time. */
  mostSessions = Number.POSITIVE_INFINITY;
  /** Failed attempts after which a login is locked. */
  locksAfter = Number.POSITIVE_INFINITY;
  readonly failures = new Map<string, number>();
  /** Answers about a login that was changed are this many times those from before. */
  cachedAnswers = 0;
  readonly #cached = new Map<string, { left: number; readonly passwords: ReadonlySet<string> }>();

  /** Names and labels of issued keys, by key id. */
  readonly labels = new Map<string, string>();
  down = false;
  /** Passwords that the target refuses to take. */
  refusing: (password: string) => boolean = () => false;
  touched: string[] = [];
  /** A client whose session was ended, and that comes back at once. */
  ended: (session: Session) => void = () => undefined;

  /** Whether the target would let it in, by what is certain. Counts nothing. */
  accepts(credential: Credential): boolean {
    const password = credential.password.reveal();
    const login = credential.username;
    if (login !== undefined && (this.failures.get(login) ?? 0) >= this.locksAfter) return false;
    if (login !== undefined) return this.logins.get(login)?.has(password) ?? false;
    return [...this.logins.values()].some((passwords) => passwords.has(password));
  }

  /** An attempt to log in, with all that follows from it. */
  login(credential: Credential): 'accepted' | 'refused' | 'full' {
    if (this.sessions.length >= this.mostSessions) return 'full';
    const { username } = credential;
    const cached = username === undefined ? undefined : this.#cached.get(username);
    if (cached !== undefined && cached.left > 0) {
      cached.left--;
      return cached.passwords.has(credential.password.reveal()) ? 'accepted' : 'refused';
    }
    if (this.accepts(credential)) {
      if (username !== undefined) this.failures.delete(username);
      return 'accepted';
    }
    if (username !== undefined) this.failures.set(username, (this.failures.get(username) ?? 0) + 1);
    return 'refused';
  }

  set(login: string, passwords: readonly string[]): void {
    this.touched.push(login);
    this.#cached.set(login, { left: this.cachedAnswers, passwords: this.logins.get(login) ?? new Set() });
    this.logins.set(login, new Set(passwords));
  }

  /** Ends what the admin may end; how many were ended, and how many are left. */
  endSessions(which: (session: Session) => boolean): { readonly ended: number; readonly left: number } {
    const meant = this.sessions.filter(which);
    const kept = meant.slice(0, this.protectedSessions);
    this.sessions = this.sessions.filter((session) => !which(session) || kept.includes(session));
    for (const session of meant.slice(this.protectedSessions)) this.ended(session);
    return { ended: meant.length - kept.length, left: kept.length };
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

  async apply(step: Step, candidate: Credential, live: Credential): Promise<ApplyOutcome> {
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
      case 'dual-password': {
        // What is published is kept beside the candidate, whichever of the two it is now: an attempt before may have made its own first.
        const held = target.logins.get(candidate.username ?? '') ?? new Set();
        const [first] = held;
        const published = step.current.password.reveal();
        const kept = held.has(published) ? published : live.password.reveal();
        if (first !== password) target.set(candidate.username ?? '', [password, kept]);
        return applied(candidate);
      }
      case 'dual-key':
        return candidate.password.isEmpty ? applied(this.#regenerate(step)) : this.#held(step, candidate);
      case 'issue-revoke':
        return candidate.password.isEmpty ? applied(this.#issue(step)) : this.#held(step, candidate);
      case 'self-issued':
        target.set('self', [password]);
        return applied({ ...candidate, parts: { ...candidate.parts, previous: step.current.password } });
      default: {
        const held = target.logins.get(candidate.username ?? '');
        if (held?.size !== 1 || !held.has(password)) target.set(candidate.username ?? '', [password]);
        return applied(candidate);
      }
    }
  }

  #regenerate(step: Step): Credential {
    const used = [...this.#target.logins].find(([, keys]) => keys.has(step.current.password.reveal()))?.[0];
    const slot = used === 'key1' ? 'key2' : 'key1';
    const key = step.newPassword();
    this.#target.set(slot, [key.reveal()]);
    return { password: key, slot };
  }

  #issue(step: Step): Credential {
    const target = this.#target;
    for (const [id, label] of target.labels) {
      if (label === step.label && id !== step.current.keyId) target.logins.delete(id);
    }
    const keyId = randomBytes(4).toString('hex');
    const key = step.newPassword();
    target.set(keyId, [key.reveal()]);
    target.labels.set(keyId, step.label);
    return { password: key, keyId };
  }

  /** A key that is to be first is not issued again: it is there or it is not. */
  #held(step: Step, candidate: Credential): ApplyOutcome {
    if (this.#target.accepts(candidate)) return { kind: 'applied', credential: candidate };
    return failure('candidate-refused', { secret: step.secret, target: host, login: 'the key', detail: 'it is gone' });
  }

  async verify(step: Step, credential: Credential): Promise<VerifyOutcome> {
    if (this.#target.down) return { kind: 'unreachable' as const, detail: 'ECONNREFUSED' };
    if (step.strategy === 'self-issued') return { kind: 'accepted' as const };
    switch (this.#target.login(credential)) {
      case 'accepted':
        return { kind: 'accepted' as const };
      case 'full':
        return { kind: 'unreachable' as const, detail: 'too many connections' };
      case 'refused':
        return { kind: 'refused' as const, detail: 'password authentication failed' };
    }
  }

  async inUse(step: Step, { username }: Credential): Promise<UseOutcome> {
    const by = this.#target.sessions.filter(({ login }) => login === username);
    if (step.strategy !== 'alternating-users' || by.length === 0) return { kind: 'idle' as const };
    return { kind: 'in-use' as const, sessions: by.length, by: by.map(({ login }) => `sessions of ${login}`) };
  }

  /** Two passwords are told apart by their order alone, as in MySQL: what is dropped is the second, whichever it is. */
  async retire(step: Step, previous: Credential): Promise<RetireOutcome> {
    const target = this.#target;
    if (target.down) return this.#unreachable(step);
    const password = previous.password.reveal();
    const { username } = previous;
    if (step.strategy === 'dual-password' && username !== undefined) {
      // What is current is made the first one before, as the contract has it: a roll-back that died half-way may have put it second.
      const held = target.logins.get(username) ?? new Set();
      const [first = ''] = held;
      const current = step.current.password.reveal();
      target.logins.set(username, new Set([held.has(current) ? current : first]));
    } else if (step.strategy === 'alternating-users' && username !== undefined) {
      // A login is ended whatever its password is by now, unless it is the one in use.
      if (username !== step.current.username) target.logins.set(username, new Set());
    } else if (step.strategy !== 'single-user') {
      for (const passwords of target.logins.values()) passwords.delete(password);
    }
    if (!step.emergency || username === undefined) return { kind: 'retired' as const, sessionsEnded: 0 };
    const { ended, left } = target.endSessions((session) => session.login === username);
    if (left === 0) return { kind: 'retired' as const, sessionsEnded: ended };
    const fix = 'Grant the admin the right to end sessions.';
    return failure('sessions-open', {
      secret: step.secret,
      target: host,
      login: username,
      sessions: left,
      fix,
      detail: '',
    });
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
  readonly held = new Map<string, { untilMs: number }>();

  async acquire(vault: string, secret: string) {
    const key = `${vault}/${secret}`.toLowerCase();
    if ((this.held.get(key)?.untilMs ?? 0) > this.nowMs) return { kind: 'busy' as const };
    const mine = { untilMs: this.nowMs + leaseMs };
    this.held.set(key, mine);
    const lease: Lease = {
      remainingMs: () => mine.untilMs - this.nowMs,
      release: async () => {
        if (this.held.get(key) === mine) this.held.delete(key);
      },
    };
    return { kind: 'held' as const, lease };
  }

  /** Time passes while the worker lives: its lease is renewed as it goes, where it has not run out. */
  passRenewing(ms: number): void {
    for (const lease of this.held.values()) if (lease.untilMs > this.nowMs) lease.untilMs = this.nowMs + ms + leaseMs;
    this.nowMs += ms;
  }

  /** As long as it takes for a dead worker's lease to run out. */
  expire(): void {
    this.nowMs += leaseMs + 1_000;
  }
}

/** Requests that somebody comes back to. A worker that is dead takes none of its own back. */
class MemoryWakeUps<Request> {
  readonly #requests: Request[];

  constructor(requests: Request[]) {
    this.#requests = requests;
  }

  async put(request: Request): Promise<void> {
    this.#requests.push(request);
  }

  async withdraw(request: Request): Promise<void> {
    const at = this.#requests.indexOf(request);
    if (at >= 0) this.#requests.splice(at, 1);
  }
}

type Wrap = <T extends object>(name: string, port: T) => T;

function wakeUpsOf({ wakeUps, wakeUpsForEnds }: World, wrap: Wrap): WakeUps {
  const rotations = wrap('wakeUps', new MemoryWakeUps(wakeUps));
  const ends = wrap('wakeUps', new MemoryWakeUps(wakeUpsForEnds));
  const setIn = async <Request>(port: MemoryWakeUps<Request>, request: Request) => {
    await port.put(request);
    return { kind: 'set' as const, withdraw: () => port.withdraw(request) };
  };
  return { set: (request) => setIn(rotations, request), setForEnd: (request) => setIn(ends, request) };
}

export interface World {
  readonly vault: MemoryVault;
  /** A second vault of the app. */
  readonly otherVault: MemoryVault;
  readonly target: MemoryTarget;
  readonly leases: MemoryLeases;
  readonly rotator: MemoryRotator;
  readonly acknowledged: Set<string>;
  readonly published: { readonly published: Published; readonly again: boolean }[];
  /** Requests that somebody comes back to. */
  readonly wakeUps: RotationRequest[];
  /** The same of old credentials to end. */
  readonly wakeUpsForEnds: EndAsked[];
  readonly logins: MemoryLoginIndex;
  readonly secret: string;
  readonly firstVersion: string;
  readonly firstPassword: string;
  /** The credential that the vault's newest version holds. */
  current(): Credential;
  deps(wrap?: Wrap): EngineDependencies;
}

/** A copy has news of its own, and what is unfinished is looked at again. */
function isDone({ rotationId, vault, secret, unfinished }: Published, about: Published): boolean {
  const isSame = rotationId === about.rotationId && vault === about.vault && secret === about.secret;
  return isSame && unfinished !== true;
}

function followUpsOf(published: World['published']): FollowUps {
  return {
    published: async (about, again) => {
      const before = again && published.some((one) => isDone(one.published, about));
      published.push({ published: about, again });
      return { kind: 'followed-up', before };
    },
    done: async (rotationId) => ({
      kind: 'known',
      done: published.some(
        ({ published: one }) => one.rotationId === rotationId && one.unfinished !== true && one.isCopy !== true,
      ),
    }),
  };
}

/** As after the first sweep; a test that puts another secret takes it back. */
function indexAfterSweep(vaults: readonly MemoryVault[]): MemoryLoginIndex {
  const logins = new MemoryLoginIndex();
  for (const { name, now } of vaults) logins.complete.set(name, now);
  return logins;
}

export const memoryEntry: RotatorEntry = {
  name: 'memory',
  strategies: [...strategies],
  options: z.object({}),
  // One host, one pair: a key is told by the secret's own tag.
  identity: ({ strategy, username }) => {
    if (username === undefined) return [];
    return strategy === 'alternating-users' ? [username, other(username)] : [username];
  },
  load: () => Promise.reject(new Error('loaded by the test')),
};

const adminSecret = {
  value: new SecretText(`{"username":"root","password":"r","host":"${host}"}`),
  tags: { serves: '*' },
};

const keyed = new Set<Strategy>(['dual-key', 'issue-revoke', 'self-issued']);

/** A world with one secret of that strategy, 20 days before it expires. */
export function makeWorld(strategy: Strategy, tags: Readonly<Record<string, string>> = {}): World {
  const clock = { now: new Date('2026-01-01T00:00:00Z') };
  const vault = new MemoryVault('contoso-kv', clock);
  const otherVault = new MemoryVault('eu-vault', clock);
  const target = new MemoryTarget();
  const [leases, rotator] = [new MemoryLeases(), new MemoryRotator(target)];
  const published: World['published'] = [];
  const secret = 'orders-db';
  const firstPassword = newPassword().reveal();
  const fields = keyed.has(strategy) ? {} : { username: 'app' };
  const shown = strategy === 'self-issued' ? { current: firstPassword } : { ...fields, host, password: firstPassword };
  const entry = keyed.has(strategy) ? { ...memoryEntry, hostless: true } : memoryEntry;
  target.set(strategy === 'dual-key' ? 'key1' : 'app', [firstPassword]);
  target.touched = [];
  vault.put('orders-admin', adminSecret);
  const { now } = vault;
  const expiresAt = new Date(now.getTime() + 20 * dayMs);
  vault.now = new Date(now.getTime() - 70 * dayMs);
  const firstVersion = vault.put(secret, {
    value: new SecretText(JSON.stringify(shown)),
    contentType: 'application/json',
    tags: { rotator: 'memory', strategy, admin: 'orders-admin', team: 'orders', ...tags },
    expiresAt,
  });
  vault.now = now;
  const world: World = {
    acknowledged: new Set(),
    wakeUps: [],
    wakeUpsForEnds: [],
    logins: indexAfterSweep([vault, otherVault]),
    vault,
    otherVault,
    target,
    leases,
    rotator,
    published,
    secret,
    firstVersion,
    firstPassword,
    current: () => credentialIn(vault.newest(secret).value),
    deps: (wrap = (_name, port) => port) => ({
      vaults: new Map([
        [vault.name, wrap('vault', vault)],
        [otherVault.name, wrap('otherVault', otherVault)],
      ]),
      rotators: new Map([['memory', entry]]),
      loadRotator: async () => wrap('rotator', rotator),
      leases: wrap('leases', leases),
      progress: { step: () => undefined },
      followUps: wrap('followUps', followUpsOf(published)),
      wakeUps: wakeUpsOf(world, wrap),
      logins: world.logins,
      acknowledged: async () => ({ kind: 'acknowledged', consumers: world.acknowledged }),
      defaults: { validForMs: 90 * dayMs, rotateBeforeMs: 30 * dayMs, overlapMs: dayMs },
      targetHosts: [],
      localTargets: true,
      identityLogin: () => undefined,
      getToken: () => Promise.reject(new Error('no identity here')),
      newPassword,
      wait: async (ms) => {
        leases.nowMs += ms;
        vault.now = new Date(vault.now.getTime() + ms);
      },
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

/** The same text is read many thousand times. */
const credentials = new WeakMap<SecretText, Credential>();

export function credentialIn(value: SecretText): Credential {
  const known = credentials.get(value);
  if (known !== undefined) return known;
  const shown = shownValue.parse(JSON.parse(value.reveal()));
  const password = new SecretText(shown.password ?? shown.current ?? '');
  const credential = { password, ...(shown.username === undefined ? {} : { username: shown.username }) };
  credentials.set(value, credential);
  return credential;
}
