/** Texts that are no password, found in vaults under the name of one: each would be lost if it were taken for a password and replaced. */
import { describe, expect, test } from 'vitest';
import { type Hint, parsed, refusal } from './samples.ts';

const der = Buffer.concat([Buffer.from([0x30, 0x82, 0x01, 0x00]), Buffer.alloc(256, 7)]).toString('base64');
const pem =
  '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n';

type Row = readonly [claim: string, value: string, why: RegExp];

const documents: readonly Row[] = [
  ['a .env file', 'DB_USER=app\nDB_PASSWORD=s3cret-value\n', /several lines/],
  ['a .env file of one line', 'DB_PASSWORD=s3cret-value', /assigns a value to a name/],
  ['an exported variable', 'export DB_PASSWORD="s3cret-value"', /assigns a value to a name/],
  ['a URL assigned to a name', 'DATABASE_URL=postgres://app:s3cret-value@db/shop', /assigns a value to a name/],
  ['a Spring property', 'spring.datasource.password=s3cret-value', /assigns a value to a name/],
  [
    'Spring properties',
    'spring.datasource.url=jdbc:postgresql://db/shop\nspring.datasource.password=x',
    /several lines/,
  ],
  ['a TOML entry', 'password = "s3cret-value"', /assigns a value to a name/],
  ['a TOML file', '[database]\npassword = "s3cret-value"', /several lines/],
  ['YAML of one line', 'password: s3cret-value', /"name: value"/],
  ['YAML', 'database:\n  user: app\n  password: s3cret-value\n', /several lines/],
  ['a .pgpass line', 'db.example:5432:shop:app:s3cret-value', /\.pgpass/],
  ['a .pgpass line with wildcards', '*:*:*:app:s3cret-value', /\.pgpass/],
  ['a PEM key', pem, /PEM/],
  ['a PEM key on one line', pem.replaceAll('\n', '\\n'), /PEM/],
  ['an OpenSSH key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ app@host', /SSH/],
  ['a certificate in base64', der, /certificate or key file/],
  ['a file in base64', Buffer.from(pem).toString('base64'), /base64/],
  ['JSON in base64', Buffer.from('{"user":"app","password":"x"}').toString('base64'), /base64/],
  ['XML', '<add name="Shop" connectionString="Server=h;Password=x" />', /XML/],
  ['web.config', '<?xml version="1.0"?>\n<configuration><connectionStrings/></configuration>', /XML|several lines/],
  ['a quoted URL', '"postgres://app:s3cret-value@db/shop"', /quotes/],
  ['a URL in single quotes', "'postgres://app:s3cret-value@db/shop'", /quotes/],
  ['a storage SAS string', 'sv=2024-11-04&ss=b&srt=sco&sp=r&se=2027-01-01T00:00:00Z&sig=abc%2Bdef%3D', /SAS/],
  ['a storage SAS string with its question mark', '?sv=2024-11-04&sr=c&sig=abc%2Bdef%3D', /SAS/],
  [
    'a storage connection string with a SAS',
    'BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=sv=2024-11-04&sig=abc%3D',
    /SAS/,
  ],
  ['a Service Bus SAS', 'SharedAccessSignature sr=sb%3A%2F%2Fns&sig=abc%3D&se=1&skn=Root', /SAS/],
  ['a Go DSN', 'shop_app:s3cret-value@tcp(db:3306)/shop', /Go/],
  ['a Go DSN with parameters', 'shop_app:s3cret-value@tcp(db)/shop?tls=true', /Go/],
  ['a Go DSN over a socket', 'shop_app:s3cret-value@unix(/run/mysqld.sock)/shop', /Go/],
  ['a Go DSN without an address', 'shop_app:s3cret-value@/shop', /Go/],
  ['an address without a password', 'redis://cache:6379', /no password/],
  ['an address without a scheme', 'cache.example:6379', /address/],
  ['a login at an address', 'app:s3cret-value@db.example:5432/shop', /address/],
  ['a StackExchange.Redis string without a password', 'cache.example:6380,ssl=True,abortConnect=False', /no password/],
  ['a key-vault reference', '@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/x)', /reference/],
  ['a key-vault reference by name', '@Microsoft.KeyVault(VaultName=kv;SecretName=x)', /reference/],
  ['an App Configuration reference', '@Microsoft.AppConfiguration(Endpoint=https://a.azconfig.io; Key=x)', /reference/],
  ['a placeholder', `\${DB_PASSWORD}`, /reference/],
  ['a template', '{{ .Values.password }}', /reference/],
  ['a token of a pipeline', '#{DbPassword}#', /reference/],
  ['a variable of a pipeline', '$(DbPassword)', /reference/],
  ['a Basic header', 'Basic YXBwOnMzY3JldC12YWx1ZQ==', /header/],
  ['a Bearer header', 'Bearer abcdefghijklmnop', /header/],
  ['a header line', 'Authorization: Basic YXBwOnMzY3JldC12YWx1ZQ==', /"name: value"/],
  ['a command line', 'mysql --user=app --password=s3cret-value', /command line/],
  ['the path of a file', '/etc/ssl/private/app.pem', /path/],
  ['the path of a file on Windows', 'C:\\certs\\app.pfx', /path/],
  [
    'a connection string with integrated security',
    'Server=db;Database=shop;Integrated Security=true',
    /no password.*the keys server, database, integratedsecurity$/,
  ],
  ['a trusted connection', 'Server=db;Database=shop;Trusted_Connection=yes;', /no password/],
  [
    'a string of pairs without a password',
    'InstrumentationKey=0000;IngestionEndpoint=https://in.example/',
    /no password/,
  ],
  ['a development account', 'UseDevelopmentStorage=true', /assigns a value to a name/],
  ['JSON cut off', '{"username":"app","password":"s3cret-value"', /JSON/],
  ['JSON of JavaScript', "{'username':'app','password':'s3cret-value'}", /JSON/],
  ['a JSON string in a JSON string', '"{\\"password\\":\\"s3cret-value\\"}"', /quotes|JSON/],
];

describe('without the tag "format"', () => {
  test.each(documents)('%s is refused with its reason', (_, value, why) => {
    expect(refusal(value)).toMatch(why);
  });

  test.each([
    ['a passphrase', 'correct horse battery staple'],
    ['base64', 'YXNkZmFzZGZhc2RmYXNkZmFzZGY='],
    ['base64 with two equals signs', 'qL5vXg/2mK9+eWm0c1BvYg=='],
    ['a key of a storage account', Buffer.alloc(64, 'k').toString('base64')],
    ['a secret of Entra', 'Ab~8Q~cdEfGhIjKlMnOpQrStUvWxYz0123456789'],
    ['a token of GitHub', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'],
    ['a key of Standard Webhooks', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['a key of SendGrid', 'SG.abcdefghijklmnop.qrstuvwxyz0123456789'],
    ['an account and its token', 'AC0123456789abcdef:0123456789abcdef'],
    ['a JSON web token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl'],
    ['a GUID', '01234567-89ab-cdef-0123-456789abcdef'],
    ['a password with an at-sign', 'P@ssw0rd.1'],
    ['a password with every kind of character', "K9#v!$q^7(z)*&-_+[x]{y}|;'<>,.?/~`"],
  ])('%s is a password', (_, value) => {
    expect(parsed(value).format).toBe('raw');
  });
});

describe('the tag "format" = raw', () => {
  const raw: Hint = { format: 'raw' };

  test.each(documents)('is believed for %s where nothing is sent anywhere on its strength', (_, value) => {
    const { credential } = parsed(value, { ...raw, leads: 'nowhere' });
    expect(value.startsWith(credential.password.reveal())).toBe(true);
  });

  test.each([
    ['a PEM key', pem],
    ['a variable', 'DB_PASSWORD=s3cret-value'],
    ['a placeholder', `\${DB_PASSWORD}`],
    ['text in quotes', '"s3cret-value"'],
  ])('is believed for %s, which holds no address and no login', (_, value) => {
    expect(parsed(value, raw).format).toBe('raw');
  });

  test.each([
    ['a URL', 'postgres://app:s3cret-value@db/shop', /address/],
    ['an assigned URL', 'DATABASE_URL=postgres://app:s3cret-value@db/shop', /address/],
    ['a quoted URL', '"postgres://app:s3cret-value@db/shop"', /address/],
    ['an address without a password', 'redis://cache:6379', /address/],
    ['JDBC', 'jdbc:postgresql:shop', /address/],
    ['a Go DSN', 'app:s3cret-value@tcp(db)/shop', /address/],
    ['a .env file with a login', 'DB_USER=app\nDB_PASSWORD=s3cret-value\n', /login/],
    ['YAML with a host', 'host: db.example\npassword: s3cret-value', /address/],
    ['JSON with a login', '{"username":"app","password":"s3cret-value"}', /login/],
    ['JSON with a host', '{"host":"db","password":"s3cret-value"}', /address/],
    ['an ADO.NET string', 'Server=db;User ID=app;Password=s3cret-value', /address|login/],
    ['a libpq string', 'host=db user=app password=s3cret-value', /address|login/],
    ['a StackExchange.Redis string', 'cache:6380,password=s3cret-value', /address/],
    ['XML with a login', '<add user="app" password="s3cret-value" />', /login/],
    ['a .pgpass line', 'db:5432:shop:app:s3cret-value', /address/],
    ['a header with a login', 'Basic YXBwOnMzY3JldC12YWx1ZQ==', /login/],
  ])('is refused for %s where a target is told of it', (_, value, why) => {
    expect(refusal(value, raw)).toMatch(/the tag "format" says raw, but/);
    expect(refusal(value, raw)).toMatch(why);
  });
});
