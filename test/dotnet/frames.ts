/** Connection strings of .NET programs around a username and a password. */
import type { Builder } from './judge.ts';

export interface Frame {
  readonly name: string;
  readonly builder: Builder;
  /** The value with the texts in the places of username and password as they stand: the builder reads them as `app` and `old-Passw0rd`. */
  readonly value: string;
  /** What the builder takes for the host. */
  readonly host: string | null;
}

const user = 'app';
export const old = 'old-Passw0rd';

function alias(builder: Builder, server: string, users: readonly string[], passwords: readonly string[]): Frame[] {
  const [firstUser = '', firstPassword = ''] = [users[0], passwords[0]];
  const frame = (userKey: string, passwordKey: string): Frame => ({
    name: `${builder}: ${userKey}, ${passwordKey}`,
    builder,
    value: `${server}=db.example;${userKey}=${user};${passwordKey}=${old};Pooling=true`,
    host: 'db.example',
  });
  return [...users.map((key) => frame(key, firstPassword)), ...passwords.map((key) => frame(firstUser, key))];
}

const sql = 'Data Source=db.example';
const model = 'metadata=res://*/Shop.csdl|res://*/Shop.ssdl|res://*/Shop.msl;provider=System.Data.SqlClient;';
const inner = `data source=db.example;initial catalog=d;user id=${user};password=${old};App=EntityFramework`;

const quotings: readonly Frame[] = [
  ...[old, `"${old}"`, `'${old}'`, ` ${old} `, ` "${old}" `].flatMap((password): Frame[] => [
    {
      name: `SqlClient ${password}`,
      builder: 'SqlClient',
      value: `${sql};User ID=${user};Password=${password};`,
      host: 'db.example',
    },
    {
      name: `SqlClient ${password} last`,
      builder: 'SqlClient',
      value: `${sql};User ID='${user}';Pwd=${password}`,
      host: 'db.example',
    },
    {
      name: `Npgsql ${password}`,
      builder: 'Npgsql',
      value: `Host=db.example;Username=${user};Password=${password};SSL Password=x"y`,
      host: 'db.example',
    },
    {
      name: `MySqlConnector ${password}`,
      builder: 'MySqlConnector',
      value: `Server=db.example;Uid="${user}";Pwd=${password};Certificate Password=z`,
      host: 'db.example',
    },
    {
      name: `MySql.Data ${password}`,
      builder: 'MySql.Data',
      value: `Server=db.example;Uid=${user};Pwd=${password};Password2=z`,
      host: 'db.example',
    },
  ]),
  ...[old, `{${old}}`].flatMap((password): Frame[] => [
    {
      name: `ODBC ${password}`,
      builder: 'Odbc',
      value: `Driver={ODBC Driver 18 for SQL Server};Server=db.example;Uid=${user};Pwd=${password};`,
      host: 'db.example',
    },
    {
      name: `ODBC ${password}, driver last`,
      builder: 'Odbc',
      value: `Server=db.example;UID=${user};PWD=${password};Driver=FreeTDS`,
      host: 'db.example',
    },
    { name: `ODBC ${password}, DSN`, builder: 'Odbc', value: `DSN=orders;UID={${user}};PWD=${password}`, host: null },
    {
      name: `ODBC ${password}, FILEDSN`,
      builder: 'Odbc',
      value: `UID=${user};PWD=${password};FILEDSN=orders.dsn`,
      host: null,
    },
  ]),
  {
    name: 'EF',
    builder: 'EntityFramework',
    value: `${model}provider connection string="${inner}"`,
    host: 'db.example',
  },
  {
    name: "EF '",
    builder: 'EntityFramework',
    value: `${model}provider connection string='${inner}'`,
    host: 'db.example',
  },
  {
    name: 'EF quoted',
    builder: 'EntityFramework',
    value: `${model}provider connection string="${inner.replace(old, `""${old}""`)}"`,
    host: 'db.example',
  },
  {
    name: 'EF escaped',
    builder: 'EntityFramework, escaped',
    value: `${model}provider connection string=&quot;${inner}&quot;`,
    host: 'db.example',
  },
  {
    name: 'Redis',
    builder: 'StackExchange.Redis',
    value: `db.example:6380,password=${old},user=${user},ssl=True,abortConnect=False`,
    host: 'db.example',
  },
  {
    name: 'Redis, two hosts',
    builder: 'StackExchange.Redis',
    value: ` db.example:6380 , b:1 , PASSWORD = ${old} ,user=${user}`,
    host: 'db.example',
  },
];

/** The same pairs in other orders and layouts. */
const layouts: readonly Frame[] = (
  [
    ['SqlClient', 'Data Source', 'User ID', 'Password'],
    ['Npgsql', 'Host', 'Username', 'PSW'],
    ['MySqlConnector', 'Server', 'User ID', 'Password'],
    ['MySql.Data', 'Server', 'Uid', 'Password1'],
  ] as const
).flatMap(([builder, host, username, password]): Frame[] =>
  [
    `${password}=${old};${username}=${user};${host}=db.example`,
    `;; ${host} = db.example ;${username}= ${user} ; ${password}= ${old} ;;`,
    `${host}=db.example;\n${username}=${user};\r\n${password}=${old};\n`,
    `${host.toUpperCase()}=db.example;${username.toLowerCase()}=${user};${password.toUpperCase()}=${old}`,
    `${host}=db.example;${username}=${user};${password}=${old};PWD='${old}'`,
    `${host}="db.example";Database="a;${password}=x;b";${username}="${user}";${password}="${old}"`,
    `${host}=db.example;${username}=${user};${password}='${old}';Database='it''s "x"'`,
  ].map((value) => ({ name: `${builder}: ${JSON.stringify(value)}`, builder, value, host: 'db.example' })),
);

const inJson = [
  `{"ConnectionStrings":{"Orders":"Server=db.example;User ID=${user};Password=${old};App=\\u0022x\\u0022"}}`,
  `{\n  "ConnectionStrings": { "Orders": "Server=db.example\\u003bUID=${user}\\u003bPwd='${old}'" },\n  "Logging": {}\n}\n`,
].map((value): Frame => ({ name: value, builder: 'SqlClient in JSON', value, host: 'db.example' }));

export const frames: readonly Frame[] = [
  ...alias('SqlClient', 'Server', ['User ID', 'UID', 'User'], ['Password', 'PWD']),
  ...alias('Npgsql', 'Host', ['Username', 'User Name', 'UserId', 'User Id', 'UID'], ['Password', 'PSW', 'PWD']),
  ...alias(
    'MySqlConnector',
    'Server',
    ['User ID', 'UserID', 'Username', 'Uid', 'User name', 'User'],
    ['Password', 'pwd'],
  ),
  ...alias(
    'MySql.Data',
    'Server',
    ['User Id', 'uid', 'username', 'user name', 'user', 'userid'],
    ['Password', 'pwd', 'Password1', 'pwd1'],
  ),
  ...quotings,
  ...layouts,
  ...inJson,
];
