/** Repair: the published credential does not log in, and the last version that does takes its place. */
import { type Credential, credentialName, sameCredential } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { RotationRequest } from '../policy/request.ts';
import { revokedOf } from '../policy/stamp.ts';
import { ask } from '../running/ask.ts';
import type { StepTime } from '../running/attempt.ts';
import type { EngineDependencies } from '../running/dependencies.ts';
import { prepare, type Target } from '../running/target.ts';
import type { RefusedBefore } from './probe.ts';
import { revokedAs } from './roll-back.ts';

/** How many earlier versions are tried, newest first. */
const mostTried = 10;

/** How often one login may be refused, the published credential included: servers that lock accounts count that. */
const mostRefused = 3;

export type Repair =
  /** The current version logs in. */
  | { readonly kind: 'healthy' }
  /** The last version that logs in, as if it were current: its value is published again as it is, under the tags of the current one. */
  | {
      readonly kind: 'found';
      readonly version: string;
      readonly login: string;
      readonly current: Current;
      readonly target: Target;
    }
  /** None does, as far as was asked: a new credential is made. */
  | {
      readonly kind: 'none';
      /** What the target said of the current one. */
      readonly detail: string;
      readonly refused: readonly RefusedBefore[];
      /** How many versions were not tried, because their login was refused too often. */
      readonly untried: number;
    };

interface Work {
  readonly deps: EngineDependencies;
  readonly vault: Vault;
  readonly current: Current;
  readonly asked: { readonly rotationId: string; readonly emergency: boolean };
  readonly request: Pick<RotationRequest, 'force'>;
  /** Only looks: whether a credential was revoked is known from its own version's tags alone. */
  readonly looking?: boolean;
}

/**
 * Asks the target about the current version, then about earlier ones that are enabled, newest first. One whose credential was revoked in an
 * emergency is left out unless somebody insists. Changes nothing at the target; in the vault only the `enabled` of old versions, for a
 * moment. A version speaks for the login that it logs in as, so one that logs in needs no other to vouch for it.
 */
export async function findRepair(work: Work, time: StepTime): Promise<Repair | Failure> {
  const { vault, current } = work;
  const published = await tryValue(work, current, time);
  if (isFailure(published)) return published;
  if (published.accepted) return { kind: 'healthy' };
  const listed = await vault.versions(current.secret.name, { signal: time.signal });
  if (isFailure(listed)) return listed;
  const earlier = listed.versions.filter(({ version, enabled }) => enabled && version !== current.secret.version);
  const refusals = new Refusals();
  refusals.note(published);
  for (const { version, tags } of earlier.slice(0, mostTried)) {
    if (revokedOf(tags) !== undefined && work.request.force !== true) continue;
    const tried = await tryVersion({ ...work, refusals }, version, time);
    if (isFailure(tried)) return tried;
    if (tried.kind === 'found') return tried;
  }
  return { kind: 'none', detail: published.detail, refused: refusals.all, untried: refusals.untried };
}

/** What was refused in one repair. */
class Refusals {
  readonly all: RefusedBefore[] = [];
  readonly #counts = new Map<string, number>();
  untried = 0;

  note({ refused, counted, detail }: Extract<Tried, { accepted: false }>): void {
    if (refused === undefined) return;
    this.all.push({ ...refused, detail });
    const login = loginOf(refused);
    if (counted && login !== undefined) this.#counts.set(login, (this.#counts.get(login) ?? 0) + 1);
  }

  /** Whether it would be refused again, or one time too often. */
  rulesOut(asked: Asked): boolean {
    const { credential, host } = asked;
    if (this.all.some((one) => one.host === host && sameCredential(one.credential, credential))) return true;
    const isTooOften = (this.#counts.get(loginOf(asked) ?? '') ?? 0) >= mostRefused;
    if (isTooOften) this.untried++;
    return isTooOften;
  }
}

type Asked = Pick<RefusedBefore, 'credential' | 'host'>;

/** A key without a login is no account that could be locked. */
function loginOf({ credential: { username }, host }: Asked): string | undefined {
  return username === undefined ? undefined : `${username} ${host}`;
}

async function tryVersion(
  work: Work & { readonly refusals: Refusals },
  version: string,
  time: StepTime,
): Promise<Extract<Repair, { kind: 'found' }> | { readonly kind: 'no' } | Failure> {
  const { vault, current, request, refusals } = work;
  const read = await vault.read(current.secret.name, { version, signal: time.signal });
  if (isFailure(read)) return read;
  if (read.kind !== 'found') return { kind: 'no' };
  const { value, contentType, tags } = read.secret;
  const { contentType: _before, ...secret } = current.secret;
  // The tags of the version itself tell the id of its key; everything else that tags say is the current policy's.
  const base: Current = {
    ...current,
    secret: { ...secret, value, ...(contentType === undefined ? {} : { contentType }) },
  };
  const tried = await tryValue(work, base, time, tags);
  if (isFailure(tried)) return tried;
  if (!tried.accepted) {
    refusals.note(tried);
    return { kind: 'no' };
  }
  const { credential, target } = tried;
  if (request.force !== true && work.looking !== true) {
    const marked = await revokedAs(vault, current, { kind: 'earlier', secret: read.secret, credential }, time.signal);
    if ('kind' in marked) return marked;
    if (marked.revoked !== undefined) return { kind: 'no' };
  }
  return { kind: 'found', version, login: credentialName(credential), current: base, target };
}

type Tried =
  | { readonly kind: 'tried'; readonly accepted: true; readonly credential: Credential; readonly target: Target }
  | {
      readonly kind: 'tried';
      readonly accepted: false;
      /** Undefined: there is none in the value, or it was not asked about. */
      readonly refused: Asked | undefined;
      /** Whether a login was tried, and failed. */
      readonly counted: boolean;
      readonly detail: string;
    };

/** What cannot be read, or names a host that the admin does not, does not log in for anybody. */
const unusable: ReadonlySet<string> = new Set(['value-unreadable', 'host-mismatch', 'target-not-allowed']);

async function tryValue(
  { deps, vault, asked, refusals }: Work & { readonly refusals?: Refusals },
  base: Current,
  time: StepTime,
  tags = base.secret.tags,
): Promise<Tried | Failure> {
  const target = await prepare(deps, vault, { ...base, secret: { ...base.secret, tags } }, asked, time.signal);
  if (isFailure(target)) {
    if (!unusable.has(target.code)) return target;
    return { kind: 'tried', accepted: false, refused: undefined, counted: false, detail: target.message };
  }
  const { credential } = target;
  const asks = { credential, host: target.stepFor(time).endpoint.host };
  if (refusals?.rulesOut(asks) === true)
    return { kind: 'tried', accepted: false, refused: undefined, counted: false, detail: '' };
  const answer = await ask(base, target, credential, time);
  if (isFailure(answer)) return answer;
  return answer.accepted
    ? { kind: 'tried', accepted: true, credential, target }
    : { kind: 'tried', accepted: false, refused: asks, counted: answer.unasked !== true, detail: answer.detail };
}
