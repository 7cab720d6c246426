/** Who wrote a version that does not log in, by the vault's audit log: told later, and never waited for. */
import { describe, expect, test } from 'vitest';
import { checkOf } from '../../functions/check.ts';
import type { AuditLog, WriterOutcome } from '../../shared/contract/audit-log.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { checksQueue } from '../../shared/operations/check.ts';
import { rememberedVersions } from '../../shared/operations/seen-versions.ts';
import { type Around, around, notices } from './around.ts';
import { MemoryIrregularities, MemoryToldBefore } from './kept.ts';

const minuteMs = 60_000;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A wrong value was written and its event has come. */
async function drifted(auditLog?: AuditLog, tags: Record<string, string> = {}) {
  const it = around({ notify: 'ops', ...tags });
  const kept = { irregularities: new MemoryIrregularities(), toldBefore: new MemoryToldBefore() };
  const check = checkOf({
    ...it.deps,
    ...kept,
    seenVersions: rememberedVersions(),
    ...(auditLog === undefined ? {} : { auditLog }),
  });
  const { vault, secret } = it.world;
  const value = new SecretText('{"username":"app","password":"wrong","host":"db.contoso.test"}');
  const version = vault.put(secret, { value, tags: vault.newest(secret).tags, contentType: 'application/json' });
  await check({ vault: vault.name, secret, version }, log);
  const looks = () =>
    it.messages.flatMap(({ queue, body, delayMs }) =>
      queue === checksQueue.name ? [{ ...checksQueue.schema.parse(body), delayMs }] : [],
    );
  /** The look that was asked for last. */
  const look = () => {
    const { delayMs: _later, ...message } = looks().at(-1) ?? {};
    return check(message, log);
  };
  return { it, version, looks, look };
}

function answering(...outcomes: readonly WriterOutcome[]): AuditLog & { readonly asked: string[] } {
  const asked: string[] = [];
  const left = [...outcomes];
  return {
    asked,
    async writerOf({ version }) {
      asked.push(version);
      return left.shift() ?? { kind: 'unknown' };
    },
  };
}

const drifts = (it: Around) => notices(it).filter(({ type }) => type === 'drifted');

describe('a version that does not log in', () => {
  test('is told at once, and its writer once the log knows', async () => {
    const auditLog = answering({ kind: 'unknown' }, { kind: 'writer', who: 'anna@contoso.com from 203.0.113.7' });
    const { it, version, looks, look } = await drifted(auditLog);
    expect(drifts(it)).toHaveLength(1);
    expect(auditLog.asked, 'before the drift was told').toEqual([]);
    expect(looks()).toMatchObject([{ version, writer: 1, delayMs: 10 * minuteMs }]);
    await look();
    expect(drifts(it)).toHaveLength(1);
    expect(looks()).toMatchObject([{ writer: 1 }, { version, writer: 2, delayMs: 20 * minuteMs }]);
    await look();
    expect(drifts(it)[1]).toMatchObject({ version, channels: ['ops'] });
    expect(drifts(it)[1]?.failure?.message).toContain('written by anna@contoso.com from 203.0.113.7');
    expect(looks()).toHaveLength(2);
  });

  test('is told the same where nobody may read the log', async () => {
    const { it, looks } = await drifted();
    expect(drifts(it)).toHaveLength(1);
    expect(looks()).toEqual([]);
  });

  test('is asked about three times at most, also where the log cannot be read', async () => {
    const auditLog = answering({ kind: 'unread', detail: 'HTTP 403' });
    const { it, looks, look } = await drifted(auditLog);
    for (let times = 0; times < 3; times++) await look();
    expect(auditLog.asked).toHaveLength(3);
    expect(looks().map(({ writer }) => writer)).toEqual([1, 2, 3]);
    expect(drifts(it)).toHaveLength(1);
  });

  test('that was replaced or healed since is asked about no more', async () => {
    for (const end of ['replaced', 'healed'] as const) {
      const auditLog = answering({ kind: 'writer', who: 'anna@contoso.com' });
      const { it, look } = await drifted(auditLog);
      const { vault, secret, target } = it.world;
      if (end === 'replaced') vault.put(secret, { ...vault.newest(secret) });
      else it.attention.troubles.clear();
      await look();
      expect(auditLog.asked, end).toEqual([]);
      expect(drifts(it)).toHaveLength(1);
      expect(target.touched).toEqual([]);
    }
  });
});
