/** Values of every format around a password, for any password at all. */
import sql from 'mssql';
import type { Hint } from './samples.ts';

/** A way to write a password, by rules written down here once more, apart from the code under test. */
export interface Frame {
  readonly name: string;
  readonly hint: Hint;
  readonly before: string;
  readonly encode: (password: string) => string;
  readonly after: string;
  /** Passwords the format can hold. Default: all. */
  readonly holds?: (password: string) => boolean;
  /** Reads the password as somebody else's parser does. */
  readonly reads?: (value: string) => string | undefined;
}

const percent = (password: string): string =>
  [...Buffer.from(password)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

const unicodeEscapes = (password: string): string =>
  Array.from({ length: password.length }, (_, i) => `\\u${password.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
    '',
  );

const trimmedByDotNet = (password: string): boolean =>
  /^[\s\u0085]|[\s\u0085]$/.test(password.replaceAll('\ufeff', 'x'));

const adoPassword = (value: string): string => sql.ConnectionPool.parseConnectionString(value).password ?? '';

export const frames: readonly Frame[] = [
  {
    name: 'raw',
    hint: { format: 'raw', leads: 'nowhere' },
    before: '',
    encode: (password) => password,
    after: '\r\n',
    holds: (password) => password.trim() !== '' && !password.startsWith('\ufeff'),
  },
  {
    name: 'json, escapes kept short',
    hint: {},
    before: '\ufeff{ "__proto__" : {"password":null},"username":"\\u0061pp",\t"password" :"',
    encode: (password) => JSON.stringify(password).slice(1, -1),
    after: '" , "host":"h\\/x", "n":1e400, "u":"\\u00e9", "n":-0.0 }\n\n',
    reads: (value) => JSON.parse(value.slice(1)).password,
  },
  {
    name: 'json, everything escaped',
    hint: { contentType: 'application/json; charset=utf-8' },
    before: '[[{"pwd":"',
    encode: unicodeEscapes,
    after: '"}]]',
    reads: (value) => JSON.parse(value)[0][0].pwd,
  },
  {
    name: 'uri in json',
    hint: {},
    before: '{"a":"\\u0026\\/","url":"rediss:\\/\\/\\u0061pp:',
    encode: percent,
    after: '@h:6380\\/0?x=\\u0026y=\\u002B"}',
    reads: (value) => decodeURIComponent(new URL(JSON.parse(value).url).password),
  },
  {
    name: 'ADO.NET in json',
    hint: {},
    before: '{"ConnectionString":"Server=h\\u003BUser Id=\\u0027app\\u0027;Password=',
    encode: (password) => unicodeEscapes(`"${password.replaceAll('"', '""')}"`),
    after: ';Encrypt=\\u0054rue"}',
  },
  {
    name: 'uri',
    hint: {},
    before: '\n postgres://app:',
    encode: percent,
    after: '@h:5432,[::1]/d%20b?sslmode=require&password_hint=a+b \n',
  },
  {
    name: 'uri without a user',
    hint: {},
    before: 'redis://:',
    encode: percent,
    after: '@h/0',
    reads: (value) => decodeURIComponent(new URL(value).password),
  },
  {
    name: 'uri parameter',
    hint: {},
    before: 'jdbc:mysql://h/d?user=a%70p&password=',
    encode: percent,
    after: '&x=%zz',
  },
  {
    name: 'JDBC for SQL Server',
    hint: {},
    before: 'jdbc:sqlserver://h:1433;user=app;password=',
    encode: (password) => `{${password.replaceAll('}', '}}')}}`,
    after: ' ; encrypt=true;',
  },
  {
    name: 'libpq, quoted',
    hint: { format: 'libpq' },
    before: "  host=h user = 'app' password = ",
    encode: (password) => `'${password.replaceAll(/[\\']/g, '\\$&')}'`,
    after: "dbname='it\\'s'\n",
  },
  {
    name: 'libpq, backslashes',
    hint: { format: 'libpq' },
    before: 'host=h password=',
    encode: (password) => password.replaceAll(/[\\' \t\n\v\f\r]/g, '\\$&'),
    after: ' user=app',
    holds: (password) => password !== '',
  },
  {
    name: 'ADO.NET, double quotes',
    hint: {},
    before: ';; Server = h ;User ID=app; Password= ',
    encode: (password) => `"${password.replaceAll('"', '""')}"`,
    after: " ; Application Name='x;y';",
    reads: adoPassword,
  },
  {
    name: 'ADO.NET, single quotes',
    hint: { format: 'ado-net' },
    before: 'PWD=',
    encode: (password) => `'${password.replaceAll("'", "''")}'`,
    after: ';UID=app;a==b=c',
  },
  {
    name: 'ODBC',
    hint: {},
    before: 'DRIVER={My; Driver};SERVER=h;UID=app;PWD=',
    encode: (password) => `{${password.replaceAll('}', '}}')}}`,
    after: '',
  },
  {
    name: 'Azure service',
    hint: {},
    before: 'Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=',
    encode: (password) => password,
    after: ' ;EntityPath=q',
    holds: (password) => /^[A-Za-z0-9+/]+=*$/.test(password),
  },
  {
    name: 'StackExchange.Redis',
    hint: {},
    before: ' h:6380 ,H2, ssl=True , PASSWORD = ',
    encode: (password) => password,
    after: ' ,abortConnect=False,',
    holds: (password) => password !== '' && !password.includes(',') && !trimmedByDotNet(password),
  },
];
