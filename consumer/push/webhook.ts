import { createHash } from 'node:crypto';
import { ConsumerError } from '../errors.ts';
import { SecretText } from '../secret-text.ts';
import type { NewsReader } from './news-reader.ts';
import { answer, bytesOf, header, jsonOf, largestBody, type PushAnswer, type PushRequest } from './request.ts';
import { deliver, rotationEvent } from './rotation-event.ts';
import { isSigningSecret, type SignedMessage, verify } from './standard-webhooks.ts';

/** A signing secret (`whsec_…`), or the value of a secret as Keyturn keeps it: also JSON with `current` and `previous`. */
export type SigningSecret = string | SecretText;

export interface WebhookOptions {
  /** Who is told. */
  readonly secrets: Iterable<NewsReader>;
  /**
   * What messages are signed with; any of several will do. Give a function to follow a secret that is rotated itself:
   * `() => webhookSecret.current.value`.
   */
  readonly signingSecret: SigningSecret | readonly SigningSecret[] | (() => SigningSecret | readonly SigningSecret[]);
  /** How far the sender's clock and the way of a message may be off, in seconds. Default 300. */
  readonly toleranceSeconds?: number;
  /** Clock, in ms since 1970. */
  readonly now?: () => number;
}

export interface PushReceiver {
  /** Answers one request. Never rejects for what a stranger can send. */
  handle(request: PushRequest): Promise<PushAnswer>;
}

/**
 * Takes Keyturn's signed webhooks (Standard Webhooks). A message that is forged, too old or not signed at all is refused with 401; one
 * that was handled before is answered 204 and does nothing, whether its sender retried it or somebody replayed it. Ids are remembered
 * for twice the tolerance and in this process only: a replay to another instance makes it read the vault once, no more.
 */
export function webhookReceiver(options: WebhookOptions): PushReceiver {
  const toleranceSeconds = options.toleranceSeconds ?? 300;
  const now = options.now ?? Date.now;
  const seen = new SeenIds(toleranceSeconds * 2000);
  if (typeof options.signingSecret !== 'function') secretsOf(options.signingSecret);
  return {
    async handle(request) {
      if (request.method !== undefined && request.method !== 'POST') return answer(405, 'POST it.', { allow: 'POST' });
      const message = signedMessage(request);
      if (message.body.length > largestBody) return answer(413, 'The message is too large.');
      const { signingSecret } = options;
      const secrets = secretsOf(typeof signingSecret === 'function' ? signingSecret() : signingSecret);
      const verdict = verify(message, secrets, Math.floor(now() / 1000), toleranceSeconds);
      if (verdict !== 'good') return answer(401, refusals[verdict]);
      // The id alone is not enough: it comes from a tag, and news of one secret must not be taken for news of another.
      const known = `${message.id} ${createHash('sha256').update(message.body).digest('base64')}`;
      if (seen.has(known, now())) return answer(204);
      const event = rotationEvent.safeParse(jsonOf(message.body));
      if (!event.success) return answer(400, 'The message must be JSON with type and data.');
      const answered = await deliver(event.data, options.secrets);
      // Only what was handled is remembered, so that the sender's retry after a 503 is not taken for a duplicate.
      if (answered.status === 204) seen.add(known, now());
      return answered;
    },
  };
}

const refusals = {
  forged: 'The signature does not fit the message.',
  'too-old': 'The message is too old.',
  'too-new': 'The message is from the future: look at the clocks.',
} as const;

function signedMessage(request: PushRequest): SignedMessage {
  return {
    id: header(request, 'webhook-id') ?? '',
    timestamp: header(request, 'webhook-timestamp') ?? '',
    signatures: header(request, 'webhook-signature') ?? '',
    body: bytesOf(request.body),
  };
}

function secretsOf(given: SigningSecret | readonly SigningSecret[]): readonly string[] {
  const all = typeof given === 'string' || given instanceof SecretText ? [given] : given;
  const secrets = all.map((one) => (typeof one === 'string' ? one : one.reveal())).flatMap(keysOf);
  if (secrets.length === 0 || !secrets.every(isSigningSecret)) {
    throw new ConsumerError(
      'options',
      'signingSecret must be "whsec_" and base64, or JSON with such a "current" (and "previous").',
    );
  }
  return secrets;
}

function keysOf(value: string): readonly string[] {
  if (!value.trimStart().startsWith('{')) return [value.trim()];
  const parsed = jsonOf(Buffer.from(value));
  if (typeof parsed !== 'object' || parsed === null) return [];
  return ['current', 'previous']
    .map((name): unknown => Reflect.get(parsed, name))
    .filter((key) => typeof key === 'string')
    .filter((key) => key !== '');
}

/** Ids of the last messages, the oldest first. */
class SeenIds {
  readonly #lifetimeMs: number;
  readonly #seen = new Map<string, number>();

  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  has(id: string, nowMs: number): boolean {
    for (const [one, at] of this.#seen) {
      if (nowMs - at <= this.#lifetimeMs) break;
      this.#seen.delete(one);
    }
    return this.#seen.has(id);
  }

  add(id: string, nowMs: number): void {
    this.#seen.set(id, nowMs);
  }
}
