import * as z from 'zod';
import { type CheckRequest, checkRequest } from '../shared/engine/policy/check-request.ts';
import { isPendingName } from '../shared/engine/policy/identifiers.ts';
import { type RotationRequest, rotationRequest } from '../shared/engine/policy/request.ts';
import { decodeText } from './queue-text.ts';

/** Key Vault's events that ask for a rotation, if it is due. */
const asking = new Map([
  ['Microsoft.KeyVault.SecretNearExpiry', 'near-expiry'],
  ['Microsoft.KeyVault.SecretExpired', 'expired'],
]);

const newVersion = 'Microsoft.KeyVault.SecretNewVersionCreated';

export type EventOutcome =
  | { readonly kind: 'request'; readonly request: RotationRequest }
  /** A version was made, by us or by somebody else: it is looked at. */
  | { readonly kind: 'new-version'; readonly request: CheckRequest }
  /** Nothing to do, and that is as it should be. */
  | { readonly kind: 'ignored'; readonly detail: string }
  /** It cannot be processed, now or later. */
  | { readonly kind: 'refused'; readonly detail: string };

/** Documented samples carry stray blanks in keys and values, and EXP as a string. */
function trimmed(value: unknown): unknown {
  if (typeof value === 'string') return value.trim();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.trim(), trimmed(inner)]));
}

/** A CloudEvent may carry its data as base64 of the bytes instead (JSON format, 3.1). */
function withData(event: unknown): unknown {
  if (typeof event !== 'object' || event === null || !('data_base64' in event) || 'data' in event) return event;
  const { data_base64: encoded, ...rest } = event;
  const data = decodeText(encoded);
  return typeof data === 'object' ? { ...rest, data: trimmed(data) } : event;
}

/** What an event says, for people. Somebody may send a megabyte of it, and a queue message holds 64 KB. */
function shown(text: string): string {
  return text.length <= 127 ? text : `${text.slice(0, 60)}… (${text.length} characters)`;
}

const secretEvent = z.preprocess(
  (event) => withData(trimmed(event)),
  z
    .object({
      /** `eventType` in Event Grid's schema, `type` in CloudEvents. */
      eventType: z.string().optional(),
      type: z.string().optional(),
      data: z.object({
        VaultName: z.string().min(1),
        ObjectName: z.string().min(1),
        Version: z.string().min(1),
      }),
    })
    .transform((event) => ({ type: event.eventType ?? event.type ?? '', ...event.data })),
);

/**
 * Reads one Key Vault event, in Event Grid's schema or as a CloudEvent: tolerant of how it is written, strict in what is decided.
 * `vaults`: names of the app's vaults, lower case. Pure.
 * Source: Microsoft's page "Azure Key Vault as Event Grid source".
 */
export function readSecretEvent(event: unknown, vaults: ReadonlySet<string>): EventOutcome {
  const parsed = secretEvent.safeParse(event);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the event'}: ${issue.message}`);
    return { kind: 'refused', detail: `not a Key Vault secret event: ${problems.join('; ')}` };
  }
  const { type, VaultName, ObjectName, Version } = parsed.data;
  const vault = VaultName.toLowerCase();
  if (!vaults.has(vault)) {
    return {
      kind: 'refused',
      detail: `${shown(ObjectName)}: the vault "${shown(VaultName)}" is not one of this app's (KEYTURN_VAULTS)`,
    };
  }
  const requestedBy = asking.get(type);
  if (requestedBy === undefined && type !== newVersion)
    return { kind: 'refused', detail: `${shown(ObjectName)}: unknown event type "${shown(type)}"` };
  if (isPendingName(ObjectName))
    return { kind: 'ignored', detail: `${shown(ObjectName)}: a stored candidate is not rotated` };
  const about = { vault, secret: ObjectName, version: Version };
  if (requestedBy === undefined) {
    const request = checkRequest.safeParse(about);
    return request.success ? { kind: 'new-version', request: request.data } : unfit(ObjectName, request.error);
  }
  const request = rotationRequest.safeParse({ ...about, mode: 'scheduled', requestedBy });
  return request.success ? { kind: 'request', request: request.data } : unfit(ObjectName, request.error);
}

function unfit(secret: string, { issues }: z.ZodError): EventOutcome {
  return { kind: 'refused', detail: `${shown(secret)}: ${issues.map((issue) => issue.message).join('; ')}` };
}
