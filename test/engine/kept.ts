/** What is kept beside the vault, in memory: failures, what was told, history. */
import type { History, RotationRecord } from '../../shared/contract/ports.ts';
import type {
  Activity,
  Attention,
  Irregular,
  Irregularities,
  LoginIndex,
  SecretPlace,
  SeenSecret,
  ToldBefore,
  Trouble,
} from '../../shared/contract/state.ts';
import { calm, oneMoreFailure, withoutActivity, withReminders, withWaiting } from '../../shared/contract/trouble.ts';

export class MemoryAttention implements Attention {
  readonly troubles = new Map<string, Trouble>();
  /** What was forgotten, in order. */
  readonly clearings: Activity[] = [];

  trouble(secret: string): Trouble {
    return this.troubles.get(secret.toLowerCase()) ?? calm;
  }

  async of(_vault: string, secret: string): Promise<Trouble> {
    return this.trouble(secret);
  }

  async *all() {
    for (const [secret, trouble] of this.troubles) yield { kind: 'secret' as const, secret, trouble };
  }

  async failed(
    _vault: string,
    secret: string,
    activity: Activity,
    failed: Parameters<Attention['failed']>[3],
    next: Parameters<Attention['failed']>[4],
  ): Promise<Trouble> {
    const before = this.trouble(secret);
    return this.#keep(secret, { ...before, [activity]: oneMoreFailure(before[activity], failed, next) });
  }

  async waits(_vault: string, secret: string, waitsFor: readonly string[]) {
    this.#keep(secret, withWaiting(this.trouble(secret), waitsFor));
    return { kind: 'kept' as const };
  }

  async reminds(_vault: string, secret: string, reminders: readonly string[]) {
    this.#keep(secret, withReminders(this.trouble(secret), reminders));
    return { kind: 'kept' as const };
  }

  async cleared(_vault: string, secret: string, activity: Activity) {
    this.clearings.push(activity);
    this.#keep(secret, withoutActivity(this.trouble(secret), activity));
    return { kind: 'cleared' as const };
  }

  #keep(secret: string, trouble: Trouble): Trouble {
    if (Object.keys(trouble).length === 1) this.troubles.delete(secret.toLowerCase());
    else this.troubles.set(secret.toLowerCase(), trouble);
    return trouble;
  }
}

export class MemoryToldBefore implements ToldBefore {
  readonly told = new Map<string, { readonly secret: string; readonly what: string }>();

  async *all() {
    for (const one of this.told.values()) yield { kind: 'told' as const, ...one };
  }

  async add(_vault: string, secret: string, what: string) {
    this.told.set(`${secret} ${what}`, { secret, what });
    return { kind: 'kept' as const };
  }

  async remove(_vault: string, secret: string, what: string) {
    this.told.delete(`${secret} ${what}`);
    return { kind: 'kept' as const };
  }
}

/** Rows by rotation and start, as the table has them; newest first. */
export class MemoryHistory implements History {
  readonly #rows = new Map<string, RotationRecord>();
  /** Every row as it was written, in order. */
  readonly written: RotationRecord[] = [];

  get records(): readonly RotationRecord[] {
    return [...this.#rows.values()].sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime());
  }

  async record(record: RotationRecord) {
    this.written.push(record);
    this.#rows.set(`${record.startedAt.getTime()} ${record.rotationId}`, record);
    return { kind: 'recorded' as const };
  }

  async of() {
    return { kind: 'listed' as const, records: this.records };
  }

  async rotation(rotationId: string) {
    return { kind: 'listed' as const, records: this.records.filter((one) => one.rotationId === rotationId) };
  }
}

/** Which secrets publish which logins, in memory. */
export class MemoryLoginIndex implements LoginIndex {
  readonly seen = new Map<string, SecretPlace & SeenSecret>();
  readonly complete = new Map<string, Date>();

  #key({ vault, secret }: SecretPlace): string {
    return `${vault}/${secret}`.toLowerCase();
  }

  async *all(vault: string) {
    for (const one of [...this.seen.values()]) if (one.vault === vault) yield { kind: 'seen' as const, ...one };
  }

  async of(place: SecretPlace) {
    return { kind: 'known' as const, seen: this.seen.get(this.#key(place)) };
  }

  async keep(place: SecretPlace, seen: SeenSecret) {
    this.seen.set(this.#key(place), { vault: place.vault, secret: place.secret, ...seen });
    return { kind: 'kept' as const };
  }

  async forget(place: SecretPlace) {
    this.seen.delete(this.#key(place));
    return { kind: 'kept' as const };
  }

  async holders(print: string) {
    const holders = [...this.seen.values()].filter(({ prints }) => prints.includes(print));
    return { kind: 'holders' as const, holders: holders.map(({ vault, secret }) => ({ vault, secret })) };
  }

  async completeAt(vault: string) {
    return { kind: 'known' as const, at: this.complete.get(vault) };
  }

  async completeVaults() {
    return { kind: 'known' as const, vaults: new Set(this.complete.keys()) };
  }

  async markComplete(vault: string, at: Date) {
    this.complete.set(vault, at);
    return { kind: 'kept' as const };
  }
}

export class MemoryIrregularities implements Irregularities {
  readonly kept = new Map<string, Irregular>();

  async *all(_vault: string) {
    for (const [secret, irregular] of [...this.kept]) yield { kind: 'irregular' as const, secret, ...irregular };
  }

  async of({ secret }: SecretPlace) {
    return { kind: 'irregular' as const, ...this.kept.get(secret) };
  }

  async change({ secret }: SecretPlace, change: (before: Irregular) => Irregular) {
    const after = change(this.kept.get(secret) ?? {});
    if ((after.sharedWith ?? []).length === 0 && after.optedOut !== true) this.kept.delete(secret);
    else this.kept.set(secret, after);
    return { kind: 'kept' as const };
  }
}
