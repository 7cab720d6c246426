/**
 * A secret with all its versions in one opaque blob.
 *
 * The service's blobs are encrypted and go into any vault of the same region; ours go into any local vault of any process, so the key is a
 * constant: it keeps values from the eye and finds damage, no more.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { StoredSecret, StoredVersion } from './store.ts';

/** Documented limit: a secret with more versions cannot be backed up. */
export const maxBackupVersions = 500;

const key = createHash('sha256').update('keyturn local vault backup').digest();
const ivLength = 12;
const tagLength = 16;

const versionSchema = z.strictObject({
  id: z.string(),
  value: z.string(),
  contentType: z.string().exactOptional(),
  tags: z.record(z.string(), z.string()).exactOptional(),
  enabled: z.boolean(),
  notBeforeSeconds: z.int().exactOptional(),
  expiresSeconds: z.int().exactOptional(),
  createdSeconds: z.int(),
  updatedSeconds: z.int(),
});
const backupSchema = z.strictObject({ name: z.string(), versions: z.array(versionSchema).min(1) });

export type BackedUp = z.output<typeof backupSchema>;

/** Base64url, as the service sends it. */
export function writeBackup(secret: StoredSecret): string {
  const versions = [...secret.versions.values()].map(({ number: _, ...version }: StoredVersion) => version);
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify({ name: secret.name, versions })), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** Undefined where it is not a backup, or a damaged one. Versions come in the order they were made. */
export function readBackup(blob: string): BackedUp | undefined {
  const bytes = Buffer.from(blob, 'base64url');
  const iv = bytes.subarray(0, ivLength);
  const tag = bytes.subarray(ivLength, ivLength + tagLength);
  if (tag.length < tagLength) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv);
    decipher.setAuthTag(tag);
    const text = Buffer.concat([decipher.update(bytes.subarray(ivLength + tagLength)), decipher.final()]);
    return backupSchema.parse(JSON.parse(text.toString('utf8')));
  } catch {
    // Whatever is wrong with it, the service says no more than "malformed".
    return undefined;
  }
}
