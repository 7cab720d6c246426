/** Somebody else who writes: Terraform, a pipeline, a person. And another team that stores the same login as a secret of its own. */
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategyTraits } from '../../shared/contract/strategy.ts';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import { stampTag } from '../../shared/engine/policy/stamp.ts';
import { type At, copiesOf } from './copied-world.ts';
import type { Counts } from './counts.ts';
import type { Random } from './random.ts';
import { credentialIn, type World } from './world.ts';

/** The second secret of the login. */
export const otherSecret = 'orders-legacy';

interface Parts {
  readonly world: World;
  readonly random: Random;
  readonly strategy: Strategy;
  readonly hasCopies: boolean;
  readonly counts: Counts;
  readonly note: (what: string) => void;
}

/** Whether a value holds a credential that the test world can read. */
export function isCredential(value: SecretText): boolean {
  return value.reveal().startsWith('{');
}

export class SimulatedWriters {
  /** Versions of the secret that one of them made. */
  readonly theirs = new Set<string>();
  /** The same of the copies, as `VAULT/NAME/VERSION`. */
  readonly theirCopies = new Set<string>();
  /** What the second secret published was seen to log in when it came. */
  shares = false;
  readonly #parts: Parts;
  #made = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** One of them does something. `calm`: no worker is at it, and no candidate is stored. Whether it made a version of the secret. */
  act(calm: boolean): boolean {
    const { random, hasCopies } = this.#parts;
    const dice = random.below(100);
    if (dice < 62) return this.#write();
    if (dice < 76) return calm && this.#replaceByHand();
    if (dice < 92) return calm && this.#share();
    return hasCopies && this.#overwriteCopy();
  }

  /** No candidate is stored that a target may depend on. */
  get nothingStored(): boolean {
    const { vault, secret } = this.#parts.world;
    return vault.secrets.get(pendingNameOf(secret))?.at(-1)?.enabled !== true;
  }

  /** An older value, the current one, a wrong one or none at all, with the tags of the policy, all tags, or others. */
  #write(): boolean {
    const { world, random, strategy } = this.#parts;
    const versions = world.vault.secrets.get(world.secret) ?? [];
    const newest = world.vault.newest(world.secret);
    const old = random.of(versions)?.value ?? newest.value;
    const login = strategyTraits[strategy].ofLogin ? '"username":"app",' : '';
    const wrong = new SecretText(`{${login}"host":"db.contoso.test","password":"wrong"}`);
    const value = random.pick([old, old, old, newest.value, wrong, new SecretText('LOG=1\nDB=postgres://h/d')]);
    // Who keeps the policy's tags in a file of their own writes them also where they are missing now.
    const managed = versions.findLast(({ tags }) => tags['rotator'] !== undefined) ?? newest;
    const { [stampTag]: _stamp, ...policy } = managed.tags;
    this.#put(value, random.pick([policy, policy, policy, newest.tags, newest.tags, { team: 'orders' }]));
    return true;
  }

  /** A person gives the login another password at the target, and publishes it. */
  #replaceByHand(): boolean {
    const { world, strategy, random } = this.#parts;
    const { vault, secret, target } = world;
    const newest = vault.newest(secret);
    if (!chosenByPeople.has(strategy) || !isCredential(newest.value) || this.shares) return false;
    const { username } = credentialIn(newest.value);
    if (username === undefined || newest.tags['rotator'] === undefined) return false;
    const password = `by-hand-${++this.#made}-${'x'.repeat(20)}`;
    target.logins.set(username, new Set([password]));
    const { [stampTag]: _stamp, ...policy } = newest.tags;
    const value = new SecretText(JSON.stringify({ username, host: 'db.contoso.test', password }));
    this.#put(value, random.pick([policy, newest.tags]));
    return true;
  }

  #put(value: SecretText, tags: Readonly<Record<string, string>>): void {
    const { world, counts, note } = this.#parts;
    const { vault, secret } = world;
    const { contentType = '', expiresAt } = vault.newest(secret);
    const version = vault.put(secret, { value, tags, contentType, ...(expiresAt && { expiresAt }) });
    this.theirs.add(version);
    counts.writtenByOthers++;
    const whose = tags[stampTag] === undefined ? Object.keys(tags).length : 'all';
    note(`somebody writes ${version} with ${whose} tags`);
  }

  /** Another team stores what logs in now as a managed secret of its own. */
  #share(): boolean {
    const { world, counts, note } = this.#parts;
    const { vault, secret, target, logins } = world;
    const { tags } = vault.newest(secret);
    if (vault.secrets.has(otherSecret) || tags['rotator'] === undefined) return false;
    // What they were given last week lives on in an overlap.
    const versions = vault.secrets.get(secret) ?? [];
    const live = versions.filter((each) => isCredential(each.value) && target.accepts(credentialIn(each.value)));
    const value = this.#parts.random.of(live)?.value;
    // The test world has no resource that a key could be of.
    if (value === undefined || credentialIn(value).username === undefined) return false;
    const { rotator = '', strategy = '', admin = '' } = tags;
    vault.put(otherSecret, { value, tags: { rotator, strategy, admin }, contentType: 'application/json' });
    logins.complete.clear();
    this.shares = true;
    counts.shared++;
    note('another team stores the same login');
    return false;
  }

  #overwriteCopy(): boolean {
    const { world, random, note } = this.#parts;
    const copies = copiesOf(world).filter(({ name }) => name !== 'orders-connection');
    const copy = random.of(copies);
    if (copy === undefined) return false;
    const value = random.of(copy.vault.secrets.get(copy.name) ?? [])?.value;
    if (value === undefined) return false;
    const { tags, contentType = '' } = copy.vault.newest(copy.name);
    const version = copy.vault.put(copy.name, { value, tags, contentType });
    this.theirCopies.add(copyKey(copy, version));
    note(`somebody writes an older value to ${copy.vault.name}/${copy.name}`);
    return false;
  }
}

export function copyKey({ vault, name }: At, version: string): string {
  return `${vault.name}/${name}/${version}`;
}

const chosenByPeople = new Set<Strategy>(['single-user', 'alternating-users', 'dual-password']);
