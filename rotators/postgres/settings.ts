/** The settings a login's sessions start with (`ALTER ROLE … SET`), which the other login of a pair must have too. */
import * as z from 'zod';
import { nameValues, type Question } from './question.ts';
import { quoteName, quoteText } from './quote.ts';
import type { Session } from './talk.ts';

const setting = z.object({
  login: z.string(),
  /** Null: in all databases. */
  database: z.string().nullable(),
  name: z.string(),
  value: z.string(),
});

export type Setting = z.infer<typeof setting>;

export function settingsOf(logins: readonly string[]): Question<Setting> {
  const sql = `
  SELECT r.rolname::text AS login, d.datname::text AS database,
         split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
  FROM pg_db_role_setting g JOIN pg_roles r ON r.oid = g.setrole LEFT JOIN pg_database d ON d.oid = g.setdatabase,
       unnest(g.setconfig) AS c
  WHERE r.rolname = ANY (${nameValues(logins)}) ORDER BY 1, 2, 3`;
  return { sql, row: setting };
}

export async function readSettings(session: Session, logins: readonly string[]): Promise<readonly Setting[]> {
  return session.rows(settingsOf(logins));
}

/**
 * The statements that give `login` the settings of `model`, none when it has them. Which role a session starts as is not among them: it
 * is what ties the pair together, and differs between the two.
 */
export function settingChanges(settings: readonly Setting[], model: string, login: string): readonly string[] {
  const wanted = settings.filter((entry) => entry.login === model && entry.name !== 'role');
  const present = settings.filter((entry) => entry.login === login && entry.name !== 'role');
  const same = (one: Setting, other: Setting) => one.database === other.database && one.name === other.name;
  return [
    ...present
      .filter((entry) => !wanted.some((other) => same(entry, other)))
      .map((entry) => `${alter(login, entry.database)} RESET ${quoteSettingName(entry.name)}`),
    ...wanted
      .filter((entry) => !present.some((other) => same(entry, other) && entry.value === other.value))
      .map((entry) => setStatement(login, entry)),
  ];
}

/** From version 15 on the right to set a parameter can be granted, and asked for. */
const parameterRightVersion = 150_000;

const settingName = z.object({ name: z.string() });

/** The settings of `model` that the login of the session may not give to another login. Before version 15 nobody can tell: none are named. */
export async function settingsOutOfReach(
  session: Session,
  settings: readonly Setting[],
  model: string,
): Promise<readonly string[]> {
  if (session.version < parameterRightVersion) return [];
  const names = settings.filter((entry) => entry.login === model && entry.name !== 'role').map((entry) => entry.name);
  if (names.length === 0) return [];
  const sql = `
    SELECT DISTINCT n.name FROM unnest(ARRAY[${names.map(quoteText).join(', ')}]) AS n(name)
    LEFT JOIN pg_settings s ON lower(s.name) = lower(n.name)
    WHERE coalesce(s.context, 'superuser') <> 'user' AND NOT has_parameter_privilege(n.name, 'SET') ORDER BY 1`;
  const rows = await session.rows({ sql, row: settingName });
  return rows.map((row) => row.name);
}

/** The role that sessions of `login` start as in all databases; undefined: itself. */
export function startingRole(settings: readonly Setting[], login: string): string | undefined {
  return settings.find((entry) => entry.login === login && entry.database === null && entry.name === 'role')?.value;
}

/** `ALTER ROLE login SET role`. */
export function startAs(login: string, role: string): string {
  return `${alter(login, null)} SET role TO ${quoteText(role)}`;
}

function setStatement(login: string, entry: Setting): string {
  const values = lists.has(entry.name) ? splitList(entry.value) : [entry.value];
  const written = values.length === 0 ? "''" : values.map(quoteText).join(', ');
  return `${alter(login, entry.database)} SET ${quoteSettingName(entry.name)} TO ${written}`;
}

function alter(login: string, database: string | null): string {
  return `ALTER ROLE ${quoteName(login)}${database === null ? '' : ` IN DATABASE ${quoteName(database)}`}`;
}

// A setting of an extension has a name of two parts.
function quoteSettingName(name: string): string {
  return name.split('.').map(quoteName).join('.');
}

// The settings the server stores as a list of quoted names (GUC_LIST_QUOTE). One literal for the whole would be taken for one name.
const lists: ReadonlySet<string> = new Set([
  'search_path',
  'temp_tablespaces',
  'local_preload_libraries',
  'session_preload_libraries',
  'shared_preload_libraries',
]);

/** The names in a stored list: `"$user", public`. Inside double quotes a doubled one stands for itself. */
export function splitList(text: string): readonly string[] {
  const names: string[] = [];
  for (const match of text.matchAll(/"((?:[^"]|"")*)"|[^\s,"]+/g)) {
    names.push(match[1] === undefined ? match[0] : match[1].replaceAll('""', '"'));
  }
  return names;
}
