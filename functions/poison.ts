/** What a message that could not be processed says of itself: read part by part, because the message may be wrong in any of them. */
import * as z from 'zod';
import { rotationRequest } from '../shared/engine/policy/request.ts';

/** Longest text that is shown of a message. Somebody may put 64 KB into one. */
const shownLength = 127;

const shown = z
  .string()
  .trim()
  .min(1)
  .transform((text) => (text.length <= shownLength ? text : `${text.slice(0, 60)}… (${text.length} characters)`))
  .optional()
  .catch(undefined);

const sentence = z.string().min(1).max(2_000).optional().catch(undefined);

const poisonMessage = z
  .object({
    vault: shown,
    secret: shown,
    rotationId: z.string().max(64).optional().catch(undefined),
    refused: sentence,
    hint: sentence,
    channel: shown,
    notice: z.object({ vault: shown, secret: shown }).optional().catch(undefined),
  })
  .catch({});

const place = z.object({ vault: rotationRequest.shape.vault, secret: rotationRequest.shape.secret });

export interface Poison {
  readonly vault: string | undefined;
  readonly secret: string | undefined;
  readonly channel: string | undefined;
  readonly refused: string | undefined;
  readonly hint: string | undefined;
  /** The secret that people are told of; undefined where the message names none that could exist. */
  readonly about:
    | { readonly vault: string; readonly secret: string; readonly rotationId: string | undefined }
    | undefined;
}

/** Never throws, whatever the message is. */
export function readPoison(message: unknown): Poison {
  const { rotationId, refused, hint, channel, notice, ...named } = poisonMessage.parse(message);
  const { vault = notice?.vault, secret = notice?.secret } = named;
  const known = place.safeParse(message);
  return { vault, secret, channel, refused, hint, about: known.success ? { ...known.data, rotationId } : undefined };
}
