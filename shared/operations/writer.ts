/**
 * Who made a version that does not log in, by the vault's audit log. The log holds it minutes later, so people are told of the drift without it
 * and of the writer in a second message.
 */
import type { AuditLog, MadeVersion } from '../contract/audit-log.ts';
import { noticeId } from '../contract/notice.ts';
import type { CheckRequest } from '../engine/policy/check-request.ts';
import { policyOf } from '../engine/policy/current.ts';
import { shortHash } from '../engine/policy/identifiers.ts';
import type { EngineDependencies } from '../engine/running/dependencies.ts';
import { failure, isFailure } from '../errors.ts';
import { checksQueue } from './check.ts';
import { shown } from './news.ts';
import { notificationsQueue } from './queues.ts';
import type { SettleDependencies } from './settle.ts';

export interface WriterDependencies extends SettleDependencies {
  readonly engine: Pick<EngineDependencies, 'vaults' | 'rotators' | 'defaults'>;
  /** Absent: nobody may read the log. */
  readonly auditLog?: AuditLog;
}

const minuteMs = 60_000;
/** When the log is asked, after the drift was told and after each look that did not find it, in ms. */
const looksAfterMs = [10 * minuteMs, 20 * minuteMs, 60 * minuteMs] as const;

/** Looks later, where there is a log to look in. Never fails: the drift itself was told. */
export async function askForWriter(
  { auditLog, queues, log }: WriterDependencies,
  { vault, secret, version }: Pick<MadeVersion, 'vault' | 'secret' | 'version'>,
  look = 1,
): Promise<void> {
  const delayMs = looksAfterMs[look - 1];
  if (auditLog === undefined || delayMs === undefined) return;
  const asked = await queues.enqueue(checksQueue, { vault, secret, version, writer: look }, { secret, delayMs });
  if (isFailure(asked)) log.warn('writer-not-asked', { vault, secret, version, code: asked.code });
}

export type WriterLook = { readonly kind: 'writer' | 'unknown' | 'over' };

/** Tells who made the version, if it is current and does not log in still. May be called again: it is the same news. */
export async function performWriterLook(
  deps: WriterDependencies,
  request: CheckRequest & { readonly version: string },
  signal: AbortSignal,
): Promise<WriterLook> {
  const { secret, version, writer: look = 1 } = request;
  const vault = deps.engine.vaults.get(request.vault.toLowerCase());
  if (vault === undefined || deps.auditLog === undefined) return { kind: 'over' };
  const about = { vault: vault.name, secret, version };
  const trouble = await deps.attention.of(vault.name, secret);
  if (!isFailure(trouble) && trouble.check?.last.code !== 'credential-drifted') return { kind: 'over' };
  const listed = await vault.versions(secret, { signal });
  const newest = isFailure(listed) ? undefined : listed.versions[0];
  if (newest !== undefined && newest.version !== version) return { kind: 'over' };
  const found =
    newest === undefined
      ? { kind: 'unread' as const, detail: 'the versions could not be listed' }
      : await deps.auditLog.writerOf({ ...about, createdAt: newest.createdAt }, signal);
  if (found.kind !== 'writer') {
    if (found.kind === 'unread') deps.log.warn('audit-log-unread', { ...about, detail: found.detail });
    await askForWriter(deps, about, look + 1);
    return { kind: 'unknown' };
  }
  const policy = newest === undefined ? undefined : policyOf(deps.engine, newest);
  await tellWriter(deps, about, found.who, policy?.kind === 'policy' ? policy.policy.notify : undefined);
  return { kind: 'writer' };
}

async function tellWriter(
  deps: WriterDependencies,
  { vault, secret, version }: Pick<MadeVersion, 'vault' | 'secret' | 'version'>,
  who: string,
  notify: readonly string[] | undefined,
): Promise<void> {
  const detail = `it was written by ${who}, as the audit log of the vault says`;
  const notice = {
    id: noticeId('drifted', shortHash(vault.toLowerCase(), secret.toLowerCase(), version), 'writer'),
    type: 'drifted' as const,
    ...{ vault, secret, rotationId: '', version, at: deps.now().toISOString() },
    failure: shown(failure('credential-drifted', { secret, version, detail })),
    ...(notify === undefined ? {} : { channels: [...notify] }),
  };
  const told = await deps.queues.enqueue(notificationsQueue, notice, { secret });
  const facts = { vault, secret, version, detail };
  if (isFailure(told)) deps.log.warn('writer-not-told', { ...facts, code: told.code });
  else deps.log.info('writer-known', facts);
}
