/** What is secret of a channel: read from the vault when it is needed, and kept for a minute. */
import * as z from 'zod';
import type { Address, SecretReference } from '../config/channels.ts';
import { isSendable } from '../config/channels.ts';
import type { Vault } from '../contract/ports.ts';
import { SecretText } from '../contract/secret-text.ts';
import { type Failure, failure } from '../errors.ts';
import { parseJson } from '../json.ts';
import type { About } from './answer.ts';

/** A minute is far shorter than any overlap, so a key that rotates is trusted still while an old one is used. */
const keptMs = 60_000;

type ReadSecret = { readonly kind: 'secret'; readonly text: SecretText };

export interface ChannelSecrets {
  text(reference: SecretReference, about: About, signal: AbortSignal): Promise<ReadSecret | Failure>;
  /** Where to post. An address that a secret holds must lead to the host that the settings name. */
  address(
    address: Address,
    about: About,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'url'; readonly url: URL } | Failure>;
  /**
   * Signing keys, the newest first. While the secret rotates with an overlap its value is `{"current": …, "previous": …}`, and receivers may
   * know either.
   */
  keys(
    reference: SecretReference,
    about: About,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'keys'; readonly keys: readonly SecretText[] } | Failure>;
  /** The next reading asks the vault: a receiver has refused what was read. */
  forget(reference: SecretReference): void;
}

const rotating = z.object({ current: z.string().min(1), previous: z.string().optional() });

/** `vaults`: by name; a reference without one means the first. */
export function channelSecrets(vaults: ReadonlyMap<string, Vault>, elapsedMs: () => number): ChannelSecrets {
  const kept = new Map<string, { readonly atMs: number; readonly text: SecretText }>();
  const first = vaults.keys().next().value ?? '';
  const keyOf = ({ vault = first, name }: SecretReference) => `${vault}/${name}`.toLowerCase();

  const text: ChannelSecrets['text'] = async (reference, about, signal) => {
    const key = keyOf(reference);
    const known = kept.get(key);
    if (known !== undefined && elapsedMs() - known.atMs < keptMs) return { kind: 'secret', text: known.text };
    const outcome = await readSecret(vaults.get(reference.vault ?? first), reference.name, about, signal);
    if (outcome.kind === 'secret') kept.set(key, { atMs: elapsedMs(), text: outcome.text });
    return outcome;
  };

  return {
    text,
    async address(address, about, signal) {
      if (address.kind === 'url') return address;
      const { secret: reference, host } = address;
      const outcome = await text(reference, about, signal);
      if (outcome.kind === 'failed') return outcome;
      const url = URL.parse(outcome.text.reveal().trim());
      const unusable = (detail: string) => failure('channel-unusable', { ...about, detail });
      if (url === null || !isSendable(url))
        return unusable(`the secret ${reference.name} holds no address that begins with https://`);
      if (url.hostname !== host)
        return unusable(`the address in the secret ${reference.name} does not lead to ${host}`);
      return { kind: 'url', url };
    },
    async keys(reference, about, signal) {
      const outcome = await text(reference, about, signal);
      if (outcome.kind === 'failed') return outcome;
      const keys = readKeys(outcome.text.reveal().trim());
      if (keys !== undefined) return { kind: 'keys', keys: keys.map((key) => new SecretText(key)) };
      const detail = `the secret ${reference.name} is JSON without a field "current"`;
      return failure('channel-unusable', { ...about, detail });
    },
    forget: (reference) => {
      kept.delete(keyOf(reference));
    },
  };
}

async function readSecret(
  vault: Vault | undefined,
  name: string,
  about: About,
  signal: AbortSignal,
): Promise<ReadSecret | Failure> {
  const unusable = (detail: string) => failure('channel-unusable', { ...about, detail });
  if (vault === undefined) return unusable(`the vault of the secret ${name} is not one of this app's`);
  const read = await vault.read(name, { signal });
  switch (read.kind) {
    case 'found':
      return { kind: 'secret', text: read.secret.value };
    case 'not-found':
      return unusable(`the vault ${vault.name} has no secret ${name}`);
    case 'disabled':
      return unusable(`the secret ${name} in the vault ${vault.name} is disabled`);
    case 'failed':
      return read;
  }
}

function readKeys(text: string): readonly string[] | undefined {
  if (!text.startsWith('{')) return text === '' ? undefined : [text];
  const parsed = rotating.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { current, previous } = parsed.data;
  return previous === undefined || previous === '' ? [current] : [current, previous];
}
