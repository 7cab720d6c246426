/** Values as people keep them, with what must become of each: read whole, changed whole, or refused with the reason. */
import { describe, expect, test } from 'vitest';
import { parsed, refusal, replaced, unreplaceable } from './samples.ts';

const old = 's3cret-value';
const next = { password: 'n3w-password' };
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the address in any field of JSON counts', () => {
  const login = `"username":"shop_app","password":"${old}"`;

  test.each([
    ['a JDBC URL', `{"url":"jdbc:postgresql://prod/shop",${login}}`, 'prod'],
    ['a JDBC URL for SQL Server', `{"jdbcUrl":"jdbc:sqlserver://prod:1433;databaseName=shop",${login}}`, 'prod'],
    ['R2DBC', `{"spring.r2dbc.url":"r2dbc:pool:postgresql://prod/shop",${login}}`, 'prod'],
    ['Spring', `{"spring.datasource.url":"jdbc:mysql://prod/shop",${login}}`, 'prod'],
    ['a URL with a login of its own', `{"DATABASE_URL":"postgres://shop_app@prod/shop",${login}}`, 'prod'],
    ['a URL in a field of any name', `{"primary":"postgres://prod/shop",${login}}`, 'prod'],
    ['a URL without a scheme', `{"url":"prod.example:5432",${login}}`, 'prod.example'],
    ['an ADO.NET string', `{"connectionString":"Server=prod;Database=shop",${login}}`, 'prod'],
    ['an ADO.NET string in a field of any name', `{"orders":"Data Source=prod;Database=shop",${login}}`, 'prod'],
    ['a libpq string', `{"conn":"host=prod dbname=shop",${login}}`, 'prod'],
    ['a StackExchange.Redis string', `{"cache":"prod:6380,ssl=True,abortConnect=False",${login}}`, 'prod'],
    ['a host in capitals', `{"DBHOST":"PROD",${login}}`, 'prod'],
    ['a host with its port', `{"host_port":"prod:5432",${login}}`, 'prod'],
    ['a list of hosts', `{"hosts":["prod","prod2"],${login}}`, 'prod'],
    ['a host with more in front', `{"primaryHost":"prod",${login}}`, 'prod'],
    ['a host in another object', `{"auth":{${login}},"server":{"host":"prod","port":5432}}`, 'prod'],
    ['a URL in another object', `{"auth":{${login}},"connection":{"url":"jdbc:postgresql://prod/shop"}}`, 'prod'],
  ])('%s', (_, value, host) => {
    expect(parsed(value).endpoint?.host).toBe(host);
    expect(replaced(value, next)).toBe(value.replaceAll(old, next.password));
  });

  test('port and database come with it', () => {
    expect(parsed(`{"url":"jdbc:postgresql://prod:5433/shop",${login}}`).endpoint).toMatchObject({
      host: 'prod',
      port: 5433,
      database: 'shop',
    });
  });

  test.each([
    ['a form that no reader knows', `{"url":"jdbc:oracle:thin:@prod:1521/shop",${login}}`, /url/],
    ['a sentence', `{"host":"ask the team",${login}}`, /host/],
    ['a URL with two ports', `{"database_url":"postgres://prod:1:2/shop",${login}}`, /database_url/],
    ['a server behind a pipe', `{"server":"np:\\\\\\\\prod\\\\pipe\\\\sql",${login}}`, /server/],
    ['JSON in JSON', `{${login},"config":"{\\"host\\":\\"prod\\"}"}`, /config/],
    ['a URL in another object', `{"auth":{${login}},"connection":{"url":"jdbc:oracle:thin:@prod:1521"}}`, /url/],
  ])('and one that cannot be read is refused: %s', (_, value, field) => {
    expect(refusal(value)).toMatch(/an address that cannot be read|no readable connection string/);
    expect(refusal(value)).toMatch(field);
  });

  test('where no credential is sent to it, it may be anything', () => {
    const value = `{"host":"ask the team",${login}}`;
    expect(parsed(value, { leads: 'provider' }).credential.password.reveal()).toBe(old);
  });

  test('several addresses of which none stands beside the password are refused', () => {
    const value = `{"auth":{${login}},"a":{"host":"prod"},"b":{"host":"staging"}}`;
    expect(refusal(value)).toMatch(/several addresses/);
  });

  test('a second field with another host is told along with the first', () => {
    expect(parsed(`{"host":"staging","url":"jdbc:postgresql://prod/shop",${login}}`).endpoint).toMatchObject({
      host: 'staging',
      otherHosts: ['prod'],
    });
    expect(parsed(`{"fqdn":"db.example","server":"10.0.0.7",${login}}`).endpoint).toMatchObject({
      host: 'db.example',
      otherHosts: ['10.0.0.7'],
    });
  });

  test('the long form of a short name is another host, the short form of a long one is not', () => {
    expect(parsed(`{"host":"db","url":"postgres://db.evil.test/shop",${login}}`).endpoint?.otherHosts).toEqual([
      'db.evil.test',
    ]);
    expect(parsed(`{"host":"db.example","url":"postgres://db/shop",${login}}`).endpoint).not.toHaveProperty(
      'otherHosts',
    );
  });

  test('a field called host counts more than an address called url', () => {
    expect(parsed(`{"url":"other.example:5432","host":"db",${login}}`).endpoint).toMatchObject({
      host: 'db',
      otherHosts: ['other.example'],
    });
  });

  test('the path of a socket may hold colons', () => {
    const value = `postgres://app:${old}@/shop?host=/cloudsql/project:region:db`;
    expect(parsed(value).endpoint?.host).toBe('/cloudsql/project:region:db');
  });

  test('another service beside it is none of its hosts', () => {
    const value = `{"host":"db","redis_url":"redis://cache:6379","portal":"https://example.com/a",${login}}`;
    expect(parsed(value).endpoint).toEqual({ host: 'db', options: {} });
  });

  test('a web address counts where there is no other', () => {
    expect(parsed(`{"url":"https://api.example/v1",${login}}`).endpoint?.host).toBe('api.example');
    expect(parsed(`{"docs":"https://wiki.example/v1",${login}}`).endpoint).toBeUndefined();
    expect(parsed(`{"managementUrl":"https://portal.example/v1",${login}}`).endpoint).toBeUndefined();
  });
});

describe('a password that is something else in words is refused', () => {
  test.each([
    ['JSON in JSON', `{"secret":"{\\"user\\":\\"app\\",\\"password\\":\\"${old}\\"}"}`, /\$\.secret begins as JSON/],
    [
      'a key-vault reference in ADO.NET',
      'Server=h;User ID=a;Password=@Microsoft.KeyVault(SecretUri=https://k/s)',
      /reference/,
    ],
    ['a reference in a URI', 'postgres://app:%24%7BDB_PASSWORD%7D@h/d', /reference/],
    ['a reference in libpq', 'host=h user=a password=$(DB_PASSWORD)', /reference/],
    ['a reference in JSON', '{"password":"@Microsoft.KeyVault(SecretUri=https://k/s)"}', /reference/],
    ['a URL', `{"user":"a","password":"postgres://a:${old}@h/d"}`, /connection string/],
    ['an ADO.NET string', `{"secret":"Server=h;User ID=a;Password=${old}"}`, /connection string/],
    ['a PEM block', '{"key":"-----BEGIN PRIVATE KEY-----\\nMII="}', /PEM/],
    ['a header', `{"token":"Bearer ${old}"}`, /header/],
    ['a file', '{"secret":"DB_USER=app\\nDB_PASSWORD=x"}', /several lines/],
  ])('%s', (_, value, why) => {
    expect(refusal(value)).toMatch(why);
  });
});

describe('no old password stays in a value', () => {
  test.each([
    [
      'the auth of a Docker configuration',
      (auth: string) => `{"auths":{"r.azurecr.io":{"username":"u","password":"P","auth":"${auth}"}}}`,
    ],
    ['a Basic header', (auth: string) => `{"user":"u","password":"P","headers":{"Authorization":"Basic ${auth}"}}`],
    ['a list of headers', (auth: string) => `{"user":"u","password":"P","headers":["Basic ${auth}"]}`],
  ])('%s changes with it', (_, write) => {
    const value = (password: string, user = 'u') =>
      write(base64(`${user}:${password}`))
        .replace('"P"', `"${password}"`)
        .replace('"u"', `"${user}"`);
    expect(replaced(value(old), next)).toBe(value(next.password));
    expect(replaced(value(old), { ...next, username: 'v' })).toBe(value(next.password, 'v'));
  });

  test('base64 of it changes with it', () => {
    const value = (password: string) => `{"password":"${password}","data":{"password64":"${base64(password)}"}}`;
    expect(replaced(value(old), next)).toBe(value(next.password));
  });

  test('a URL that names the login only changes with the login', () => {
    const value = (user: string, password: string) =>
      `{"DATABASE_URL":"postgres://${user}@h/db","username":"${user}","password":"${password}"}`;
    expect(replaced(value('shop_app', old), { ...next, username: 'shop_app_alt' })).toBe(
      value('shop_app_alt', next.password),
    );
  });

  test('a URL that names another login is refused', () => {
    const value = `{"DATABASE_URL":"postgres://reader@h/db","username":"shop_app","password":"${old}"}`;
    expect(refusal(value)).toMatch(/two usernames/);
  });

  test('the login of such a URL is the login of the password beside it', () => {
    const value = `{"DATABASE_URL":"postgres://shop_app@h/db","password":"${old}"}`;
    expect(parsed(value).credential.username).toBe('shop_app');
    expect(replaced(value, { ...next, username: 'b' })).toBe(
      `{"DATABASE_URL":"postgres://b@h/db","password":"${next.password}"}`,
    );
  });

  test('an ODBC string inside a URI changes with it', () => {
    const odbc = (user: string, password: string) =>
      encodeURIComponent(`Driver={ODBC Driver 18 for SQL Server};Server=tcp:h,1433;UID=${user};PWD=${password}`);
    const value = (user: string, password: string) => `mssql+pyodbc:///?odbc_connect=${odbc(user, password)}&echo=1`;
    expect(parsed(value('app', old)).endpoint).toMatchObject({ host: 'h', port: 1433 });
    expect(replaced(value('app', old), { ...next, username: 'b' })).toBe(value('b', next.password));
    const both = (password: string) => `mssql+pyodbc://app:${password}@h/d?odbc_connect=${odbc('app', password)}`;
    expect(replaced(both(old), next)).toBe(both(next.password));
    expect(replaced(value('app', old).replaceAll('%20', '+'), { password: 'a b;}' })).toContain(
      'PWD%3D%7Ba%20b%3B%7D%7D%7D&echo',
    );
  });

  const stays: readonly (readonly [string, string])[] = [
    ['as it is', `{"password":"${old}","note":"was ${old} before"}`],
    ['in a parameter of a URI', `postgres://app:${old}@h/d?comment=${old}`],
    ['as another key of an ADO.NET string', `Server=h;User ID=a;Password=${old};Comment=x${old}`],
    ['percent-encoded', '{"password":"pa/ss=word1","note":"pa%2Fss%3dword1"}'],
    ['in JSON in JSON', `{"password":"pa\\"ss\\\\word1","config":"{\\"p\\":\\"pa\\\\\\"ss\\\\\\\\word1\\"}"}`],
    ['in base64 of a longer text', `{"password":"${old}","file":"${base64(`{"user":"a","password":"${old}"}`)}"}`],
    [
      'in base64url',
      `{"password":"\u00ff\u00fe?>~~\u00ff\u00fe","t":"${Buffer.from('xx\u00ff\u00fe?>~~\u00ff\u00fe').toString('base64url')}"}`,
    ],
    ['in XML', '{"password":"pa<ss&word1","x":"<add p=\\"pa&lt;ss&amp;word1\\"/>"}'],
    ['in a URL of another login', `{"username":"a","password":"${old}","other":"postgres://root:${old}@h/d"}`],
  ];

  test.each(stays)('a value that would keep it %s is refused', (_, value) => {
    expect(unreplaceable(value, next)).toMatch(/the same password|old password would stay/);
    expect(unreplaceable(value, next)).not.toContain(old);
  });

  test('the field "previous" keeps it, new or already there', () => {
    expect(JSON.parse(replaced(`{"current":"${old}","previous":"x"}`, { ...next, parts: { previous: old } }))).toEqual({
      current: next.password,
      previous: old,
    });
    expect(
      JSON.parse(replaced(`{"current":"${old}","previous":"${old}"}`, { ...next, parts: { previous: old } })),
    ).toEqual({
      current: next.password,
      previous: old,
    });
  });

  test('a password that is a name of the login, the database or a field is replaced all the same', () => {
    expect(replaced('postgres://shop_app:shop_app@h/shop_app', next)).toBe(
      `postgres://shop_app:${next.password}@h/shop_app`,
    );
    expect(replaced('{"password":"password"}', next)).toBe(`{"password":"${next.password}"}`);
    expect(replaced('postgres://app:ordersdb@h/ordersdb', next)).toBe(`postgres://app:${next.password}@h/ordersdb`);
  });
});

describe('ODBC', () => {
  const rest = 'Server=tcp:h,1433;UID=app;PWD=*';

  test.each([
    ['Driver at the end', `${rest};Driver={ODBC Driver 18 for SQL Server}`],
    ['Driver at the end, without braces', `${rest};Driver=FreeTDS`],
    ['DSN', 'DSN=orders;UID=app;PWD=*'],
    ['FILEDSN', 'UID=app;PWD=*;FILEDSN=orders.dsn'],
  ])('rules hold where the string has a %s', (_, value) => {
    expect(replaced(value.replace('*', old), { password: 'a;b}"c' })).toBe(value.replace('*', '{a;b}}"c}'));
    expect(parsed(value.replace('*', '"a b"')).credential.password.reveal()).toBe('"a b"');
    expect(parsed(value.replace('*', '{a;b}}c}')).credential.password.reveal()).toBe('a;b}c');
  });

  test.each([
    ['at the end', 'Driver={x};Server=h;UID=app;PWD={half'],
    ['with more behind it', 'Driver={x};Server=h;PWD={half;UID=app'],
    ['in a DSN', 'DSN=x;PWD={half'],
  ])('a brace that never closes is refused %s', (_, value) => {
    expect(refusal(value)).toMatch(/no closing quote/);
    expect(refusal(value, { format: 'ado-net' })).toMatch(/no closing quote/);
  });

  test('a key in the quotes of ADO.NET is none of ODBC', () => {
    const value = 'Server=h;User ID=app;Password="p;Driver={x}"';
    expect(replaced(value, { password: 'a"b' })).toBe('Server=h;User ID=app;Password="a""b"');
  });
});

describe('aliases of drivers', () => {
  test.each([
    ['Host=h;Username=app;PSW=*', 'Npgsql'],
    ['Host=h;DB=d;UserId=app;PSW=*;SSL Password=other-secret', 'Npgsql with a password of its certificate'],
    ['Server=h;Uid=app;Password1=*;Password2=other-secret', 'MySql.Data with a second factor'],
    ['Server=h;User Name=app;Pwd1=*;Pwd2=other-secret', 'MySql.Data in short'],
    ['Host=h;User name=app;pwd=*;Certificate Password=other-secret', 'MySqlConnector'],
    ['Data Source=h;User ID=app;Password=*;Failover Partner=h2', 'SqlClient'],
  ])('%s: %s', (value) => {
    const before = value.replace('*', old);
    expect(parsed(before).credential.username).toBe('app');
    expect(replaced(before, next)).toBe(before.replace(old, next.password));
  });

  test('SSL Password beside Password: only Password is changed', () => {
    const value = `Host=h;Username=app;Password=${old};SSL Password=other-secret`;
    expect(replaced(value, next)).toBe(`Host=h;Username=app;Password=${next.password};SSL Password=other-secret`);
  });

  test.each([
    ['an unknown word for a password', 'Host=h;Username=app;Passwort=x', /keys host, username, passwort$/],
    [
      'integrated security',
      'Server=h;Integrated Security=SSPI;Database=d',
      /keys server, integratedsecurity, database$/,
    ],
    ['keys that nobody knows', 'abc=def;ghi=jkl', /2 keys that no driver is known for/],
    ['a mixture', 'Server=h;abc=def', /the keys server and 1 more/],
  ])('%s is refused with the keys that were seen', (_, value, keys) => {
    expect(refusal(value)).toMatch(keys);
  });

  test('an assigned connection string is refused: its address would not be seen', () => {
    expect(refusal(`CONN=Server=h;User ID=a;Password=${old}`)).toMatch(/assigned to a name/);
    expect(refusal(`orders: Server=h;User ID=a;Password=${old}`)).toMatch(/other text in front/);
  });
});

describe('Entity Framework', () => {
  const model = 'metadata=res://*/Shop.csdl|res://*/Shop.ssdl|res://*/Shop.msl;provider=System.Data.SqlClient;';
  const inner = (password: string) =>
    `data source=h;initial catalog=d;user id=app;password=${password};App=EntityFramework`;

  test('the string inside is changed, in double quotes', () => {
    const value = (password: string) => `${model}provider connection string="${inner(password)}"`;
    expect(parsed(value(old)).endpoint).toMatchObject({ host: 'h', database: 'd' });
    expect(replaced(value(old), next)).toBe(value(next.password));
    expect(replaced(value(old), { password: `a;"b'` })).toBe(value(`""a;""""b'""`));
    expect(parsed(value(`""a;""""b'""`)).credential.password.reveal()).toBe(`a;"b'`);
  });

  test('in single quotes', () => {
    const value = (password: string) => `${model}provider connection string='${inner(password)}'`;
    expect(replaced(value(old), { password: `a;b'c` })).toBe(value(`"a;b''c"`));
  });

  test('with the escapes of XML', () => {
    const value = (password: string) => `${model}provider connection string=&quot;${inner(password)}&quot;`;
    expect(parsed(value(old)).credential.username).toBe('app');
    expect(replaced(value(old), next)).toBe(value(next.password));
    expect(replaced(value(old), { password: 'a&b<c' })).toBe(value('a&amp;b&lt;c'));
    expect(replaced(value(old), { password: 'a;b' })).toBe(value('&quot;&quot;a;b&quot;&quot;'));
  });

  test('without a password or without quotes it is refused', () => {
    expect(refusal(`${model}provider connection string="data source=h;integrated security=True"`)).toMatch(
      /no password/,
    );
    expect(refusal(`${model}provider connection string=data source=h;password=x`)).toMatch(/in quotes/);
  });
});

describe('lists of hosts are read', () => {
  const hosts = [
    { host: 'h1', port: 5432 },
    { host: 'h2', port: 5433 },
  ];

  test.each([
    ['a URI', 'postgres://app:pw@h1:5432,h2:5433/shop?target_session_attrs=read-write'],
    ['a URI with a parameter', 'postgres://app:pw@/shop?host=h1:5432,h2:5433'],
    ['JDBC', 'jdbc:postgresql://h1:5432,h2:5433/shop?user=app&password=pw'],
    ['libpq', 'host=h1,h2 port=5432,5433 user=app password=pw'],
    ['Npgsql', 'Host=h1:5432,h2:5433;Username=app;Password=pw'],
    ['StackExchange.Redis', 'h1:5432,h2:5433,password=pw'],
    ['JSON', '{"host":"h1:5432,h2:5433","user":"app","password":"pw"}'],
    ['JSON with a list', '{"hosts":["h1:5432","h2:5433"],"user":"app","password":"pw"}'],
  ])('in %s', (_, value) => {
    expect(parsed(value).endpoint).toMatchObject({ host: 'h1', port: 5432, hosts });
  });

  test('one port holds for all', () => {
    const both = [
      { host: 'h1', port: 6432 },
      { host: 'h2', port: 6432 },
    ];
    expect(parsed('host=h1,h2 port=6432 user=app password=pw').endpoint?.hosts).toEqual(both);
    expect(parsed('Server=h1,h2;Port=6432;Uid=app;Pwd=pw').endpoint?.hosts).toEqual(both);
    expect(parsed('{"host":"h1,h2","port":6432,"password":"pw"}').endpoint?.hosts).toEqual(both);
  });

  test('the comma of SQL Server stands before a port', () => {
    expect(parsed('Server=tcp:h,1433;UID=a;PWD=x').endpoint).toEqual({ host: 'h', port: 1433, options: {} });
  });

  test('the partner of a failover is a host of the list', () => {
    const list = [{ host: 'h1' }, { host: 'h2' }];
    expect(parsed('Server=h1;Failover Partner=h2;UID=a;PWD=x').endpoint).toMatchObject({ host: 'h1', hosts: list });
    expect(parsed('jdbc:sqlserver://h1;failoverPartner=h2;user=a;password=x').endpoint?.hosts).toEqual(list);
  });

  test('a host that is named twice and differs is refused', () => {
    expect(refusal('postgres://app:pw@h1/shop?host=h2')).toMatch(/one host in front of its path and another/);
  });
});

describe('addresses of Redis Sentinels are read, with the primary they are asked for', () => {
  const hosts = [
    { host: 'h1', port: 26_379 },
    { host: 'h2', port: 26_380 },
  ];

  test.each([
    ['redis-sentinel://:*@h1,h2:26380/0#mymaster', 'redis'],
    ['rediss-sentinel://app:*@h1:26379,h2:26380/0#mymaster', 'rediss'],
    ['redis-sentinel://:*@h1,h2:26380/0?timeout=10s#mymaster', 'redis'],
    ['redis+sentinel://:*@h1,h2:26380/mymaster/0', 'redis'],
  ])('%s', (text, scheme) => {
    const value = text.replace('*', old);
    expect(parsed(value).endpoint).toMatchObject({
      ...{ host: 'h1', port: 26_379, database: '0', hosts },
      options: { servicename: 'mymaster', scheme },
    });
    expect(replaced(value, { password: 'a#b/c' })).toBe(text.replace('*', 'a%23b%2Fc'));
  });

  test('in a StackExchange.Redis string', () => {
    const value = `h1:26379,h2:26380,serviceName=mymaster,password=${old}`;
    expect(parsed(value).endpoint).toMatchObject({ host: 'h1', hosts, options: { servicename: 'mymaster' } });
  });

  test('a URL that names no primary is refused', () => {
    expect(refusal(`redis-sentinel://:${old}@h1,h2/0`)).toMatch(/does not name the primary behind "#"/);
  });

  test('the "#" of any other URL has to be encoded', () => {
    expect(refusal(`redis://:${old}@h1/0#mymaster`)).toMatch(/%23/);
  });
});

describe('the tag "field" chooses among several credentials', () => {
  const flat =
    '{"DB_HOST":"db","DB_USER":"app","DB_PASSWORD":"db-secret1","REDIS_HOST":"cache","REDIS_PORT":6380,"REDIS_PASSWORD":"redis-secret"}';

  test('without it several are refused, and the tag is named', () => {
    expect(refusal(flat)).toMatch(/\$\.DB_PASSWORD and \$\.REDIS_PASSWORD could each be the password.*tag "field"/);
  });

  test('a field takes the login and the address of its own kind', () => {
    const redis = parsed(flat, { field: '/REDIS_PASSWORD' });
    expect(redis.credential.password.reveal()).toBe('redis-secret');
    expect(redis.credential.username).toBeUndefined();
    expect(redis.endpoint).toEqual({ host: 'cache', port: 6380, options: {} });
    const db = parsed(flat, { field: '/DB_PASSWORD' });
    expect(db.credential.username).toBe('app');
    expect(db.endpoint).toEqual({ host: 'db', options: {} });
  });

  test('only that credential is replaced', () => {
    expect(replaced(flat, next, { field: '/REDIS_PASSWORD' })).toBe(flat.replace('redis-secret', next.password));
    expect(replaced(flat, next, { field: '/DB_PASSWORD' })).toBe(flat.replace('db-secret1', next.password));
  });

  test.each([
    ['a name that no table knows', '{"orders":{"x":"a"},"app~/1":"s3cret-value"}', '/app~0~11', old],
    ['a connection string', '{"A_URL":"postgres://a:x@h/d","B_URL":"postgres://b:s3cret-value@h/d"}', '/B_URL', old],
    ['an object', '{"a":{"user":"a","password":"x"},"b":{"user":"b","password":"s3cret-value"}}', '/b', old],
    ['a field of an item', '[{"user":"a","password":"x"},{"user":"b","password":"s3cret-value"}]', '/1/password', old],
    ['an item', '[{"user":"a","password":"x"},{"user":"b","password":"s3cret-value"}]', '/1', old],
    ['an item that is a connection string', '["postgres://a:x@h/d","postgres://b:s3cret-value@h/d"]', '/1', old],
  ])('it may point at %s', (_, value, field, password) => {
    expect(parsed(value, { field }).credential.password.reveal()).toBe(password);
    expect(replaced(value, next, { field })).toBe(value.replace(password, next.password));
  });

  test.each([
    ['nothing', '{"a":"x"}', '/b', /points at nothing/],
    ['nothing further in', '{"a":"x"}', '/a/b', /points at nothing/],
    ['a number', '{"a":1}', '/a', /no text/],
    ['an object without a password', '{"a":{"x":"y"}}', '/a', /no field that is known/],
    ['an empty text', '{"a":""}', '/a', /empty/],
    ['a value that is no JSON', 'postgres://a:b@h', '/a', /the value is none/],
    ['a document', '{"a":"-----BEGIN PRIVATE KEY-----"}', '/a', /PEM/],
  ])('it is refused at %s', (_, value, field, why) => {
    expect(refusal(value, { field })).toMatch(why);
  });

  test('one password under the names of two services is not taken for a copy', () => {
    const value = flat.replace('redis-secret', 'db-secret1');
    expect(unreplaceable(value, next, { field: '/DB_PASSWORD' })).toMatch(/REDIS_PASSWORD holds the same password/);
  });
});
