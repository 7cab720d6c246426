import { describe, expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { parseSecretValue } from '../../shared/secret-value/index.ts';

interface Row {
  readonly claim: string;
  readonly value: string;
  readonly format: string;
  readonly username?: string;
  readonly password: string;
  readonly endpoint?: object;
}

const rows: readonly Row[] = [
  { claim: 'plain text is a raw password', value: 'correct horse', format: 'raw', password: 'correct horse' },
  { claim: 'one line break at the end is no part of it', value: 'pw\r\n', format: 'raw', password: 'pw' },
  { claim: 'of two line breaks the first is', value: 'pw\n\n', format: 'raw', password: 'pw\n' },
  { claim: 'a byte order mark is no part of it', value: '\ufeffpw', format: 'raw', password: 'pw' },
  { claim: 'an unclosed brace is raw', value: '{pw', format: 'raw', password: '{pw' },
  {
    claim: 'JSON with escapes is decoded',
    value:
      ' {"engine":"postgres","User_Name":"a\\u0070p","PASSWORD":"p\\"w","host":"DB.Example","port":"5433","dbname":"Orders"}\n',
    format: 'json',
    username: 'app',
    password: 'p"w',
    endpoint: { host: 'db.example', port: 5433, database: 'Orders', options: { engine: 'postgres' } },
  },
  {
    claim: 'JSON nested in objects and arrays is found, the host around it',
    value: '[{"server":"tcp:h.example,1433","login":{"uid":"app","pwd":"pw"}}]',
    format: 'json',
    username: 'app',
    password: 'pw',
    endpoint: { host: 'h.example', port: 1433, options: {} },
  },
  {
    claim: 'a full host name counts more than a short one',
    value: '{"server":"long","fqdn":"long.example","password":"pw"}',
    format: 'json',
    password: 'pw',
    endpoint: { host: 'long.example', options: {} },
  },
  {
    claim: 'the names of environment variables are understood',
    value: '{"DB_USER":"app","DB_PASSWORD":"pw","PGHOST":"h","DB_PORT":1,"DATABASE_NAME":"d"}',
    format: 'json',
    username: 'app',
    password: 'pw',
    endpoint: { host: 'h', port: 1, database: 'd', options: {} },
  },
  {
    claim: 'a connection string in JSON is read',
    value: '{"DATABASE_URL":"postgres://app:p%2Fw@h/d"}',
    format: 'json',
    username: 'app',
    password: 'p/w',
    endpoint: { host: 'h', database: 'd', options: { scheme: 'postgres' } },
  },
  {
    claim: 'fields and a connection string of the same host complete each other',
    value: '{"host":"h","password":"pw","connectionString":"Server=h;Port=5;Database=d;User ID=app;Password=pw"}',
    format: 'json',
    username: 'app',
    password: 'pw',
    endpoint: { host: 'h', port: 5, database: 'd', options: {} },
  },
  {
    claim: 'the outermost password counts',
    value: '{"smtp":{"user":"m","password":"other"},"user":"app","password":"pw"}',
    format: 'json',
    username: 'app',
    password: 'pw',
  },
  {
    claim: 'the connection string of the secondary key is another credential',
    value: '{"primaryKey":"a","secondaryKey":"b","secondaryConnectionString":"Endpoint=sb://h/;SharedAccessKey=b"}',
    format: 'json',
    password: 'a',
  },
  {
    claim: 'a URI with everything',
    value: 'postgresql://a%40b:p%3Aw@H1:5432,[::1]:5433/my%20db?SSLMode=require&application_name=a@b',
    format: 'uri',
    username: 'a@b',
    password: 'p:w',
    endpoint: {
      host: 'h1',
      port: 5432,
      database: 'my db',
      hosts: [
        { host: 'h1', port: 5432 },
        { host: '::1', port: 5433 },
      ],
      options: { sslmode: 'require', scheme: 'postgresql' },
    },
  },
  {
    claim: 'a password may hold colons',
    value: 'amqps://app:a:b@h/%2f',
    format: 'uri',
    username: 'app',
    password: 'a:b',
    endpoint: { host: 'h', database: '/', options: { scheme: 'amqps' } },
  },
  {
    claim: 'a URI with an empty user',
    value: 'rediss://:pw@[fe80::1]:6380/0',
    format: 'uri',
    password: 'pw',
    endpoint: { host: 'fe80::1', port: 6380, database: '0', options: { scheme: 'rediss' } },
  },
  {
    claim: 'a URI with an empty password',
    value: 'mysql://app:@h/d',
    format: 'uri',
    username: 'app',
    password: '',
    endpoint: { host: 'h', database: 'd', options: { scheme: 'mysql' } },
  },
  {
    claim: 'a URI with its host and credential as parameters',
    value: 'postgres:///d?host=h&port=6&user=app&password=a+b',
    format: 'uri',
    username: 'app',
    password: 'a+b',
    endpoint: { host: 'h', port: 6, database: 'd', options: { scheme: 'postgres' } },
  },
  {
    claim: 'Java decodes a plus sign as a blank',
    value: 'jdbc:postgresql://h/d?user=app&password=a+b',
    format: 'uri',
    username: 'app',
    password: 'a b',
    endpoint: { host: 'h', database: 'd', options: { scheme: 'postgresql' } },
  },
  {
    claim: 'JDBC for SQL Server with braces',
    value: 'jdbc:sqlserver://H\\Inst:1433;databaseName=d;user=app;password={p;{}}w};encrypt=true',
    format: 'uri',
    username: 'app',
    password: 'p;{}w',
    endpoint: { host: 'h', port: 1433, database: 'd', options: { encrypt: 'true', instancename: 'inst' } },
  },
  {
    claim: 'a web address with a login shows nothing of its path',
    value: 'https://app:pw@h/hook/abc',
    format: 'uri',
    username: 'app',
    password: 'pw',
    endpoint: { host: 'h', options: { scheme: 'https' } },
  },
  {
    claim: 'libpq with quotes and backslashes',
    value: "host = h,h2 port=5432,5433 user='app' password=p\\ w\\'x dbname='my db' sslmode=require sslpassword=zz",
    format: 'libpq',
    username: 'app',
    password: "p w'x",
    endpoint: {
      host: 'h',
      port: 5432,
      database: 'my db',
      hosts: [
        { host: 'h', port: 5432 },
        { host: 'h2', port: 5433 },
      ],
      options: { sslmode: 'require' },
    },
  },
  {
    claim: 'ADO.NET with quotes, synonyms and blanks',
    value:
      ' Data Source = tcp:H.example,1433 ; Initial Catalog=d;UID=app;Pwd="p;""w" ; Trust Server Certificate=True;;',
    format: 'ado-net',
    username: 'app',
    password: 'p;"w',
    endpoint: { host: 'h.example', port: 1433, database: 'd', options: { trustservercertificate: 'True' } },
  },
  {
    claim: 'ADO.NET with a named instance',
    value: 'Server=.\\SQLEXPRESS;User ID=app;Password=',
    format: 'ado-net',
    username: 'app',
    password: '',
    endpoint: { host: 'localhost', options: { instancename: 'sqlexpress' } },
  },
  {
    claim: 'ADO.NET with lower-case keys and blanks is not taken for libpq',
    value: 'user=app; password=pw; host=h',
    format: 'ado-net',
    username: 'app',
    password: 'pw',
    endpoint: { host: 'h', options: {} },
  },
  {
    claim: 'a key of another dialect inside quotes is text',
    value: 'Server=h;User ID=app;Password="p;AccountKey=x;Driver={y}"',
    format: 'ado-net',
    username: 'app',
    password: 'p;AccountKey=x;Driver={y}',
    endpoint: { host: 'h', options: {} },
  },
  {
    claim: 'ODBC with braces',
    value: 'Driver={ODBC Driver 18 for SQL Server};Server=tcp:h,1433;Uid=app;Pwd={p;}}w};',
    format: 'ado-net',
    username: 'app',
    password: 'p;}w',
    endpoint: { host: 'h', port: 1433, options: { driver: 'ODBC Driver 18 for SQL Server' } },
  },
  {
    claim: 'a storage account keeps the equals signs of its key',
    value: 'DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=ab+/cd==;EndpointSuffix=core.windows.net',
    format: 'ado-net',
    username: 'acc',
    password: 'ab+/cd==',
  },
  {
    claim: 'Service Bus',
    value: 'Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=abc=;EntityPath=q',
    format: 'ado-net',
    username: 'Root',
    password: 'abc=',
    endpoint: { host: 'ns.servicebus.windows.net', options: { entitypath: 'q' } },
  },
  {
    claim: 'Cosmos DB',
    value: 'AccountEndpoint=https://c.documents.azure.com:443/;AccountKey=abc==;',
    format: 'ado-net',
    password: 'abc==',
    endpoint: { host: 'c.documents.azure.com', port: 443, options: {} },
  },
  {
    claim: 'App Configuration',
    value: 'Endpoint=https://a.azconfig.io;Id=id1;Secret=abc=',
    format: 'ado-net',
    username: 'id1',
    password: 'abc=',
    endpoint: { host: 'a.azconfig.io', options: {} },
  },
  {
    claim: 'StackExchange.Redis with two hosts',
    value: 'A.example:6380,b:6380, password = pa=ss= ,user=app,ssl=True,abortConnect=False,defaultDatabase=2',
    format: 'stackexchange-redis',
    username: 'app',
    password: 'pa=ss=',
    endpoint: {
      host: 'a.example',
      port: 6380,
      database: '2',
      hosts: [
        { host: 'a.example', port: 6380 },
        { host: 'b', port: 6380 },
      ],
      options: { ssl: 'True', abortconnect: 'False', defaultdatabase: '2' },
    },
  },
];

describe('a value without a hint is recognised', () => {
  test.each(rows)('$claim', ({ value, format, username, password, endpoint }) => {
    const outcome = parseSecretValue(new SecretText(value), {});
    expect(outcome.kind === 'parsed' ? outcome.value.format : outcome.detail).toBe(format);
    if (outcome.kind !== 'parsed') return;
    expect(outcome.value.credential.username).toBe(username);
    expect(outcome.value.credential.password.reveal()).toBe(password);
    expect(outcome.value.endpoint).toEqual(endpoint);
  });
});
