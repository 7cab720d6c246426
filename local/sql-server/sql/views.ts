/** What a query may read: the catalogue views and the tables of the database. */
import { databaseRights } from '../permissions.ts';
import type { Context } from './context.ts';
import { databaseViews } from './database-views.ts';
import { serverViews } from './server-views.ts';
import { sqlErrors } from './sql-error.ts';
import type { View } from './view.ts';

const views: Readonly<Record<string, View>> = { ...serverViews, ...databaseViews };

/** A table of the database: no rows, but its columns, and only for who may select from it. */
function table(context: Context, parts: readonly string[]): View | undefined {
  const [schemaName = 'dbo', objectName] = parts.length === 1 ? ['dbo', parts[0]] : parts;
  const same = (left: string, right: string | undefined): boolean => left.toLowerCase() === right?.toLowerCase();
  const schema = context.database.schemas.find((one) => same(one.name, schemaName));
  const found = context.database.objects.find((one) => one.schemaId === schema?.id && same(one.name, objectName));
  if (found === undefined) return undefined;
  if (!databaseRights(context.database, context.user, found.id).has('SELECT')) {
    throw sqlErrors.objectDenied('SELECT', found.name, context.database.name, schemaName);
  }
  return { columns: Object.fromEntries(found.columns.map((one) => [one.toLowerCase(), 'int'])), rows: () => [] };
}

export function viewOf(context: Context, parts: readonly string[]): View {
  const name = parts.join('.').toLowerCase();
  const found = context.without.has(name) ? undefined : (views[name] ?? table(context, parts));
  if (found === undefined) throw sqlErrors.unknownObject(parts.join('.'));
  return found;
}
