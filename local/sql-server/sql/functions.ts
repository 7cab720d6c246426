import { databaseRights, isRoleMember, isServerRoleMember, serverRights } from '../permissions.ts';
import { findDatabase, findLogin, findServerRole } from '../state.ts';
import { type Context, userIn } from './context.ts';
import { sqlErrors } from './sql-error.ts';
import type { Expression, Value } from './syntax.ts';

type Call = Extract<Expression, { kind: 'call' }>;
type Evaluated = (inner: Expression) => Value;

export type ColumnType = 'nvarchar' | 'int' | 'bit' | 'varbinary' | 'datetime2';

const text = (value: Value | undefined): string => (typeof value === 'string' ? value : String(value ?? ''));

/** ISO 8601 with the seven digits of datetime2; the stand-in's clock has three. */
const iso = (moment: Date): string => `${moment.toISOString().slice(0, -1)}0000`;

function wordOf(argument: Expression | undefined): string {
  if (argument?.kind === 'column') return argument.name.toLowerCase();
  return argument?.kind === 'call' ? argument.name : '';
}

function toMoment(value: Value): Value {
  if (typeof value !== 'string') return value;
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?$/.exec(value);
  if (match === null) throw sqlErrors.syntax(value);
  return new Date(`${match[1]}.${(match[2] ?? '').padEnd(3, '0').slice(0, 3)}Z`);
}

function convert(call: Call, value: Evaluated): Value {
  const [type, operand] = call.args;
  if (operand === undefined) throw sqlErrors.syntax(')');
  const given = value(operand);
  switch (wordOf(type)) {
    case 'datetime2':
      return toMoment(given);
    case 'nvarchar':
      return given === null ? null : given instanceof Date ? iso(given) : text(given);
    case 'int':
      return given === null ? null : Number(given);
    default:
      throw sqlErrors.syntax(wordOf(type));
  }
}

function hasPermission(context: Context, args: readonly Value[]): Value {
  const [name, securable, permission] = args;
  const wanted = text(permission).toUpperCase();
  if (securable === null || securable === undefined) {
    return context.login !== undefined && serverRights(context.state, context.login).has(wanted) ? 1 : 0;
  }
  if (text(securable).toUpperCase() !== 'DATABASE') return null;
  const database = typeof name === 'string' ? findDatabase(context.state, name) : context.database;
  if (database === undefined) return null;
  const user = userIn(context.state, context.session, database);
  return user !== undefined && databaseRights(database, user).has(wanted) ? 1 : 0;
}

function serverRoleMember(context: Context, args: readonly Value[]): Value {
  const role = text(args[0]);
  const login = args.length > 1 ? findLogin(context.state, text(args[1])) : context.login;
  const known = findServerRole(context.state, role) !== undefined;
  if (!known || login === undefined) return args.length > 1 || !known ? null : 0;
  return isServerRoleMember(context.state, login, role) ? 1 : 0;
}

function databaseRoleMember(context: Context, args: readonly Value[]): Value {
  const role = text(args[0]);
  const known = context.database.principals.some(
    (one) => one.type === 'R' && one.name.toLowerCase() === role.toLowerCase(),
  );
  return known ? (isRoleMember(context.database, context.user, role) ? 1 : 0) : null;
}

function hasAccess(context: Context, args: readonly Value[]): Value {
  const database = findDatabase(context.state, text(args[0]));
  if (database === undefined) return null;
  return database.state === 0 && userIn(context.state, context.session, database) !== undefined ? 1 : 0;
}

function datediff(call: Call, value: Evaluated): Value {
  const [unit, from, to] = call.args;
  if (wordOf(unit) !== 'second' || from === undefined || to === undefined) throw sqlErrors.syntax(wordOf(unit));
  const [start, end] = [value(from), value(to)];
  if (!(start instanceof Date && end instanceof Date)) return null;
  return Math.trunc(end.getTime() / 1000) - Math.trunc(start.getTime() / 1000);
}

function loginProperty(context: Context, args: readonly Value[]): Value {
  const login = findLogin(context.state, text(args[0]));
  if (login === undefined) return null;
  switch (text(args[1]).toLowerCase()) {
    case 'islocked':
      return context.memory.isLocked(login) ? 1 : 0;
    case 'ismustchange':
      return login.mustChange ? 1 : 0;
    case 'badpasswordcount':
      return context.memory.failures(login.id);
    default:
      return null;
  }
}

/** What a session's own login is; a user of a database that no login stands behind has no name here. */
function loginName(context: Context, args: readonly Value[]): Value {
  if (args.length === 0) return context.session.loginName;
  const [sid] = args;
  return context.state.principals.find((one) => Buffer.isBuffer(sid) && one.sid === sid.toString('hex'))?.name ?? null;
}

interface ScalarFunction {
  readonly type: ColumnType;
  readonly run: (context: Context, args: readonly Value[]) => Value;
}

const scalars: Readonly<Record<string, ScalarFunction>> = {
  sysutcdatetime: { type: 'datetime2', run: (context) => context.now },
  suser_sname: { type: 'nvarchar', run: loginName },
  loginproperty: { type: 'int', run: loginProperty },
  original_login: { type: 'nvarchar', run: (context) => context.session.loginName },
  user_name: { type: 'nvarchar', run: (context) => context.user.name },
  db_name: { type: 'nvarchar', run: (context) => context.database.name },
  db_id: {
    type: 'int',
    run: (context, args) =>
      args.length === 0 ? context.database.id : (findDatabase(context.state, text(args[0]))?.id ?? null),
  },
  serverproperty: {
    type: 'int',
    run: (context, args) => (text(args[0]).toLowerCase() === 'engineedition' ? (context.azure ? 5 : 3) : null),
  },
  suser_sid: {
    type: 'varbinary',
    run: (context, args) => {
      const login = args.length === 0 ? context.session.sid : findLogin(context.state, text(args[0]))?.sid;
      return login === undefined ? null : Buffer.from(login, 'hex');
    },
  },
  has_perms_by_name: { type: 'int', run: hasPermission },
  is_srvrolemember: { type: 'int', run: serverRoleMember },
  is_rolemember: { type: 'int', run: databaseRoleMember },
  has_dbaccess: { type: 'int', run: hasAccess },
};

export function callFunction(context: Context, call: Call, value: Evaluated): Value {
  if (call.name === 'convert') return convert(call, value);
  if (call.name === 'datediff') return datediff(call, value);
  const known = scalars[call.name];
  if (known === undefined || context.without.has(call.name)) throw sqlErrors.unknownFunction(call.name);
  return known.run(context, call.args.map(value));
}

/** The type of what a function gives back. */
export function functionType(call: Call): ColumnType {
  if (call.name === 'datediff') return 'int';
  if (call.name !== 'convert') return scalars[call.name]?.type ?? 'nvarchar';
  const word = wordOf(call.args[0]);
  return word === 'int' || word === 'datetime2' ? word : 'nvarchar';
}
