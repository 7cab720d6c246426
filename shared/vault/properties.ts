/** The client's objects to the project's own, checked on the way in. */
import type { SecretProperties as ClientProperties } from '@azure/keyvault-secrets';
import * as z from 'zod';
import type { NewVersion, SecretProperties, VersionChange } from '../contract/ports.ts';

const clientProperties = z.object({
  name: z.string().min(1),
  version: z.string().min(1).optional(),
  enabled: z.boolean().default(true),
  createdOn: z.date(),
  updatedOn: z.date(),
  expiresOn: z.date().optional(),
  notBefore: z.date().optional(),
  contentType: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
});

/** Throws when the vault's answer lacks what every answer of a vault has. */
export function readProperties(from: ClientProperties): SecretProperties {
  // A sweep reads as many of these as there are secrets. What is complete is taken as it is; for the rest, the schema fills in what may
  // be missing, or says what must not.
  const known = isComplete(from) ? from : clientProperties.parse(from);
  const { version, expiresOn, notBefore, contentType } = known;
  const properties: Mutable<SecretProperties> = {
    name: known.name,
    enabled: known.enabled,
    createdAt: known.createdOn,
    updatedAt: known.updatedOn,
    tags: known.tags,
  };
  if (version !== undefined) properties.version = version;
  if (expiresOn !== undefined) properties.expiresAt = expiresOn;
  if (notBefore !== undefined) properties.notBefore = notBefore;
  if (contentType !== undefined) properties.contentType = contentType;
  return properties;
}

type Mutable<Of> = { -readonly [Name in keyof Of]: Of[Name] };
type Complete = z.output<typeof clientProperties>;

function isComplete(from: ClientProperties): from is ClientProperties & Complete {
  const { name, version, enabled, createdOn, updatedOn, expiresOn, notBefore, contentType, tags } = from;
  return (
    isText(name) &&
    (version === undefined || isText(version)) &&
    typeof enabled === 'boolean' &&
    isDate(createdOn) &&
    isDate(updatedOn) &&
    (expiresOn === undefined || isDate(expiresOn)) &&
    (notBefore === undefined || isDate(notBefore)) &&
    (contentType === undefined || typeof contentType === 'string') &&
    tags !== undefined &&
    areTexts(tags)
  );
}

function areTexts(tags: Readonly<Record<string, unknown>>): boolean {
  for (const name in tags) if (typeof tags[name] !== 'string') return false;
  return true;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

const anyVersion = z.string().min(1);

/** The same for an answer that names the version. */
export function readVersionProperties(from: ClientProperties): SecretProperties & { readonly version: string } {
  const properties = readProperties(from);
  return { ...properties, version: anyVersion.parse(properties.version) };
}

export function writeProperties(version: NewVersion) {
  return {
    tags: { ...version.tags },
    ...(version.contentType === undefined ? {} : { contentType: version.contentType }),
    ...(version.expiresAt === undefined ? {} : { expiresOn: version.expiresAt }),
    ...(version.notBefore === undefined ? {} : { notBefore: version.notBefore }),
    ...(version.enabled === undefined ? {} : { enabled: version.enabled }),
  };
}

export function changeProperties(change: VersionChange) {
  return {
    ...(change.enabled === undefined ? {} : { enabled: change.enabled }),
    ...(change.tags === undefined ? {} : { tags: { ...change.tags } }),
  };
}
