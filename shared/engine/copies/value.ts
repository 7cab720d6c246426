/** What a copy has to hold: its own value with the credential of the source, every other byte as it was. */
import type { Credential } from '../../contract/credential.ts';
import type { SecretVersion } from '../../contract/ports.ts';
import type { SecretText } from '../../contract/secret-text.ts';
import { parseSecretValue, type SecretValue } from '../../secret-value/index.ts';
import type { Policy } from '../policy/policy.ts';
import { readStamp } from '../policy/stamp.ts';
import { leadsOf } from '../running/target.ts';
import type { Copy } from './find.ts';

/** The source as it is to be copied. */
export interface Original {
  readonly policy: Policy;
  readonly value: SecretValue;
}

export type Fitted =
  | {
      readonly kind: 'fitted';
      /** The copy's value with the credential of the source. */
      readonly value: SecretText;
      /** It holds the credential already. */
      readonly isCurrent: boolean;
      /** The credential that it holds. */
      readonly held: Credential;
    }
  /** `detail`: why it cannot hold it, without quoting any of the value. */
  | { readonly kind: 'unfit'; readonly detail: string };

/**
 * Reads the value of a copy and puts the credential of the source into it. A value that is not written as the source is, and for which the
 * entry names no format, is refused: it may be of something else. Pure.
 */
export function fitted({ policy, value }: Original, copy: Copy, secret: SecretVersion): Fitted {
  const read = readCopy({ policy, value }, copy, secret);
  if (read.kind === 'unreadable') return { kind: 'unfit', detail: read.detail };
  const held = read.value.credential;
  const next = nextCredential(value.credential, read.value, copy);
  const replaced = read.value.replace(next);
  if (replaced.kind === 'unreplaceable') return { kind: 'unfit', detail: replaced.detail };
  return { kind: 'fitted', value: replaced.value, isCurrent: holds(held, next), held };
}

function readCopy({ policy, value }: Original, { entry, end }: Copy, secret: SecretVersion) {
  const leads = end.as === 'derived' || leadsOf(policy) === 'nowhere' ? 'provider' : leadsOf(policy);
  const sameAsSource = end.as === 'copy' && entry.format === undefined;
  const format = entry.format ?? (sameAsSource ? policy.format : undefined);
  const read = parseSecretValue(secret.value, {
    leads,
    ...(format === undefined ? {} : { format }),
    ...(sameAsSource && policy.field !== undefined ? { field: policy.field } : {}),
    ...(secret.contentType === undefined ? {} : { contentType: secret.contentType }),
  });
  if (read.kind === 'unreadable' || !sameAsSource || read.value.format === value.format) return read;
  const detail = `its value is written as ${read.value.format}, and that of the source as ${value.format}; if that is meant, write the entry with ?format=${read.value.format}`;
  return { kind: 'unreadable' as const, detail };
}

/** A derived secret holds the key alone; names beside it, as that of an account, are its own. */
function nextCredential({ username, password, parts }: Credential, own: SecretValue, { end }: Copy): Credential {
  const previous = own.format === 'json' && end.as === 'copy' ? parts : undefined;
  return {
    password,
    ...(username === undefined || end.as === 'derived' ? {} : { username }),
    ...(previous === undefined ? {} : { parts: previous }),
  };
}

function holds(held: Credential, wanted: Credential): boolean {
  const { username = held.username, parts = {} } = wanted;
  const previous = held.parts?.['previous'];
  const wantedPrevious = parts['previous'];
  const isSamePrevious =
    wanted.parts === undefined ||
    (wantedPrevious === undefined || previous === undefined
      ? (wantedPrevious?.isEmpty ?? true) && (previous?.isEmpty ?? true)
      : previous.equals(wantedPrevious));
  return held.username === username && held.password.equals(wanted.password) && isSamePrevious;
}

/** Whether Keyturn has written it before. */
export function isOurs({ tags }: Pick<SecretVersion, 'tags'>): boolean {
  return readStamp(tags) !== undefined;
}
