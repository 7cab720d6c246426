/**
 * Which fields of one object belong together: `DB_PASSWORD` goes with `DB_HOST`, not with `REDIS_HOST` beside it.
 *
 * A family is what stands in front of a field's role, with other words for the same made one. A field without it (`host`) is of the empty
 * family.
 */
import { type FieldRole, knownPrefix, normalized } from './json-fields.ts';

const synonyms: readonly (readonly [family: string, words: RegExp])[] = [
  ['db', /^(?:db|database|sql|jdbc|r2dbc|datasource|springdatasource|springr2dbc|quarkusdatasource)$/],
  ['postgres', /^(?:pg|postgres|postgresql|timescaledb|cockroachdb)$/],
  ['mysql', /^(?:mysql|mariadb|mysqlx)$/],
  ['sql-server', /^(?:mssql|sqlserver|azuresql)$/],
  ['redis', /^(?:redis|rediss|valkey|springredis|springdataredis)$/],
  ['http', /^(?:http|https)$/],
  ['amqp', /^(?:amqp|amqps|rabbitmq|rabbit)$/],
];

// One server of the company is "db" to one field and "pg" to the next.
const databases = new Set(['db', 'postgres', 'mysql', 'sql-server']);

const endings: Readonly<Partial<Record<FieldRole, RegExp>>> = {
  password: /(?:password|passwd|pass|pwd|secret|key|token)$/,
  username: /(?:username|userid|user|uid|loginname|login)$/,
  host: /(?:hostname|hosts|host|servername|server|fqdn|endpoint)$/,
  port: /(?:portnumber|port)$/,
  database: /(?:databasename|database|dbname|name)$/,
  'connection-string': /(?:connectionstring|connstring|connstr|connection|conn|url|uri|dsn)$/,
};

function canonical(words: string): string {
  return synonyms.find(([, pattern]) => pattern.test(words))?.[0] ?? words;
}

/** The family of a field by its name. */
export function familyOfName(name: string, role: FieldRole): string {
  const known = knownPrefix(name, role);
  if (known !== undefined) return canonical(known);
  const plain = normalized(name);
  const ending = endings[role]?.exec(plain);
  return canonical(ending === null || ending === undefined ? plain : plain.slice(0, ending.index));
}

/** Whether the name ends as that of a host does, whatever stands in front. */
export function endsAsHost(name: string): boolean {
  return /(?:host|hosts|hostname|server|servername|fqdn|endpoint)$/.test(normalized(name));
}

/** The family of a connection string by its scheme; undefined where it has none. */
export function familyOfScheme(scheme: string | undefined): string | undefined {
  return scheme === undefined ? undefined : canonical(scheme.replace(/[:+].*$/, ''));
}

export function isDatabase(family: string): boolean {
  return databases.has(family);
}

function areRelated(one: string, other: string): boolean {
  if (one === other) return true;
  const kinds = [one, other].filter((family) => family !== '');
  if (kinds.length === 1) return kinds.every((family) => databases.has(family));
  return kinds.every((family) => databases.has(family)) && kinds.includes('db');
}

/** Whether they name two different things, so that equal values are chance and not copies. */
export function areDifferent(one: string, other: string): boolean {
  return one !== '' && other !== '' && !areRelated(one, other);
}

/** Those of the items that go with the family: of its own kind where there are some, else those that say nothing of a kind. */
export function closest<Item extends { readonly family: string }>(
  items: readonly Item[],
  family: string,
): readonly Item[] {
  const same = items.filter((item) => item.family === family);
  if (same.length > 0 && family !== '') return same;
  const related = items.filter((item) => areRelated(item.family, family));
  return related.length > 0 ? related : items.filter((item) => !areDifferent(item.family, family));
}
