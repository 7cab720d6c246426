/** What requests are made of. Every message says what is allowed; none repeats what was sent, which may be a password pasted into the wrong field. */
import * as z from 'zod';
import { rotationRequest } from '../engine/policy/request.ts';

/** A vault by the name under which the app serves it. */
export const vaultName = z
  .string()
  .regex(/^[0-9a-zA-Z-]{1,64}$/, 'takes the name of a vault: letters, digits and dashes')
  .transform((name) => name.toLowerCase());

export const secretName = rotationRequest.shape.secret;

export const version = z.string().regex(/^[0-9a-fA-F]{32}$/, 'takes a version: 32 hex digits');

export const rotationId = z.string().regex(/^[0-9a-f]{32}$/, 'takes the id of a rotation: 32 hex digits in lower case');

/** Why, in a person's words. Control characters would break a line of a log or a table. */
export const reason = z
  .string({ error: 'takes the reason for the request, 1 to 512 characters' })
  .trim()
  .min(1, 'takes the reason for the request, 1 to 512 characters')
  .max(512, 'takes the reason for the request, 1 to 512 characters')
  .regex(/^[^\p{Cc}]*$/u, 'takes one line without control characters');

/** With four eyes in the settings: go on without a second person. */
export const breakGlass = z
  .boolean('takes true or false')
  .default(false)
  .describe('Go on without a second person where one is asked for. Needs the role emergency, and is told loudly.');

/** `true` or `false` in an address. */
export const flag = z
  .enum(['true', 'false'], { error: 'takes true or false' })
  .transform((text) => text === 'true')
  .default(false);

export const wholeNumber = (least: number, most: number, standard: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, `takes a whole number from ${least} to ${most}`)
    .transform(Number)
    .pipe(z.number().min(least, `is at least ${least}`).max(most, `is at most ${most}`))
    .default(standard);

export const time = z.iso.datetime();

/** An object whose fields are all known: an unknown one may be a typing error of a known one, and is never passed over. */
export function fields<Shape extends z.ZodRawShape>(shape: Shape) {
  const allowed = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? allowed.length === 0
          ? 'is not known here; nothing is taken'
          : `is not known here; allowed: ${allowed.join(', ')}`
        : `takes an object${allowed.length === 0 ? '' : ` with ${allowed.join(', ')}`}`,
  });
}

/** A duration for people, in whole seconds. */
export function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, Math.round((to.getTime() - from.getTime()) / 1000));
}
