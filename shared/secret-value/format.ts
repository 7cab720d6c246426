/** How a credential can be written in a secret's value. docs/secret-values.md shows an example of each. */
export const formats = ['raw', 'json', 'uri', 'libpq', 'ado-net', 'stackexchange-redis'] as const;
export type Format = (typeof formats)[number];
