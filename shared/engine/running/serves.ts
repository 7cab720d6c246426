/**
 * Whom an admin secret serves. Whoever may edit the tags of one secret names its admin, so the admin says itself for which secrets it may be
 * used: without that, the tags of one secret would lend the rights of another one's admin.
 */
import type { SecretProperties, Vault } from '../../contract/ports.ts';
import { type Failure, failure } from '../../errors.ts';
import { listsName } from '../policy/glob.ts';
import { lineToAdd, readAdminTags, servesTag } from './admin-tags.ts';

/** Undefined where it serves the secret. Pure. */
export function refusalToServe(vault: Vault, admin: SecretProperties, secret: string): Failure | undefined {
  if (listsName(readAdminTags(admin.tags).serves, secret)) return undefined;
  const line = lineToAdd(vault.name, admin, servesTag, secret);
  return failure('admin-not-serving', { secret, admin: admin.name, line });
}
