/**
 * What an admin secret says of itself: the secrets it serves, and the other names of its server. Only its owner can say either, because
 * whoever may edit another secret must not be able to have the admin's password sent somewhere.
 */
import { isIP } from 'node:net';
import type { SecretProperties, Tags } from '../../contract/ports.ts';

/** Names of secrets, with `*` for any characters, separated by commas or blanks. Behind `;names=` it holds what `names` would. */
export const servesTag = 'serves';

/** Other names of the admin's server: whole host names or addresses, separated by commas or blanks. */
export const namesTag = 'names';

const namesPart = `;${namesTag}=`;

/** What Key Vault takes. */
const mostTags = 15;

export interface AdminTags {
  readonly serves: string;
  /** Lower case, as an endpoint has its hosts. */
  readonly names: readonly string[];
  /** Entries of `names` that are no whole host name or address. */
  readonly noHosts: readonly string[];
}

/** Reads both tags. Pure. */
export function readAdminTags(tags: Tags): AdminTags {
  const { serves, names } = split(tags[servesTag] ?? '');
  const entries = [names, tags[namesTag] ?? ''].join(',').split(/[\s,]+/);
  const hosts = entries.filter((entry) => entry !== '').map((entry) => entry.toLowerCase());
  return { serves, names: hosts.filter(isHost), noHosts: hosts.filter((host) => !isHost(host)) };
}

function split(tag: string): { readonly serves: string; readonly names: string } {
  const [serves = '', names = ''] = tag.split(namesPart);
  return { serves, names };
}

// A star would let whoever can register a name that fits have the login's password sent there.
function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^(?=[^.]*[a-z_-]|.*\.[^.]*[a-z])[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/.test(text);
}

/**
 * The command that adds an entry to a tag of an admin secret. It writes all tags of a secret, so it carries those that are there; where
 * Key Vault takes no further tag, the names go behind `serves`.
 */
export function lineToAdd(
  vault: string,
  { name, tags }: SecretProperties,
  tag: typeof servesTag | typeof namesTag,
  entry: string,
): string {
  const { serves, names } = split(tags[servesTag] ?? '');
  const join = (list: string): string => (list === '' ? entry : `${list},${entry}`);
  const behind = names !== '' || (tags[namesTag] === undefined && Object.keys(tags).length >= mostTags);
  const ending = (list: string): string => (list === '' ? '' : `${namesPart}${list}`);
  const changed =
    tag === servesTag
      ? { [servesTag]: `${join(serves)}${ending(names)}` }
      : behind
        ? { [servesTag]: `${serves}${ending(join(names))}` }
        : { [namesTag]: join(tags[namesTag] ?? '') };
  return lineToTag(vault, name, { ...tags, ...changed });
}

/** The command that gives a secret these tags. It writes all tags of a secret, so it has to carry those that are there. */
export function lineToTag(vault: string, name: string, tags: Tags): string {
  const all = Object.entries(tags).map(([key, value]) => quoted(`${key}=${value}`));
  return `az keyvault secret set-attributes --vault-name ${vault} -n ${name} --tags ${all.join(' ')}`;
}

function quoted(word: string): string {
  return /^[\w.,:=/@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
