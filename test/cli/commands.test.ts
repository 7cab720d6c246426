/** Every command, over HTTP against the built app in a local Azure. */
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localApiKeys } from '../../local/api-keys.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { findSecrets } from '../canary.ts';
import { type Stage, startStage } from '../paths/stage.ts';
import { keyturn, type Outcome, type Seat } from './harness.ts';

let stage: Stage;
/** Everything that was ever printed. */
const printed: Outcome[] = [];

beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

type Role = keyof typeof localApiKeys;

async function as(role: Role, words: readonly string[], seat: Seat = {}): Promise<Outcome> {
  const env = { KEYTURN_URL: stage.azure.host.url, KEYTURN_KEY: localApiKeys[role], ...seat.env };
  const outcome = await keyturn(words, { ...seat, env });
  printed.push(outcome);
  return outcome;
}

const far = { days: 90, tags: { overlap: 'P1D' } };

describe('rotate', () => {
  it('makes a new version that logs in, and shows each step and until when both credentials work', async () => {
    await stage.plant('cli-one', far);
    const { exit, out, err } = await as('operator', ['rotate', 'cli-one', '-r', 'a test'], { columns: 100 });
    expect(exit).toBe(0);
    const made = stage.newest('cli-one');
    expect(stripVTControlCharacters(out)).toContain(`local/cli-one rotated to version ${made.id}`);
    expect(stripVTControlCharacters(out)).toMatch(/old credential {2}works until .* \((in 24 h|in 1 d)\)/);
    const steps = stripVTControlCharacters(err);
    const named = ['read', 'prepare', 'probe', 'propose', 'apply', 'verify', 'publish', 'confirm', 'follow up'];
    expect(named.filter((step) => !steps.includes(`✓ ${step}`))).toEqual([]);
    expect(readStamp(made.tags ?? {})?.rotationId).toMatch(/^[0-9a-f]{32}$/);
    await stage.expectCurrentLogsIn('cli-one');
  });

  it('while the overlap runs changes nothing, says until when, and exits with 6', async () => {
    const before = stage.newest('cli-one').id;
    const { exit, out, err } = await as('operator', ['rotate', 'cli-one', '-r', 'again']);
    expect({ exit, out }).toMatchObject({ exit: 6, out: expect.stringContaining('skipped overlap-running') });
    expect(err).toContain('Do: Wait until then, or run "keyturn retire cli-one"');
    expect(stage.newest('cli-one').id).toBe(before);
  });

  it('that fails shows code, cause, hint and page, and exits with 1', async () => {
    stage.vault.put('cli-no-admin', {
      value: stage.url('rotation_admin', stage.secret('wrong')),
      tags: { serves: 'cli-*' },
    });
    const planted = await stage.plant('cli-broken', { ...far, tags: { ...far.tags, admin: 'cli-no-admin' } });
    const { exit, err } = await as('operator', ['rotate', 'cli-broken', '-r', 'a test'], { columns: 80 });
    expect(exit).toBe(1);
    const text = stripVTControlCharacters(err);
    expect(text).toMatch(/✗ \w+.*admin-refused/);
    expect(text).toContain('Do: Put a working connection into the admin secret');
    expect(text).toContain('See docs/errors/admin-refused.md');
    await stage.expectUntouched(planted);
  });

  it('takes several names, and a name twice rotates once', async () => {
    await stage.plant('cli-two', far);
    await stage.plant('cli-three', far);
    const { exit, out } = await as('operator', ['rotate', 'cli-two', 'local/cli-three', 'cli-two', '-r', 'a test']);
    expect(exit).toBe(0);
    expect(out.match(/rotated to version/g)).toHaveLength(2);
    expect(stage.vault.versions('cli-two')).toHaveLength(2);
    expect(stage.vault.versions('cli-three')).toHaveLength(2);
  });

  it('by a selector wants the number confirmed, does nothing otherwise, and exits with 3 where nothing fits', async () => {
    await stage.plant('cli-blue-a', { ...far, tags: { ...far.tags, colour: 'blue' } });
    await stage.plant('cli-blue-b', { ...far, tags: { ...far.tags, colour: 'blue' } });
    const select = ['rotate', '--tag', 'colour=blue', '-r', 'a test'];
    const unconfirmed = await as('operator', select);
    expect(unconfirmed).toMatchObject({ exit: 2, err: expect.stringContaining('--confirm 2') });
    const wrong = await as('operator', [...select, '--confirm', '3']);
    expect(wrong).toMatchObject({ exit: 6, err: expect.stringContaining('count-differs') });
    const mistyped = await as('operator', select, { columns: 80, types: ['yes'] });
    expect(mistyped.exit).toBe(2);
    expect((await as('operator', ['rotate', '--tag', 'colour=pink', '-r', 'x', '--confirm', '0'])).exit).toBe(3);
    expect((await as('operator', ['rotate', '--tag', 'colour=pink', '-r', 'x'])).exit).toBe(3);
    expect(stage.vault.versions('cli-blue-a')).toHaveLength(1);
    const typed = await as('operator', select, { columns: 80, types: ['2'] });
    expect(typed).toMatchObject({ exit: 0, err: expect.stringContaining('2 of 2 rotated') });
    expect(stage.vault.versions('cli-blue-a')).toHaveLength(2);
    expect(stage.vault.versions('cli-blue-b')).toHaveLength(2);
  });

  it('by a selector with --yes rotates what it fits now, without asking, also in a script', async () => {
    await stage.plant('cli-green', { ...far, tags: { ...far.tags, colour: 'green' } });
    const select = ['rotate', '--tag', 'colour=green', '-r', 'a test'];
    const script = await as('operator', [...select, '--yes', '--query', 'rotations[].secret', '-o', 'tsv']);
    expect(script).toMatchObject({ exit: 0, out: 'cli-green' });
    expect(stage.vault.versions('cli-green')).toHaveLength(2);
    const typed = await as('operator', [...select, '-y'], { columns: 80, types: [] });
    expect(typed).toMatchObject({ exit: 6, err: expect.not.stringContaining('Type the number') });
    expect((await as('operator', ['rotate', '--tag', 'colour=pink', '-r', 'x', '-y'])).exit).toBe(3);
  });

  it('of a secret that is not there names the one that was probably meant', async () => {
    const shown = await as('reader', ['show', 'cli-oen']);
    expect(shown).toMatchObject({ exit: 3, err: expect.stringContaining('Did you mean "cli-one"?') });
    const rotated = await as('operator', ['rotate', 'cli-oen', '-r', 'x']);
    expect(rotated).toMatchObject({ exit: 3, err: expect.stringContaining('Did you mean "cli-one"?') });
  });

  it('without waiting prints the id, with which the rotation is followed', async () => {
    await stage.plant('cli-later', far);
    const queued = await as('operator', ['rotate', 'cli-later', '-r', 'a test', '--no-wait', '--json']);
    const [{ rotationId }] = JSON.parse(queued.out).rotations;
    const followed = await as('reader', ['rotation', rotationId, '--wait']);
    expect(followed).toMatchObject({ exit: 0, out: expect.stringContaining('local/cli-later rotated to version') });
    const shown = await as('reader', ['rotation', rotationId]);
    expect(shown).toMatchObject({ exit: 0, out: expect.stringContaining('publish') });
    expect(JSON.parse((await as('reader', ['rotation', rotationId, '--json'])).out)).toMatchObject({
      state: 'rotated',
    });
  });

  it('asks a person for the reason, and refuses a script that gives none', async () => {
    await stage.plant('cli-why', far);
    expect(await as('operator', ['rotate', 'cli-why', '--json'])).toMatchObject({ exit: 2, out: '' });
    expect((await as('operator', ['rotate', 'cli-why'])).exit).toBe(2);
    expect((await as('operator', ['rotate', 'cli-why'], { columns: 80, types: ['because'] })).exit).toBe(0);
    expect((await as('reader', ['history', 'cli-why'])).out).toContain('because');
  });
});

describe('bad days', () => {
  it('emergency: the old credential is refused at once', async () => {
    const { url } = await stage.plant('cli-leak', far);
    const { exit, out } = await as('emergency', ['emergency', 'cli-leak', '-r', 'in a ticket']);
    expect({ exit, out }).toMatchObject({ exit: 0, out: expect.stringContaining('refused everywhere') });
    expect(await stage.accepts(url)).toBe(false);
    await stage.expectCurrentLogsIn('cli-leak');
  });

  it('rollback: the version before is current again', async () => {
    const { url } = await stage.plant('cli-back', far);
    await as('operator', ['rotate', 'cli-back', '-r', 'a test']);
    const { exit, out } = await as('operator', ['rollback', 'cli-back', '-r', 'wrong one']);
    expect({ exit, out }).toMatchObject({ exit: 0, out: expect.stringContaining('rotated to version') });
    expect(new URL(stage.newest('cli-back').value).username).toBe(new URL(url).username);
    await stage.expectCurrentLogsIn('cli-back');
  });

  it('retire: ends the old credential where nobody uses it, and says when there is none', async () => {
    const { url } = await stage.plant('cli-old', far);
    const early = await as('operator', ['retire', 'cli-old', '-r', 'a test']);
    expect(early).toMatchObject({ exit: 6, err: expect.stringContaining('not-now') });
    await as('operator', ['rotate', 'cli-old', '-r', 'a test']);
    const { exit, out } = await as('operator', ['retire', 'cli-old', '-r', 'all restarted']);
    expect({ exit, out }).toMatchObject({
      exit: 0,
      out: expect.stringContaining('local/cli-old retired: cli_old is refused'),
    });
    expect(await stage.accepts(url)).toBe(false);
  });

  it('retire: names who is missing and exits with 6; ack by the last consumer frees it', async () => {
    await stage.plant('cli-named', { ...far, tags: { ...far.tags, consumers: 'consumer' } });
    await as('operator', ['rotate', 'cli-named', '-r', 'a test']);
    const waiting = await as('operator', ['retire', 'cli-named', '-r', 'a test']);
    expect(waiting).toMatchObject({ exit: 6, out: expect.stringContaining('consumer consumer has not acknowledged') });
    const version = stage.newest('cli-named').id;
    const unnamedVault = await as('consumer', ['ack', 'cli-named', version]);
    expect(unnamedVault).toMatchObject({ exit: 4, err: expect.stringContaining('VAULT/cli-named') });
    const said = await as('consumer', ['ack', 'local/cli-named', version]);
    expect(said).toMatchObject({ exit: 0, out: expect.stringContaining('nobody is missing') });
    expect((await as('consumer', ['ack', 'local/cli-named', 'latest'])).exit).toBe(2);
    expect((await as('reader', ['show', 'cli-named'])).out).toMatch(/acknowledged +consumer/);
  });

  it('release: shows the plan, asks for the name, ends the old credential, and leaves a secret that nobody looks after', async () => {
    const { url, version } = await stage.plant('cli-leaving', { ...far, tags: { ...far.tags, team: 'orders' } });
    await as('operator', ['rotate', 'cli-leaving', '-r', 'a test']);
    const words = ['release', 'cli-leaving', '-r', 'switched off'];
    const script = await as('operator', [...words, '--json']);
    expect(script.exit).toBe(6);
    expect(JSON.parse(script.out)).toMatchObject({ state: 'planned', left: { team: 'orders' } });
    const wrong = await as('operator', words, { columns: 100, types: ['cli-left'] });
    expect({ exit: wrong.exit, err: wrong.err }).toMatchObject({
      exit: 2,
      err: expect.stringContaining(`${version} loses`),
    });
    expect(await stage.accepts(url), 'while nothing is released').toBe(true);
    const { exit, out } = await as('operator', words, { columns: 100, types: ['cli-leaving'] });
    expect({ exit, out: stripVTControlCharacters(out) }).toMatchObject({
      exit: 0,
      out: expect.stringContaining('local/cli-leaving released: cli_leaving is refused'),
    });
    expect(await stage.accepts(url)).toBe(false);
    await stage.expectCurrentLogsIn('cli-leaving');
    expect(stage.vault.versions('cli-leaving').map(({ tags }) => tags)).toEqual([
      { team: 'orders' },
      { team: 'orders' },
    ]);
    expect((await as('operator', [...words, '--yes'])).err).toContain('not-managed');
  });

  it('release: while a consumer is on the old credential it says who, changes nothing and exits with 6', async () => {
    await stage.plant('cli-staying', { ...far, tags: { ...far.tags, consumers: 'consumer' } });
    await as('operator', ['rotate', 'cli-staying', '-r', 'a test']);
    const { exit, out } = await as('operator', ['release', 'cli-staying', '--yes', '-r', 'too early']);
    expect({ exit, out }).toMatchObject({
      exit: 6,
      out: expect.stringContaining('consumer consumer has not acknowledged'),
    });
    expect(stage.newest('cli-staying').tags).toMatchObject({ rotator: 'postgres' });
  });

  it('a version made by hand as docs/on-call/break-glass.md says is taken up: its old credential is retired', async () => {
    await stage.plant('cli-glass', far);
    await as('operator', ['rotate', 'cli-glass', '-r', 'a test']);
    await as('operator', ['retire', 'cli-glass', '-r', 'a test']);
    const { id, value, tags = {} } = stage.newest('cli-glass');
    const password = stage.secret('byhand');
    await stage.sql(`ALTER ROLE cli_glass LOGIN PASSWORD '${password}'`);
    const retireBy = new Date(stage.vault.clock.nowSeconds() * 1000 + 86_400_000).toISOString().slice(0, 19);
    const stamp = `id=${'b'.repeat(32)};from=${id};retire-by=${retireBy}Z`;
    stage.put('cli-glass', stage.url('cli_glass', password), { days: 90, tags: { ...tags, rotation: stamp } });
    expect((await as('reader', ['show', 'cli-glass'])).out).toMatch(/old credential +works until/);
    expect((await as('reader', ['plan', 'cli-glass'])).exit).toBe(0);
    const { exit, out } = await as('operator', ['retire', 'cli-glass', '-r', 'app is back']);
    expect({ exit, out }).toMatchObject({ exit: 0, out: expect.stringContaining('cli_glass_alt is refused') });
    expect(await stage.accepts(value)).toBe(false);
    await stage.expectCurrentLogsIn('cli-glass');
    expect((await as('operator', ['rotate', 'cli-glass', '-r', 'as ever'])).exit).toBe(0);
    await stage.expectCurrentLogsIn('cli-glass');
  });

  it('pause: nothing is started until a time or until it is resumed; a mistyped time does nothing', async () => {
    await stage.plant('cli-paused', far);
    const mistyped = await as('operator', ['pause', 'cli-paused', '--until', 'friday', '-r', 'a test']);
    expect(mistyped).toMatchObject({ exit: 2, err: expect.stringContaining('PT12H') });
    const { exit, out } = await as('operator', ['pause', 'cli-paused', '--until', 'P3D', '-r', 'vendor is on it']);
    expect({ exit, out }).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^local\/cli-paused paused until .*in 3 d/),
    });
    expect((await as('reader', ['show', 'cli-paused'])).out).toMatch(/state +paused\n.*paused by key:operator/);
    expect((await as('reader', ['plan', 'cli-paused', '--mode', 'scheduled'])).out).toMatch(/because +paused: /);
    const ended = await as('operator', ['resume', 'cli-paused', '-r', 'done']);
    expect(ended.out).toBe('local/cli-paused resumed: the pause is over, 0 failures are forgotten');
    const history = await as('reader', ['history', 'cli-paused']);
    expect(history.out).toMatch(/resumed .*done[\s\S]*paused .*vendor is on it \(until /);
  });

  it('resume: failures are forgotten, and the secret is looked at again', async () => {
    await stage.plant('cli-resume', { days: 10, tags: { admin: 'cli-absent' } });
    await stage.said('rotation-failed', 'cli-resume');
    await stage.until('the count', async () => (await as('reader', ['show', 'cli-resume'])).out.includes('failing'));
    const failing = JSON.parse((await as('reader', ['show', 'cli-resume', '--json'])).out);
    expect(failing).toMatchObject({ trouble: { rotation: { failures: 1, last: { code: 'admin-invalid' } } } });
    const { exit, out } = await as('operator', ['resume', 'cli-resume', '-r', 'fixed']);
    expect({ exit, out }).toEqual({ exit: 0, out: 'local/cli-resume resumed: 1 failure is forgotten' });
    await stage.said('rotation-failed', 'cli-resume', 2);
  });

  it('freeze and unfreeze, and health tells', async () => {
    expect(await as('operator', ['freeze', '-r', 'release day'])).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^frozen/),
    });
    const frozen = await as('reader', ['health']);
    expect(frozen).toMatchObject({ exit: 0, out: expect.stringMatching(/frozen +by key:operator, .*: release day/) });
    expect((await as('operator', ['unfreeze', '-r', 'release is out'])).out).toContain('not frozen');
    expect(JSON.parse((await as('reader', ['health', '--json'])).out)).toMatchObject({ freeze: { frozen: false } });
  });
});

describe('looking', () => {
  it('list: the failing one comes first; a selector narrows it; what nothing fits exits with 3', async () => {
    const { exit, out, err } = await as('reader', ['list'], { columns: 80 });
    const lines = stripVTControlCharacters(out).split('\n');
    expect(exit).toBe(0);
    expect(lines[1]).toMatch(/^failing +cli-resume .*admin-invalid/);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(err).toMatch(/\d+ secrets: /);
    const narrow = JSON.parse((await as('reader', ['list', '--tag', 'colour=blue', '--json'])).out);
    expect(narrow.secrets.map((one: { secret: string }) => one.secret).sort()).toEqual(['cli-blue-a', 'cli-blue-b']);
    expect((await as('reader', ['list', '--rotator', 'nothing'])).exit).toBe(3);
    expect((await as('reader', ['list', '--state', 'unwell'])).exit).toBe(2);
  });

  it('show: state, versions and the last failure with its hint, and never the value', async () => {
    const { exit, out } = await as('reader', ['show', 'cli-resume'], { columns: 80 });
    expect(exit).toBe(0);
    expect(stripVTControlCharacters(out)).toMatch(/rotation +\d failed in a row, next .*\n +admin-invalid, /);
    expect(stripVTControlCharacters(out)).toMatch(/do +Correct the tag "admin"/);
    expect(stripVTControlCharacters(out)).toContain(stage.newest('cli-resume').id);
    expect(JSON.parse((await as('reader', ['show', 'cli-one', '--json'])).out).versions).toHaveLength(2);
  });

  it('show names the login in use, once a rotation made the version', async () => {
    const { username } = new URL(stage.newest('cli-one').value);
    expect((await as('reader', ['show', 'cli-one'])).out).toMatch(new RegExp(`^login +${username}$`, 'm'));
    expect((await as('reader', ['show', 'cli-resume'])).out).not.toMatch(/^login /m);
  });

  it('plan: every check with its result; exits with 1 if it would fail', async () => {
    await stage.plant('cli-plan', far);
    const good = await as('reader', ['plan', 'cli-plan']);
    expect(good).toMatchObject({ exit: 0, out: expect.stringMatching(/outcome +would rotate/) });
    const bad = await as('reader', ['plan', 'cli-broken'], { columns: 80 });
    expect(bad.exit).toBe(1);
    expect(stripVTControlCharacters(bad.out)).toMatch(/failed +admin/);
    const scheduled = await as('reader', ['plan', 'cli-plan', '--mode', 'scheduled']);
    expect(scheduled).toMatchObject({ exit: 0, out: expect.stringMatching(/outcome +would be left/) });
    expect((await as('reader', ['plan', 'cli-plan', '--mode', 'maybe'])).exit).toBe(2);
    expect(stage.vault.versions('cli-plan')).toHaveLength(1);
  });

  it('history: who, why, each step', async () => {
    const { exit, out } = await as('reader', ['history', 'cli-broken', '--steps', '--limit', '5']);
    expect(exit).toBe(0);
    expect(out).toContain('key:operator');
    expect(out).toMatch(/admin-refused\n.*\n.*Do: /);
    expect((await as('reader', ['history', 'cli-one', '--limit', '0'])).exit).toBe(2);
  });

  it('doctor: says what would break and what to do, and exits with 1', async () => {
    const { exit, out } = await as('reader', ['doctor'], { columns: 100 });
    const text = stripVTControlCharacters(out);
    expect(exit).toBe(1);
    expect(text).toMatch(/broken +cli-broken +.*fails: admin/);
    expect(text).toContain('Do: Put a working connection into the admin secret of cli-broken');
    expect(text).toMatch(/\d+ secrets: 2 broken, \d+ unsure, \d+ ready/);
    const some = await as('reader', ['doctor', '--tag', 'colour=blue', '--json']);
    expect(some.exit).toBe(0);
    expect(JSON.parse(some.out).secrets).toHaveLength(2);
    expect((await as('reader', ['doctor', '--tag', 'colour=pink'])).exit).toBe(3);
  });
});

describe('refusals', () => {
  it('exit with 4 for a wrong key and for a missing role, and change nothing', async () => {
    const wrong = await as('operator', ['list'], { env: { KEYTURN_KEY: 'x'.repeat(40) } });
    expect(wrong).toMatchObject({ exit: 4, err: expect.stringContaining('credential-refused') });
    const before = stage.newest('cli-plan').id;
    const denied = await as('reader', ['rotate', 'cli-plan', '-r', 'a test']);
    expect(denied).toMatchObject({ exit: 4, err: expect.stringContaining('role-missing') });
    expect((await as('operator', ['emergency', 'cli-plan', '-r', 'a test'])).exit).toBe(4);
    expect((await as('operator', ['retire', 'cli-plan', '--force', '-r', 'a test'])).exit).toBe(4);
    expect(stage.newest('cli-plan').id).toBe(before);
  });

  it('exit with 3 for what does not exist, with the code in JSON on standard error', async () => {
    const { exit, out, err } = await as('reader', ['show', 'no-such-secret', '--json']);
    expect({ exit, out }).toEqual({ exit: 3, out: '' });
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'secret-missing', page: 'docs/errors/secret-missing.md' } });
    expect((await as('reader', ['show', 'elsewhere/orders-db'])).exit).toBe(3);
    expect((await as('reader', ['rotation', '0'.repeat(32)])).exit).toBe(3);
  });

  it('a rotation that lasts longer than --timeout exits with 5 and goes on', async () => {
    await stage.plant('cli-slow', far);
    stage.database.cut();
    const { exit, err } = await as('operator', ['rotate', 'cli-slow', '-r', 'a test', '--timeout', '1']);
    stage.database.mend();
    expect({ exit, err }).toMatchObject({ exit: 5, err: expect.stringContaining('keyturn rotation') });
    await stage.said('rotated', 'cli-slow');
    await stage.expectCurrentLogsIn('cli-slow');
  });
});

it('no secret value and no key of the API was ever printed', async () => {
  // A request that met another at work is looked at again after 65 s.
  await stage.settled(90_000);
  stage.expectNoSecretAnywhere();
  expect(printed.length).toBeGreaterThan(50);
  expect(findSecrets(printed, [...Object.values(localApiKeys), ...stage.canaries()])).toEqual([]);
}, 120_000);
