/** Versions that somebody else writes, on a real Postgres: told by the vault's own event, proven within seconds, and the way back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localApiKeys } from '../../local/api-keys.ts';
import { type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.close());

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${stage.azure.host.url}/api/v1/vaults/local/secrets/${path}`, {
    method,
    headers: { 'x-keyturn-key': localApiKeys.operator, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

/** The secret was rotated, and its first credential is dead. */
async function rotated(name: string, tags: Readonly<Record<string, string>> = {}) {
  const planted = await stage.plant(name, { tags: { overlap: 'PT1S', ...tags } });
  stage.tell(name);
  await stage.said('rotated', name);
  await stage.said('retired', name);
  expect(await stage.accepts(planted.url)).toBe(false);
  return planted;
}

/** As Terraform does: the value of its state and the tags of its file, without a word to anybody. */
function writeBack(name: string, url: string): string {
  return stage.put(name, url, { days: 60 }).version;
}

describe('a version that somebody else writes', () => {
  it('with a dead credential is told as drifted within seconds of the vault’s event, and repair brings the last good one back', async () => {
    const { url } = await rotated('written-back');
    const good = stage.newest('written-back').value;
    const startedAt = Date.now();
    const version = writeBack('written-back', url);
    const [line] = await stage.said('drifted', 'written-back');
    expect(Date.now() - startedAt, 'a matter of seconds').toBeLessThan(20_000);
    expect(line).toMatchObject({ level: 'error', code: 'credential-drifted' });
    expect(line?.['detail']).toContain('not made by Keyturn');
    expect(line?.['detail']).toContain(version);
    expect(await call('GET', 'written-back')).toMatchObject({ body: { state: 'drifted' } });
    expect(await call('GET', 'written-back/plan?mode=repair')).toMatchObject({
      body: {
        outcome: 'would-rotate',
        checks: expect.arrayContaining([expect.objectContaining({ name: 'way back' })]),
      },
    });

    const repaired = await call('POST', 'written-back/repair?wait=true', { reason: 'Terraform wrote it back' });
    expect(repaired).toMatchObject({ status: 200, body: { state: 'rotated' } });
    expect(stage.newest('written-back').value).toBe(good);
    await stage.expectCurrentLogsIn('written-back');
    expect(await call('GET', 'written-back')).not.toMatchObject({ body: { state: 'drifted' } });
    expect(await call('POST', 'written-back/repair?wait=true', { reason: 'again' })).toMatchObject({ status: 409 });
  });

  it('is repaired unasked where the secret says so', async () => {
    const { url } = await rotated('self-healing', { 'on-foreign-version': 'repair' });
    const good = stage.newest('self-healing').value;
    stage.put('self-healing', url, { days: 60, tags: { 'on-foreign-version': 'repair' } });
    await stage.said('rotated', 'self-healing', 2);
    expect(stage.newest('self-healing').value).toBe(good);
    await stage.expectCurrentLogsIn('self-healing');
  });

  it('that logs in is adopted, and nobody is told', async () => {
    await rotated('by-hand');
    const before = stage.lines({ secret: 'by-hand' }).length;
    const written = writeBack('by-hand', stage.newest('by-hand').value);
    await stage.until('the adoption', () =>
      stage.lines({ event: 'version-adopted', secret: 'by-hand' }).some((line) => line['version'] === written),
    );
    const later = stage.lines({ secret: 'by-hand' }).slice(before);
    expect(later.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await call('GET', 'by-hand')).not.toMatchObject({ body: { state: 'drifted' } });
  });
});

describe('a version that Keyturn published', () => {
  it('is not proven a second time for its event', async () => {
    await rotated('ours');
    // The process that made it remembers it; another one reads it from the list of versions. Neither logs in.
    const withoutLogin = ['ours', 'known'];
    await stage.until('the look at the version', () =>
      stage.lines({ event: 'checked', secret: 'ours' }).some(({ outcome }) => withoutLogin.includes(String(outcome))),
    );
    expect(stage.lines({ event: 'drifted', secret: 'ours' })).toEqual([]);
  });
});

it('keeps secret values out of everything that was written', () => stage.expectNoSecretAnywhere());
