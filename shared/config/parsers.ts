/** How each kind of setting is read. No message quotes a value: people paste the wrong thing into the wrong place. */
import { isLoopback } from '../loopback.ts';
import { readFileSync, statSync, X509Certificate } from '../node.ts';
import { type DurationBounds, parseDurationWithin } from './duration.ts';

const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const listed = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/**
 * Reads the text of one setting; `reason` is a sentence without its subject. No zod schema: an environment holds nothing but text, and
 * the app reads its settings at every start, where loading zod would take longer than all the rest of it.
 */
export type Parser<T> = (
  text: string,
) => { readonly kind: 'read'; readonly value: T } | { readonly kind: 'wrong'; readonly reason: string };

/** Makes a parser of a function that throws a sentence. */
export function parser<T>(read: (text: string) => T): Parser<T> {
  return (text) => {
    try {
      return { kind: 'read', value: read(text) };
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      return { kind: 'wrong', reason: error.message };
    }
  };
}

/** The sentence that goes to the person; never thrown out of this file. */
class Wrong extends Error {
  override readonly name = 'Wrong';
}

export function wrong(sentence: string): never {
  throw new Wrong(sentence);
}

export const durationMs = (bounds: DurationBounds) =>
  parser((text) => {
    const duration = parseDurationWithin(text, bounds);
    return duration.kind === 'invalid' ? wrong(duration.detail) : duration.ms;
  });

/** An address with nothing but scheme, host and port; https, or http to loopback. Given back without a slash at the end. */
function serviceUrl(text: string, which: string): URL {
  // Not canParse and then a constructor: of a host without end the first is content, and what the second throws quotes the text.
  const url = URL.parse(text) ?? wrong(`${which} is not an address`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    return wrong(`${which} does not begin with https://; plain http goes to loopback only`);
  }
  return url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== ''
    ? wrong(`${which} holds more than a host`)
    : url;
}

/** An address that paths are put behind; given back with a slash at its end. Empty where none is set. */
export const baseAddress = parser((text): string => {
  if (text.trim() === '') return '';
  const { href } = serviceUrl(text.trim(), 'it');
  return href.endsWith('/') ? href : `${href}/`;
});

export interface VaultAddress {
  /** As events name the vault: first label of its host, lower case. */
  readonly name: string;
  readonly url: string;
}

// The host of a stand-in says nothing, so its name may stand in front: `local=http://127.0.0.1:8443`. A real vault's name is its host's.
function vaultAddress(text: string, which: string): VaultAddress {
  const named = /^([a-z][a-z0-9-]{1,22}[a-z0-9])=(.*)$/i.exec(text);
  const url = serviceUrl(named?.[2] ?? text, which);
  if (url.pathname !== '/') return wrong(`${which} holds more than a host`);
  if (named?.[1] !== undefined && !isLoopback(url.hostname)) return wrong(`${which} has a name that is not its host's`);
  return { name: (named?.[1] ?? url.hostname.split('.')[0] ?? '').toLowerCase(), url: url.origin };
}

export const vaultList = parser((text): readonly VaultAddress[] => {
  const vaults = listed(text).map((one, index) => vaultAddress(one, `entry ${index + 1}`));
  if (vaults.length === 0) return wrong('names no vault');
  const names = vaults.map((vault) => vault.name);
  return new Set(names).size === names.length ? vaults : wrong('names a vault twice');
});

function host(text: string, which: string): string {
  const lower = text.toLowerCase();
  return hostName.test(lower) || isLoopback(lower) ? lower : wrong(`${which} is not a host name`);
}

/** Hosts, each with a port where it is not the usual one. */
export const hostList = parser((text): readonly string[] =>
  listed(text).map((one, index) => {
    const [, name = one, port = ''] = /^(.*?)(:\d{1,5})?$/.exec(one) ?? [];
    return `${host(name, `entry ${index + 1}`)}${port}`;
  }),
);

/** Hosts with `*` for characters of one label. A pattern of stars alone bounds nothing, so it is a mistake. */
export const hostPatterns = parser((text): readonly string[] =>
  listed(text).map((one, index) => {
    const pattern = one.toLowerCase().replace(/\.$/, '');
    if (!isLoopback(pattern) && !/^[a-z0-9*_:-]+(\.[a-z0-9*_-]+)*$/.test(pattern))
      wrong(`entry ${index + 1} is no pattern of hosts`);
    return /[^*.]/.test(pattern) ? pattern : wrong(`entry ${index + 1} fits every host`);
  }),
);

/** Logins by host. A login may hold an @ itself, so the last one divides; it may be empty where a token alone is enough. */
export const identityTargets = parser((text): ReadonlyMap<string, string> => {
  const targets = new Map<string, string>();
  listed(text).forEach((one, index) => {
    const at = one.lastIndexOf('@');
    if (at < 0) wrong(`entry ${index + 1} has no @ between login and host`);
    const name = host(one.slice(at + 1), `the host of entry ${index + 1}`);
    if (targets.has(name)) wrong(`entry ${index + 1} names a host a second time`);
    targets.set(name, one.slice(0, at));
  });
  return targets;
});

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export const certificates = parser((text): readonly string[] => {
  if (text.trim() === '') return [];
  // Some portals keep line ends of a setting as two characters.
  const pem = text.includes('-----BEGIN') ? text.replaceAll('\\n', '\n') : readText(text.trim());
  const found = pem.match(certificate) ?? [];
  if (found.length === 0) return wrong('holds no certificate in PEM');
  if (/PRIVATE KEY-----/.test(pem)) return wrong('holds a private key, which has no business here');
  found.forEach((one, index) => {
    try {
      new X509Certificate(one);
    } catch {
      wrong(`certificate ${index + 1} cannot be read`);
    }
  });
  return found;
});

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return wrong('is neither PEM nor the path of a file that can be read');
  }
}

export const folder = parser((text): string | undefined => {
  if (text.trim() === '') return undefined;
  return isFolder(text.trim()) ? text.trim() : wrong('is not a folder');
});

/** What the system says of a path that it cannot look at quotes the path. */
function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** Base URL of a stand-in. */
export const loopbackUrl = parser((text): string | undefined => {
  if (text.trim() === '') return undefined;
  const url = serviceUrl(text.trim(), 'it');
  return isLoopback(url.hostname) ? url.href.replace(/\/+$/, '') : wrong('does not lead to loopback');
});

export const serviceUri = parser((text): string | undefined => {
  if (text.trim() === '') return undefined;
  return serviceUrl(text.trim(), 'it').href.replace(/\/+$/, '');
});

export const clientId = parser((text): string | undefined => {
  if (text.trim() === '') return undefined;
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text.trim()) ? text.trim() : wrong('is not a client id');
});

export const workspaceId = parser((text): string | undefined => {
  if (text.trim() === '') return undefined;
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text.trim())
    ? text.trim()
    : wrong('is not the id of a workspace');
});

export const accountName = parser((text): string | undefined => {
  if (text.trim() === '') return undefined;
  return /^[0-9a-z]{3,24}$/.test(text.trim()) ? text.trim() : wrong('is not the name of a storage account');
});

export const oneOf = <const Word extends string>(words: readonly Word[]) =>
  parser((text): Word => words.find((word) => word === text.trim()) ?? wrong(`is none of ${words.join(', ')}`));

/** Parts of a storage connection string by lower-case name; empty when it is not set. */
export const connectionString = parser((text): ReadonlyMap<string, string> => {
  const parts = new Map(
    listed(text.replaceAll(';', ',')).map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, Math.max(at, 0)).trim().toLowerCase(), part.slice(at + 1)] as const;
    }),
  );
  if (parts.size === 0 || parts.get('usedevelopmentstorage')?.toLowerCase() === 'true') return parts;
  const signed = parts.has('sharedaccesssignature') || (parts.has('accountname') && parts.has('accountkey'));
  if (!signed) return wrong('is not a connection string of a storage account');
  for (const [name, value] of parts) if (name.endsWith('endpoint')) serviceUrl(value, `its ${name}`);
  if (parts.get('defaultendpointsprotocol') === 'http' && !parts.has('blobendpoint')) wrong('does not use https');
  return parts;
});

export const wholeNumber = (least: number, most: number) =>
  parser((text): number => {
    const number = Number(text.trim());
    return Number.isInteger(number) && number >= least && number <= most
      ? number
      : wrong(`is not a whole number from ${least} to ${most}`);
  });

/** What must not be set. */
export const absent = parser((text): undefined => {
  if (text.trim() !== '') wrong('would have secrets printed');
});
