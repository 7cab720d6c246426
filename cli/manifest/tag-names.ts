/** The tags that Keyturn reads, with a line for each: what an editor offers, and what a mistyped one is compared with. docs/tags.md says more. */

export const rotatorNames = [
  'azure-keys',
  'entra-app',
  'http-keys',
  'manual',
  'mysql',
  'postgres',
  'redis',
  'self-issued',
  'sql-server',
] as const;

/** Tags that only Keyturn writes. */
export const writtenByKeyturn: readonly string[] = ['rotation', 'requested', 'pending-of'];

export const tagHelp: Readonly<Record<string, string>> = {
  rotator: 'The kind of target. Opts the secret in.',
  strategy: "How the target moves to the next credential. Default: the rotator's safest.",
  admin: 'Name of the vault secret that holds the admin connection, or managed-identity.',
  serves: 'On an admin secret: the secrets it may rotate, with * for any characters.',
  names: 'On an admin secret: other host names of its server.',
  also: 'Copies and derived secrets that are published with it.',
  'copy-of': 'On a copy, in place of rotator: its source.',
  'derived-from': 'On a derived secret, in place of rotator: its source.',
  users: 'The two logins of alternating-users, separated by a comma.',
  'valid-for': 'Lifetime of each version: P90D, or a number of days.',
  'rotate-before': 'Lead time before expiry: P30D.',
  overlap: 'Longest time the old credential lives on: P2D.',
  window: 'When scheduled rotations may start: Mon-Fri 01:00-05:00 Europe/Berlin.',
  consumers: 'Who must acknowledge a new version, separated by commas.',
  notify: 'Names of channels, separated by commas.',
  announce: 'How long before a scheduled rotation it is announced: P7D.',
  rehearse: 'How often a rotation is tried on a throw-away twin, unasked: P30D.',
  'on-foreign-version': 'What follows a version of somebody else that does not log in: report or repair.',
  format: 'How the credential is written in the value: raw, json, uri, libpq, ado-net, stackexchange-redis.',
  field: 'Which of several credentials in JSON, as a JSON pointer.',
  password: 'What new passwords are made of.',
  policy: 'Several of these tags in one, separated by semicolons.',
  provider: 'The description of the provider of http-keys.',
  resource: "The provider's resource: an id in Azure, or a client id in Entra.",
  owner: 'With manual: who replaces it.',
  link: 'With manual: the https address where it is replaced.',
};

export const tagNames: readonly string[] = Object.keys(tagHelp);
