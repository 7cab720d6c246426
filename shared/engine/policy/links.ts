/**
 * Which secrets hold the credential of another one. Both ends say it: the source lists the others in its tag `also`, and each of them names
 * the source in `copy-of` or, where its value only contains the credential, in `derived-from`. Whoever may edit one end alone gets nothing.
 */
import * as z from 'zod';
import type { Tags } from '../../contract/ports.ts';
import type { TagProblem } from '../../errors.ts';
import { type Format, formats } from '../../secret-value/index.ts';
import { listsName } from './glob.ts';
import type { Stamp } from './stamp.ts';

export const alsoTag = 'also';
export const copyOfTag = 'copy-of';
export const derivedFromTag = 'derived-from';

/** One entry of `also`. */
export interface Also {
  /** Name of a configured vault, lower case; absent: the vault of the source. */
  readonly vault?: string;
  /** The name of a secret, or a pattern with `*`. */
  readonly name: string;
  /** How the credential is written there; absent: as in the source. */
  readonly format?: Format;
}

const entry = /^(?:([\w.-]{1,127})\/)?([0-9a-zA-Z*-]{1,127})(?:\?format=([\w-]+))?$/;
const source = /^(?:([\w.-]{1,127})\/)?([0-9a-zA-Z-]{1,127})$/;

export const alsoTagValue = z.string().transform((text, context): readonly Also[] => {
  const entries: Also[] = [];
  for (const part of text.split(/[\s,]+/).filter((one) => one !== '')) {
    const [, vault, name, asked] = entry.exec(part) ?? [];
    const format = formats.find((each) => each === asked);
    if (name === undefined || (asked !== undefined && format === undefined)) {
      const message = `has "${part.slice(0, 60)}", which is no NAME or VAULT/NAME with ?format=FORMAT behind it, one of ${formats.join(', ')}`;
      context.addIssue({ code: 'custom', message });
      continue;
    }
    entries.push({
      name,
      ...(vault === undefined ? {} : { vault: vault.toLowerCase() }),
      ...(format === undefined ? {} : { format }),
    });
  }
  return entries;
});

/** A secret by its vault and name. */
export interface Place {
  readonly vault: string;
  readonly secret: string;
}

/** `VAULT/NAME`, as tags, commands and messages have it. */
export function placeText({ vault, secret }: Place): string {
  return `${vault}/${secret}`;
}

export function isSamePlace(one: Place, other: Place): boolean {
  return placeText(one).toLowerCase() === placeText(other).toLowerCase();
}

/** What the tags of a copy or a derived secret say. */
export interface LinkedEnd {
  readonly kind: 'linked';
  /** `derived`: its value contains the credential; `copy`: its value is the credential, as the source's is. */
  readonly as: 'copy' | 'derived';
  /** Without a vault: the one it is in itself. */
  readonly source: { readonly vault?: string; readonly secret: string };
  /** Who must acknowledge a new version of it. */
  readonly consumers: readonly string[];
  /** Names of notification channels; undefined: the app's default. */
  readonly notify: readonly string[] | undefined;
}

const names = (text: string): readonly string[] => text.split(/[\s,]+/).filter((part) => part !== '');

/** Undefined where the tags name no source. All problems are named at once. Pure. */
export function readLinkedEnd(
  tags: Tags,
): LinkedEnd | { readonly kind: 'invalid'; readonly problems: readonly TagProblem[] } | undefined {
  const [copyOf, derivedFrom] = [tags[copyOfTag], tags[derivedFromTag]];
  const text = copyOf ?? derivedFrom;
  if (text === undefined) return undefined;
  const as = copyOf === undefined ? 'derived' : 'copy';
  const tag = as === 'copy' ? copyOfTag : derivedFromTag;
  const problems: TagProblem[] = [];
  const [, vault, secret] = source.exec(text.trim()) ?? [];
  if (secret === undefined) problems.push({ tag, detail: 'takes the name of one secret: NAME or VAULT/NAME' });
  if (copyOf !== undefined && derivedFrom !== undefined)
    problems.push({ tag: derivedFromTag, detail: `stands beside "${copyOfTag}"; keep one` });
  if (tags['rotator'] !== undefined)
    problems.push({
      tag: 'rotator',
      detail: `stands beside "${tag}": it is renewed with its source; keep one of the two`,
    });
  if (tags[alsoTag] !== undefined)
    problems.push({ tag: alsoTag, detail: `stands beside "${tag}"; list the secret at the source itself` });
  if (secret === undefined || problems.length > 0) return { kind: 'invalid', problems };
  const notify = tags['notify'];
  return {
    kind: 'linked',
    as,
    source: { secret, ...(vault === undefined ? {} : { vault }) },
    consumers: names(tags['consumers'] ?? ''),
    notify: notify === undefined ? undefined : names(notify),
  };
}

/** The source that a copy in `vault` names. */
export function sourceOf({ source }: LinkedEnd, vault: string): Place {
  return { vault: source.vault ?? vault, secret: source.secret };
}

/** Whether an entry of a source in `vault` lists the secret. A secret never lists itself. Pure. */
export function lists(also: readonly Also[], from: Place, other: Place): boolean {
  if (isSamePlace(from, other)) return false;
  return also.some(
    ({ vault, name }) =>
      (vault ?? from.vault).toLowerCase() === other.vault.toLowerCase() && listsName(name, other.secret),
  );
}

/** Whether an entry names many. */
export function isPattern({ name }: Also): boolean {
  return name.includes('*');
}

/** What the source of a copy is found to say. */
export interface SourceLook {
  readonly kind: 'source';
  readonly source: Place;
  /** Of the source's current version. */
  readonly stamp: Stamp | undefined;
}
