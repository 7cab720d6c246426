/**
 * Whom an admin secret serves. Whoever may edit the tags of one secret names its admin, so the admin says itself for which secrets it may be
 * used: without that, the tags of one secret would lend the rights of another one's admin.
 */
import type { SecretProperties, Vault } from '../../contract/ports.ts';
import { type Failure, failure } from '../../errors.ts';
import { listsName } from '../policy/glob.ts';

/** Tag of an admin secret: names of secrets, with `*` for any characters, separated by commas or blanks. */
export const servesTag = 'serves';

/** Undefined where it serves the secret. Pure. */
export function refusalToServe(vault: Vault, admin: SecretProperties, secret: string): Failure | undefined {
  const served = admin.tags[servesTag] ?? '';
  if (listsName(served, secret)) return undefined;
  return failure('admin-not-serving', { secret, admin: admin.name, line: lineToPaste(vault.name, admin, secret) });
}

/** The command writes all tags of a secret, so the line carries those that are there. */
function lineToPaste(vault: string, { name, tags }: SecretProperties, secret: string): string {
  const served = [tags[servesTag] ?? '', secret].filter((part) => part !== '').join(',');
  const all = Object.entries({ ...tags, [servesTag]: served }).map(([tag, value]) => quoted(`${tag}=${value}`));
  return `az keyvault secret set-attributes --vault-name ${vault} -n ${name} --tags ${all.join(' ')}`;
}

function quoted(word: string): string {
  return /^[\w.,:=/@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
