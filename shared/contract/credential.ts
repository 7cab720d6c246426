import type { SecretText } from './secret-text.ts';

/** What a consumer presents to a target to be let in. */
export interface Credential {
  /** Login name; absent where the secret alone is the credential (API keys, signing keys). */
  readonly username?: string;
  /** Password, key or token. */
  readonly password: SecretText;
  /** Which of a target's slots holds the key (`dual-key`). */
  readonly slot?: string;
  /** The provider's own id of an issued key (`issue-revoke`); not secret, kept in the stamp so that the key can be revoked later. */
  readonly keyId?: string;
  /** Further secret parts that change with the credential, by the name of their field (a connection string built around a key). */
  readonly parts?: Readonly<Record<string, SecretText>>;
}

/** How a credential is named in logs, errors and messages: by login, slot or key id, never by value. */
export function credentialName(credential: Credential): string {
  return credential.username ?? credential.slot ?? credential.keyId ?? 'the key';
}

/** Whether both are of one login and hold the same password or key. */
export function sameCredential(one: Credential, other: Credential): boolean {
  return one.username === other.username && one.password.equals(other.password);
}
