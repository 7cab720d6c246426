import type { Cursor } from './cursor.ts';
import type {
  LoginOptions,
  PermissionStatement,
  SecurableClass,
  Statement,
  UserOptions,
  UserSource,
} from './syntax.ts';

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

function onOrOff(at: Cursor): boolean {
  if (at.takeWords('on')) return true;
  at.expectWords('off');
  return false;
}

function loginOption(at: Cursor, options: Mutable<LoginOptions>): void {
  const option = at.expectName().toLowerCase();
  at.expectSymbol('=');
  if (option === 'default_database') options.defaultDatabase = at.expectName();
  else if (option === 'default_language') options.defaultLanguage = at.expectName();
  else if (option === 'check_policy') options.checkPolicy = onOrOff(at);
  else if (option === 'check_expiration') options.checkExpiration = onOrOff(at);
  else if (option === 'sid' && at.token.kind === 'binary') options.sid = at.next().text.slice(2).toLowerCase();
  else at.fail();
}

function loginOptions(at: Cursor): LoginOptions {
  const options: Mutable<LoginOptions> = {};
  while (at.takeSymbol(',')) loginOption(at, options);
  return options;
}

/** `CREATE LOGIN`. Its first option is the password, which must be a literal. */
export function createLogin(at: Cursor): Statement {
  const name = at.expectName();
  if (at.takeWords('from', 'external', 'provider')) return { kind: 'create-login', name, options: {} };
  at.expectWords('with', 'password');
  at.expectSymbol('=');
  const password = at.expectString();
  const mustChange = at.takeWords('must_change');
  return { kind: 'create-login', name, password, options: { ...loginOptions(at), mustChange } };
}

export function alterLogin(at: Cursor): Statement {
  const name = at.expectName();
  if (at.takeWords('enable')) return { kind: 'alter-login', name, change: { kind: 'enable' } };
  if (at.takeWords('disable')) return { kind: 'alter-login', name, change: { kind: 'disable' } };
  at.expectWords('with');
  if (!at.takeWords('password')) {
    if (at.takeWords('name')) {
      at.expectSymbol('=');
      const newName = at.expectName();
      return { kind: 'alter-login', name, change: { kind: 'set', unlock: false, newName, options: {} } };
    }
    const options: Mutable<LoginOptions> = {};
    at.list(() => loginOption(at, options));
    return { kind: 'alter-login', name, change: { kind: 'set', unlock: false, options } };
  }
  at.expectSymbol('=');
  const password = at.expectString();
  if (at.takeWords('old_password')) {
    const oldPassword = afterEquals(at);
    const change = { kind: 'set', password, oldPassword, unlock: false, options: loginOptions(at) } as const;
    return { kind: 'alter-login', name, change };
  }
  const { mustChange, unlock } = passwordOptions(at);
  const options = { ...loginOptions(at), ...(mustChange ? { mustChange } : {}) };
  return { kind: 'alter-login', name, change: { kind: 'set', password, unlock, options } };
}

/** `MUST_CHANGE` and `UNLOCK`, which stand behind a password without a comma. */
function passwordOptions(at: Cursor): { mustChange: boolean; unlock: boolean } {
  const found = { mustChange: false, unlock: false };
  for (;;) {
    if (at.takeWords('must_change')) found.mustChange = true;
    else if (at.takeWords('unlock')) found.unlock = true;
    else return found;
  }
}

function afterEquals(at: Cursor): string {
  at.expectSymbol('=');
  return at.expectString();
}

function userOption(at: Cursor, options: Mutable<UserOptions>): void {
  const option = at.expectName().toLowerCase();
  at.expectSymbol('=');
  if (option === 'default_schema') options.defaultSchema = at.expectName();
  else if (option === 'default_language') options.defaultLanguage = at.expectName();
  else at.fail();
}

/** Of a user of a login: its language is the login's, so the grammar has no DEFAULT_LANGUAGE there. */
function loginUserOptions(at: Cursor): UserOptions {
  const options = userOptions(at, false);
  return options.defaultLanguage === undefined ? options : at.fail();
}

function userOptions(at: Cursor, alreadyWith: boolean): UserOptions {
  const options: Mutable<UserOptions> = {};
  if (alreadyWith) while (at.takeSymbol(',')) userOption(at, options);
  else if (at.takeWords('with')) at.list(() => userOption(at, options));
  return options;
}

export function createUser(at: Cursor): Statement {
  const name = at.expectName();
  const made = (source: UserSource, alreadyWith: boolean): Statement => ({
    kind: 'create-user',
    name,
    source,
    options: source.kind === 'login' ? loginUserOptions(at) : userOptions(at, alreadyWith),
  });
  if (at.takeWords('for', 'login') || at.takeWords('from', 'login')) {
    return made({ kind: 'login', login: at.expectName() }, false);
  }
  if (at.takeWords('without', 'login')) return made({ kind: 'without-login' }, false);
  if (at.takeWords('from', 'external', 'provider')) return made({ kind: 'external' }, false);
  if (at.takeWords('with', 'password')) return made({ kind: 'password', password: afterEquals(at) }, true);
  return made({ kind: 'login', login: name }, false);
}

export function alterUser(at: Cursor): Statement {
  const name = at.expectName();
  at.expectWords('with');
  for (const [word, key] of [
    ['login', 'login'],
    ['name', 'newName'],
  ] as const) {
    if (!at.takeWords(word)) continue;
    at.expectSymbol('=');
    return { kind: 'alter-user', name, [key]: at.expectName(), options: {} };
  }
  if (!at.takeWords('password')) {
    const options: Mutable<UserOptions> = {};
    at.list(() => userOption(at, options));
    return { kind: 'alter-user', name, options };
  }
  const password = afterEquals(at);
  const old = at.takeWords('old_password') ? { oldPassword: afterEquals(at) } : {};
  return { kind: 'alter-user', name, password, options: userOptions(at, true), ...old };
}

export function alterRole(at: Cursor, onServer: boolean): Statement {
  const role = at.expectName();
  const action = at.takeWords('add') ? 'add' : 'drop';
  if (action === 'drop') at.expectWords('drop');
  at.expectWords('member');
  return { kind: 'alter-role', onServer, role, action, member: at.expectName() };
}

const securables: Readonly<Record<string, SecurableClass>> = {
  object: 'object',
  schema: 'schema',
  database: 'database',
  user: 'principal',
  role: 'principal',
  login: 'server-principal',
  'server role': 'server-principal',
  type: 'type',
  assembly: 'assembly',
  certificate: 'certificate',
  'symmetric key': 'symmetric key',
  'asymmetric key': 'asymmetric key',
};

function securable(at: Cursor): NonNullable<PermissionStatement['securable']> {
  let kind: SecurableClass = 'object';
  for (const [words, meant] of Object.entries(securables)) {
    if (!at.takePrefix(words.split(' '))) continue;
    kind = meant;
    break;
  }
  const parts = at.dottedName();
  const columns = at.takeSymbol('(') ? at.list(() => at.expectName()) : [];
  if (columns.length > 0) at.expectSymbol(')');
  return { class: kind, parts, columns };
}

/** `GRANT`, `DENY`, `REVOKE`. */
export function permission(at: Cursor, action: PermissionStatement['action']): Statement {
  const permissions = at.list(() => {
    const words: string[] = [];
    while (at.token.kind === 'word' && !at.isWord('on') && !at.isWord('to') && !at.isWord('from')) {
      words.push(at.next().text.toUpperCase());
    }
    return words.length === 0 ? at.fail() : words.join(' ');
  });
  const on = at.takeWords('on') ? { securable: securable(at) } : {};
  if (!at.takeWords('to')) {
    if (action !== 'revoke') at.fail();
    at.expectWords('from');
  }
  const principal = at.expectName();
  const withGrantOption = action === 'grant' && at.takeWords('with', 'grant', 'option');
  return { kind: 'permission', action, permissions, principal, withGrantOption, ...on };
}
