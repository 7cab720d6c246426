/** The statements the stand-in knows: a template, and what the server does. */
import { type Accounts, failed, may, mayPassOn, type StandInAccount, setPassword } from './accounts.ts';
import { matches, tokens } from './reading.ts';
import type { Answer } from './wire.ts';

export interface Client {
  readonly id: number;
  readonly user: string;
  readonly account: StandInAccount;
  readonly database: string | undefined;
  end(): void;
}

export interface World {
  readonly version: string;
  readonly accounts: Accounts;
  readonly clients: Map<number, Client>;
}

interface Statement {
  readonly template: string;
  readonly run: (world: World, client: Client, values: readonly string[]) => Answer;
}

const ok: Answer = { kind: 'ok' };
const limits =
  'REQUIRE NONE WITH MAX_QUERIES_PER_HOUR :number MAX_UPDATES_PER_HOUR :number MAX_CONNECTIONS_PER_HOUR :number MAX_USER_CONNECTIONS :number';

function rows(columns: readonly string[], cells: readonly (readonly (string | null)[])[]): Answer {
  return { kind: 'rows', columns, rows: cells };
}

function mayReadTables(client: Client, answer: () => Answer): Answer {
  if (may(client.account, 'SELECT', '`mysql`.*')) return answer();
  return failed(1142, '42000', `SELECT command denied to user '${client.user}'@'127.0.0.1' for table 'user'`);
}

function mayChange(client: Client, change: () => Answer): Answer {
  if (may(client.account, 'CREATE USER', '*.*')) return change();
  return failed(
    1227,
    '42000',
    'Access denied; you need (at least one of) the CREATE USER privilege(s) for this operation',
  );
}

/** ALTER USER on an account that has to exist. */
function alter(ending: string, change: (account: StandInAccount, values: readonly string[]) => Answer): Statement {
  return {
    template: `ALTER USER :account ${ending}`,
    run: (world, client, [user = '', host = '', ...values]) =>
      mayChange(client, () => {
        const account = world.accounts.find(user, host);
        return account === undefined
          ? failed(1396, 'HY000', `Operation ALTER USER failed for '${user}'@'${host}'`)
          : change(account, values);
      }),
  };
}

const byPassword =
  (change: 'plain' | 'retain', then: (account: StandInAccount) => void = () => undefined) =>
  (account: StandInAccount, [plugin = '', password = '']: readonly string[]): Answer => {
    const error = setPassword(account, plugin, password, change);
    if (error !== undefined) return error;
    then(account);
    return ok;
  };

const where = 'FROM mysql.user WHERE User = :string AND Host = :string';

const known: readonly Statement[] = [
  {
    template: "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', SESSION sql_quote_show_create = 1",
    run: () => ok,
  },
  {
    template:
      'SELECT VERSION() AS version, CURRENT_USER() AS account, CONNECTION_ID() AS id, UNIX_TIMESTAMP(SYSDATE(6)) AS now',
    run: ({ version }, { account, id }) =>
      rows(
        ['version', 'account', 'id', 'now'],
        [[version, `${account.user}@${account.host}`, `${id}`, `${Date.now() / 1000}`]],
      ),
  },
  {
    template: "SELECT Host AS host FROM mysql.user WHERE User = :string AND Host <> ''",
    run: ({ accounts }, client, [user = '']) =>
      mayReadTables(client, () =>
        rows(
          ['host'],
          accounts.named(user).map(({ host }) => [host]),
        ),
      ),
  },
  {
    template: `SELECT ssl_type AS type, CAST(ssl_cipher AS CHAR) AS cipher, CAST(x509_issuer AS CHAR) AS issuer, CAST(x509_subject AS CHAR) AS subject, max_questions AS queries, max_updates AS updates, max_connections AS connections, max_user_connections AS sessions ${where}`,
    run: ({ accounts }, client, [user = '', host = '']) =>
      mayReadTables(client, () => {
        const found = accounts.find(user, host);
        const numbers = found?.requirements.match(/\d+/g) ?? [];
        const columns = ['type', 'cipher', 'issuer', 'subject', 'queries', 'updates', 'connections', 'sessions'];
        return rows(columns, found === undefined ? [] : [['', '', '', '', ...numbers]]);
      }),
  },
  {
    template: `SELECT plugin, account_locked AS locked, JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password') AS second ${where}`,
    run: ({ accounts }, client, [user = '', host = '']) =>
      mayReadTables(client, () => {
        const found = accounts.find(user, host);
        // Without any attribute the column is NULL, and so is the answer.
        const second = found?.secondary === undefined ? null : '1';
        return rows(
          ['plugin', 'locked', 'second'],
          found === undefined ? [] : [[found.plugin, found.locked ? 'Y' : 'N', second]],
        );
      }),
  },
  {
    template:
      'SELECT DEFAULT_ROLE_USER AS user, DEFAULT_ROLE_HOST AS host FROM mysql.default_roles WHERE USER = :string AND HOST = :string',
    run: ({ accounts }, client, [user = '', host = '']) =>
      mayReadTables(client, () =>
        rows(
          ['user', 'host'],
          (accounts.find(user, host)?.defaultRoles ?? []).map((role) => [role, '%']),
        ),
      ),
  },
  {
    template: 'SHOW GRANTS FOR :account',
    run: ({ accounts }, client, [user = '', host = '']) => {
      const found = accounts.find(user, host);
      if (found === undefined)
        return failed(1141, '42000', `There is no such grant defined for user '${user}' on host '${host}'`);
      return mayReadTables(client, () => showGrants(found));
    },
  },
  { template: 'SHOW GRANTS', run: (_world, { account }) => showGrants(account) },
  {
    template: `CREATE USER :account IDENTIFIED WITH :string BY :string ${limits} ACCOUNT LOCK`,
    run: ({ accounts }, client, [user = '', host = '', plugin = '', password = '', ...numbers]) =>
      mayChange(client, () => {
        if (accounts.find(user, host) !== undefined)
          return failed(1396, 'HY000', `Operation CREATE USER failed for '${user}'@'${host}'`);
        if ([...user].length > 32)
          return failed(1470, 'HY000', `String '${user}' is too long for user name (should be no longer than 32)`);
        accounts.create(user, host, plugin, password, numbers.join(' ')).locked = true;
        return ok;
      }),
  },
  alter('IDENTIFIED WITH :string BY :string', byPassword('plain')),
  alter('IDENTIFIED WITH :string BY :string RETAIN CURRENT PASSWORD', byPassword('retain')),
  alter(
    'IDENTIFIED WITH :string BY :string ACCOUNT UNLOCK',
    byPassword('plain', (account) => {
      account.locked = false;
    }),
  ),
  alter(
    'IDENTIFIED WITH :string BY :string ACCOUNT LOCK',
    byPassword('plain', (account) => {
      account.locked = true;
    }),
  ),
  alter('DISCARD OLD PASSWORD', (account) => {
    account.secondary = undefined;
    return ok;
  }),
  alter('DEFAULT ROLE :account', (account, [role = '']) => {
    if (!account.roles.some(({ name }) => name === role))
      return failed(3530, 'HY000', `\`${role}\`@\`%\` is not granted`);
    account.defaultRoles = [role];
    return ok;
  }),
  {
    template: 'ALTER USER USER() IDENTIFIED BY :string',
    run: (_world, { account }, [password = '']) => setPassword(account, account.plugin, password, 'plain') ?? ok,
  },
  {
    template: 'SELECT ID AS id, USER AS user, HOST AS host, DB AS db FROM information_schema.PROCESSLIST',
    run: ({ clients }, client) => {
      const seesAll = may(client.account, 'PROCESS', '*.*');
      const seen = [...clients.values()].filter((one) => seesAll || one.user === client.user);
      return rows(
        ['id', 'user', 'host', 'db'],
        seen.map((one) => [`${one.id}`, one.user, '127.0.0.1:40000', one.database ?? null]),
      );
    },
  },
  {
    template: 'KILL CONNECTION :number',
    run: ({ clients }, client, [id = '']) => {
      const victim = clients.get(Number(id));
      if (victim === undefined) return failed(1094, 'HY000', `Unknown thread id: ${id}`);
      if (victim.user !== client.user && !may(client.account, 'CONNECTION_ADMIN', '*.*')) {
        return failed(1095, 'HY000', `You are not owner of thread ${id}`);
      }
      victim.end();
      return ok;
    },
  },
];

function showGrants(account: StandInAccount): Answer {
  const shown = `\`${account.user.replaceAll('`', '``')}\`@\`${account.host}\``;
  const lines = account.grants.map(
    ({ privileges, object, option }) =>
      `GRANT ${privileges.join(', ')} ON ${object} TO ${shown}${option ? ' WITH GRANT OPTION' : ''}`,
  );
  const roles = account.roles.map(
    ({ name, admin }) => `GRANT \`${name}\`@\`%\` TO ${shown}${admin ? ' WITH ADMIN OPTION' : ''}`,
  );
  return rows(
    ['Grants'],
    [[`GRANT USAGE ON *.* TO ${shown}`], ...lines.map((line) => [line]), ...roles.map((line) => [line])],
  );
}

const grantRights = /^GRANT ([A-Z_, ]+) ON ((?:\*|`[^`]+`)\.(?:\*|`[^`]+`)) TO ('.*)$/s;
const grantRole = /^GRANT `([^`]+)`@`%` TO ('.*)$/s;

function grant(world: World, client: Client, text: string): Answer | undefined {
  const [, privileges, object, toRights] = grantRights.exec(text) ?? [];
  const [, role, toRole] = grantRole.exec(text) ?? [];
  const option = role === undefined ? 'GRANT' : 'ADMIN';
  const receiver = tokens(toRights ?? toRole ?? '') ?? [];
  const passedOn = matches(receiver, `:account WITH ${option} OPTION`);
  const [user, host] = passedOn ?? matches(receiver, ':account') ?? [];
  if (user === undefined || host === undefined) return undefined;
  const account = world.accounts.find(user, host);
  if (account === undefined) return failed(1410, '42000', 'You are not allowed to create a user with GRANT');
  if (role !== undefined) {
    if (!client.account.roles.some(({ name, admin }) => name === role && admin)) return denied(client);
    account.roles.push({ name: role, admin: passedOn !== undefined });
    return ok;
  }
  const wanted = (privileges ?? '').split(', ');
  if (!wanted.every((privilege) => mayPassOn(client.account, privilege, object ?? ''))) return denied(client);
  account.grants.push({ privileges: wanted, object: object ?? '', option: passedOn !== undefined });
  return ok;
}

function denied(client: Client): Answer {
  return failed(1044, '42000', `Access denied for user '${client.user}'@'127.0.0.1' to database`);
}

/** Does what a statement says, or answers with a syntax error. */
export function execute(world: World, client: Client, text: string): Answer {
  const granted = text.startsWith('GRANT ') ? grant(world, client, text) : undefined;
  if (granted !== undefined) return granted;
  const [, privilege, object] = /^(SELECT|INSERT) (?:\* FROM|INTO) (`[^`]+`)\.`items`$/.exec(text) ?? [];
  if (privilege !== undefined) return may(client.account, privilege, `${object}.*`) ? ok : denied(client);
  if (text === 'SELECT 1') return rows(['1'], [['1']]);
  const read = tokens(text) ?? [];
  for (const { template, run } of known) {
    const values = matches(read, template);
    if (values !== undefined) return run(world, client, values);
  }
  return failed(1064, '42000', `You have an error in your SQL syntax near '${text.slice(0, 60)}'`);
}
