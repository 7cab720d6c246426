/**
 * A hostile second writer and a second secret of the same login, in random histories: no version that Keyturn published or accepted fails to
 * log in, nothing that another secret publishes is taken away, and every other version that fails is told as drifted when its event comes.
 * Crashes and lost answers are the simulator's (`npm run simulate`); here every event is delivered.
 */
import { expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { readStamp, stampTag } from '../../shared/engine/policy/stamp.ts';
import { adopt } from '../../shared/operations/adopt.ts';
import { performArrival } from '../../shared/operations/arrival.ts';
import { performRetirement } from '../../shared/operations/perform.ts';
import { rememberedVersions } from '../../shared/operations/seen-versions.ts';
import { type Around, around, notices, pass, requested } from './around.ts';
import { MemoryIrregularities, MemoryToldBefore } from './kept.ts';
import { Random } from './random.ts';
import { credentialIn, dayMs } from './world.ts';

const signal = new AbortController().signal;
const strategies: readonly [Strategy, ...Strategy[]] = ['single-user', 'alternating-users', 'dual-password'];
const histories = 1_000;
const other = 'orders-legacy';

class History {
  readonly it: Around;
  readonly trail: string[] = [];
  readonly #random: Random;
  readonly #besides = {
    irregularities: new MemoryIrregularities(),
    toldBefore: new MemoryToldBefore(),
    seenVersions: rememberedVersions(),
  };
  /** Versions that Keyturn published or accepted. */
  readonly #vouched: Set<string>;
  #asked = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.it = around({}, this.#random.pick(strategies));
    this.#vouched = new Set([this.it.world.firstVersion]);
  }

  async play(): Promise<void> {
    for (let action = 0; action < 14; action++) {
      await this.#act();
      this.#look();
    }
  }

  async #act(): Promise<void> {
    pass(this.it, this.#random.pick([60_000, 3_600_000, dayMs + 1_000]));
    const dice = this.#random.below(100);
    if (dice < 30) await this.#ask(this.#random.pick(['asked', 'scheduled', 'forced', 'roll-back'] as const));
    else if (dice < 36) await this.#ask('emergency');
    else if (dice < 50) await this.#retire();
    else if (dice < 78) await this.#write();
    else if (dice < 88) await this.#ask('repair');
    else if (dice < 94) await this.#adopt();
    else this.#share();
  }

  get #newest() {
    return this.it.world.vault.newest(this.it.world.secret);
  }

  async #ask(mode: RotationRequest['mode']): Promise<void> {
    const before = this.#newest.version;
    const id = (++this.#asked).toString(16).padStart(32, '0');
    const result = await requested(this.it, mode, mode === 'scheduled' ? {} : { rotationId: id });
    const code = result.kind === 'failed' ? result.failure.code : '';
    this.trail.push(`${mode}: ${result.kind} ${code}`);
    if (this.#newest.version !== before) this.#vouched.add(this.#newest.version);
    await this.#arrive('ours');
  }

  async #retire(): Promise<void> {
    const { vault, secret } = this.it.world;
    const { rotationId } = readStamp(this.#newest.tags) ?? {};
    if (rotationId === undefined) return;
    const about = { vault: vault.name, secret, rotationId, mode: 'scheduled' as const, requestedBy: 'sweep' };
    this.trail.push(`retire: ${(await performRetirement(this.it.deps, about)).kind}`);
  }

  /** Terraform, a pipeline, a person: an older value or nonsense, with the tags of the policy, all tags, or none. */
  async #write(): Promise<void> {
    const { vault, secret } = this.it.world;
    const versions = vault.secrets.get(secret) ?? [];
    const old = this.#random.of(versions)?.value ?? this.#newest.value;
    const wrong = new SecretText('{"username":"app","password":"wrong","host":"db.contoso.test"}');
    const value = this.#random.pick([old, old, this.#newest.value, wrong, new SecretText('LOG=1\nDB=postgres://h/d')]);
    const { [stampTag]: _stamp, ...policy } = this.#newest.tags;
    const tags = this.#random.pick([policy, policy, this.#newest.tags, { team: 'orders' }]);
    const version = vault.put(secret, { value, tags, contentType: 'application/json' });
    this.trail.push(`written: ${version} with ${Object.keys(tags).length} tags`);
    await this.#arrive('theirs');
  }

  async #arrive(whose: 'ours' | 'theirs'): Promise<void> {
    const { vault, secret, target } = this.it.world;
    const { version } = this.#newest;
    target.failures.clear();
    const outcome = await performArrival(
      { ...this.it.deps, ...this.#besides },
      { vault: vault.name, secret, version },
      signal,
    );
    this.trail.push(`  event: ${outcome.kind}`);
    if (outcome.kind === 'adopted') this.#vouched.add(version);
    if (whose === 'theirs' && outcome.kind === 'ours') throw new Error('a version of somebody else passes for ours');
  }

  async #adopt(): Promise<void> {
    const { vault, secret } = this.it.world;
    const outcome = await adopt(this.it.deps.engine, vault, secret, signal);
    this.trail.push(`adopt: ${outcome.kind}`);
    if (outcome.kind === 'adopted') this.#vouched.add(outcome.version);
  }

  /** Another team stores what is published now as a managed secret of its own. */
  #share(): void {
    const { vault, target, logins } = this.it.world;
    const { value, tags } = this.#newest;
    if (vault.secrets.has(other) || !isCredential(value) || !target.accepts(credentialIn(value))) return;
    if (tags['rotator'] === undefined) return;
    const { [stampTag]: _stamp, ...policy } = tags;
    vault.put(other, { value, tags: policy });
    logins.complete.clear();
    this.trail.push('a second secret of the login');
  }

  #look(): void {
    const { vault, target } = this.it.world;
    const { version, tags, value } = this.#newest;
    const logsIn = isCredential(value) && target.accepts(credentialIn(value));
    const told = notices(this.it).some((one) => one.type === 'drifted' && one.version === version);
    if (!logsIn && this.#vouched.has(version))
      throw new Error(`version ${version} was vouched for and does not log in`);
    if (!logsIn && tags['rotator'] !== undefined && !told) throw new Error(`nobody was told of version ${version}`);
    const legacy = vault.secrets.get(other)?.at(-1);
    if (legacy !== undefined && !target.accepts(credentialIn(legacy.value))) throw new Error(`${other} lost its login`);
  }
}

function isCredential(value: SecretText): boolean {
  return value.reveal().startsWith('{');
}

test(`${histories} histories with a second writer and a shared login`, async () => {
  for (let seed = 1; seed <= histories; seed++) {
    const history = new History(seed);
    await history.play().catch((error: unknown) => {
      const said = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error);
      expect.fail(`seed ${seed}: ${said.slice(0, 600)}\n${history.trail.join('\n')}`);
    });
  }
}, 240_000);
