/** What people and consumers are told of an attempt. */
import { type Notice, noticeId } from '../contract/notice.ts';
import type { Queues } from '../contract/ports.ts';
import type { Activity } from '../contract/state.ts';
import { shortHash } from '../engine/policy/identifiers.ts';
import type { Attempted, Failed } from '../engine/running/result.ts';
import { type Failure, isFailure } from '../errors.ts';
import type { Log } from '../telemetry.ts';
import { notificationsQueue } from './queues.ts';

export interface News {
  readonly type: 'retired' | 'failed' | 'paused' | 'waiting' | 'reminder';
  readonly activity: Activity;
  readonly result: Pick<Attempted, 'rotationId' | 'notify'> &
    Partial<Pick<Attempted, 'steps'>> &
    Pick<Failed, 'published' | 'unpublished' | 'held'>;
  readonly failure?: Failure;
  /** When the trouble it is about began: what comes back after it was healed is other news. */
  readonly since?: Date;
  readonly nextTryAt?: Date;
  readonly holding?: readonly string[];
  readonly login?: string;
  readonly retireBy?: Date;
}

interface Deps {
  readonly queues: Queues;
  readonly log: Log;
  readonly now: () => Date;
}

/** Never fails: where it cannot be told now, the log says so. */
export async function tell(
  deps: Deps,
  about: { readonly vault: string; readonly secret: string },
  news: News,
): Promise<void> {
  const { vault, secret } = about;
  const { type, activity, failure, holding, login, retireBy, nextTryAt } = news;
  const { rotationId, notify, published } = news.result;
  const now = deps.now();
  const message = {
    id: idOf(news, about, now),
    ...{ type, vault, secret, rotationId, at: now.toISOString() },
    ...(activity === 'rotation' ? {} : { activity }),
    ...(published === undefined ? {} : { from: published.from, version: published.to }),
    ...(failure === undefined ? {} : { failure: shown(failure) }),
    ...(type === 'failed' || type === 'paused' ? worksFields(news) : {}),
    ...(holding === undefined ? {} : { holding: [...holding] }),
    ...(login === undefined ? {} : { login }),
    ...(retireBy === undefined ? {} : { retireBy: retireBy.toISOString() }),
    ...(nextTryAt === undefined ? {} : { nextTryAt: nextTryAt.toISOString() }),
    ...(notify === undefined ? {} : { channels: [...notify] }),
  };
  const told = await deps.queues.enqueue(notificationsQueue, message, { secret });
  if (isFailure(told)) deps.log.error('notice-not-sent', { secret, type, code: told.code, hint: told.hint });
}

/** Codes that say that no credential a consumer could hold logs in. */
const dead: ReadonlySet<string> = new Set(['credential-drifted', 'no-live-credential']);

/** The first question of whoever is woken: are consumers down, and if not, for how long. */
function worksFields({ activity, result, failure }: News): Pick<Notice, 'stillWorks' | 'worksUntil'> {
  if (activity !== 'rotation') return {};
  if (dead.has(failure?.code ?? '')) return { stillWorks: 'no' };
  const { published, unpublished, held, steps = [] } = result;
  if (published !== undefined) return { stillWorks: 'yes' };
  if (held === undefined) return {};
  // The answer to an apply may be lost, so that it was tried is enough to doubt.
  const touched = unpublished === true || steps.some(({ name }) => name === 'apply');
  if (touched && !held.outlives) return { stillWorks: 'unknown' };
  return { stillWorks: 'yes', ...(held.expiresAt === undefined ? {} : { worksUntil: held.expiresAt.toISOString() }) };
}

/** What a notice says of a failure. */
export function shown({ code, message, hint, page }: Failure) {
  return { code, message, hint, page };
}

/** The same for as long as it is the same trouble, so that it is told once. */
function idOf(
  { type, activity, result, failure, since }: News,
  { vault, secret }: { readonly vault: string; readonly secret: string },
  now: Date,
): string {
  const { rotationId } = result;
  const details = [
    ...(failure === undefined ? [] : [failure.code]),
    ...(activity === 'rotation' ? [] : [activity]),
    ...(since === undefined ? [] : [since.getTime().toString(36)]),
  ];
  const detail = type === 'retired' || type === 'waiting' ? '' : details.join('-');
  if (rotationId !== '') return noticeId(type, rotationId, detail);
  // It failed before it was known which version is to be replaced: told once a day, for as long as it stays so.
  const day = now.toISOString().slice(0, 10);
  const same = shortHash(vault.toLowerCase(), secret.toLowerCase(), failure?.message ?? '', day);
  return noticeId(type, same, detail);
}
