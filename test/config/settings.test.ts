import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { makeCertificates } from '../../local/certificates.ts';
import { settingTable } from '../../shared/config/setting-table.ts';
import { readSettings, SettingsInvalid } from '../../shared/config/settings.ts';

const dayMs = 24 * 60 * 60 * 1000;
const key = Buffer.from('storage-canary-key').toString('base64');
const storage = `DefaultEndpointsProtocol=https;AccountName=keyturnstore;AccountKey=${key};EndpointSuffix=core.windows.net`;
const azurite = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${key};BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:2/a;TableEndpoint=http://127.0.0.1:3/a;`;
const least = { KEYTURN_VAULTS: 'https://contoso-kv.vault.azure.net', AzureWebJobsStorage: storage };
const root = new URL('../../', import.meta.url);

function settings(environment: Record<string, string>) {
  const outcome = readSettings({ ...least, ...environment });
  if (outcome.kind === 'invalid') throw new Error(inspect(outcome.problems));
  return outcome.settings;
}

function problems(environment: Record<string, string | undefined>): string[] {
  const outcome = readSettings(environment);
  return outcome.kind === 'invalid' ? outcome.problems.map((one) => one.setting) : [];
}

const wrongNames = (environment: Record<string, string>) => problems({ ...least, ...environment });

describe('four eyes', () => {
  const tenant = { KEYTURN_TENANT_ID: '11111111-2222-3333-4444-555555555555', KEYTURN_API_AUDIENCE: 'api://keyturn' };

  it('are off, and wait for an hour once they are on', () => {
    expect(settings({}).fourEyes).toEqual({ kinds: [], withinMs: 3_600_000 });
    const on = {
      ...tenant,
      KEYTURN_APPROVALS: 'emergency,many,force',
      WEBSITE_HOSTNAME: 'Keyturn-App.azurewebsites.net',
    };
    const kinds = ['emergency', 'many', 'force'];
    expect(settings(on).fourEyes).toEqual({ kinds, withinMs: 3_600_000, host: 'keyturn-app.azurewebsites.net' });
  });

  it('need a tenant, since only its people can approve', () => {
    expect(wrongNames({ KEYTURN_APPROVALS: 'emergency' })).toEqual(['KEYTURN_APPROVALS']);
    expect(wrongNames({ ...tenant, KEYTURN_APPROVALS: 'emergencies' })).toEqual(['KEYTURN_APPROVALS']);
    expect(wrongNames({ ...tenant, KEYTURN_APPROVAL_WITHIN: 'PT1S' })).toEqual(['KEYTURN_APPROVAL_WITHIN']);
  });

  it.each(['127.0.0.1:7071', 'a/b.test', 'a.test\n', '"><script>'])('make no link of a host like %j', (host) => {
    expect(settings({ WEBSITE_HOSTNAME: host }).fourEyes.host).not.toBe(host);
  });
});

describe('settings', () => {
  it('need no more than a vault and a storage account', () => {
    expect(settings({})).toMatchObject({
      vaults: [{ name: 'contoso-kv', url: 'https://contoso-kv.vault.azure.net' }],
      validForMs: 90 * dayMs,
      rotateBeforeMs: 30 * dayMs,
      overlapMs: 2 * dayMs,
      credential: { kind: 'default' },
      trustedCertificates: [],
      allowedHosts: [],
      connectTimeoutMs: 10_000,
      cloud: { resourceManager: 'https://management.azure.com', graph: 'https://graph.microsoft.com' },
      storage: { kind: 'connection-string' },
    });
  });

  it('are not touched by what else is in the environment', () => {
    expect(wrongNames({ PATH: '/bin', APPLICATIONINSIGHTS_CONNECTION_STRING: 'x' })).toEqual([]);
  });

  it('name all problems at once', () => {
    const environment = {
      KEYTURN_VAULTS: 'http://contoso-kv.vault.azure.net',
      KEYTURN_VALID_FOR: 'P3M',
      KEYTURN_CLOUD: 'moon',
      KEYTURN_CREDENTIAL: 'password',
      KEYTURN_VALDI_FOR: 'P90D',
      AZURE_CLIENT_ID: 'me',
    };
    expect(problems(environment).sort()).toEqual([...Object.keys(environment), 'AzureWebJobsStorage'].sort());
  });

  it('say the reason and the fix, and quote no value', () => {
    const environment = {
      ...least,
      AzureWebJobsStorage: `${storage.replace('AccountName', 'Acount')};BlobEndpoint=http://storage-canary.example`,
      KEYTURN_VAULTS: 'postgres://admin:vault-canary@host',
      KEYTURN_TRUSTED_CERTIFICATES: 'certificate-canary',
    };
    const outcome = readSettings(environment);
    if (outcome.kind !== 'invalid') throw new Error('accepted');
    const message = new SettingsInvalid(outcome.problems).message;
    expect(message).not.toMatch(/canary/);
    expect(message).not.toContain(key);
    expect(message).toContain(
      '  KEYTURN_VAULTS entry 1 does not begin with https://; plain http goes to loopback only. Set KEYTURN_VAULTS to',
    );
    expect(message.split('\n')).toHaveLength(4);
  });

  it('do not show the connection string when they are printed', () => {
    expect(inspect(settings({}), { depth: 10 }) + JSON.stringify(settings({}))).not.toContain(key);
  });
});

describe('times', () => {
  it.each([
    [{ KEYTURN_VALID_FOR: 'P12D' }, 12, 4, 2],
    [{ KEYTURN_VALID_FOR: 'P3D' }, 3, 1, 1],
    [{ KEYTURN_VALID_FOR: '365', KEYTURN_ROTATE_BEFORE: 'P2W', KEYTURN_OVERLAP: 'P0D' }, 365, 14, 0],
  ])('%o give %i, %i and %i days', (environment, valid, before, overlap) => {
    expect(settings(environment)).toMatchObject({
      validForMs: valid * dayMs,
      rotateBeforeMs: before * dayMs,
      overlapMs: overlap * dayMs,
    });
  });

  it.each([
    [{ KEYTURN_ROTATE_BEFORE: 'P31D' }, 'KEYTURN_ROTATE_BEFORE'],
    [{ KEYTURN_VALID_FOR: 'P30D', KEYTURN_ROTATE_BEFORE: 'P30D' }, 'KEYTURN_ROTATE_BEFORE'],
    [{ KEYTURN_OVERLAP: 'P60D' }, 'KEYTURN_OVERLAP'],
    [{ KEYTURN_VALID_FOR: 'PT5S' }, 'KEYTURN_VALID_FOR'],
    [{ KEYTURN_CONNECT_TIMEOUT: '10' }, 'KEYTURN_CONNECT_TIMEOUT'],
    [{ KEYTURN_CONNECT_TIMEOUT: 'PT0S' }, 'KEYTURN_CONNECT_TIMEOUT'],
  ])('%o are refused by the name of %s', (environment: Record<string, string>, name) => {
    expect(wrongNames(environment)).toEqual([name]);
  });
});

describe('what Node prints before the app runs', () => {
  it.each(['http', 'https', 'tls', 'net', 'http2', 'undici', '*', 'timer'])('NODE_DEBUG=%s is refused', (section) => {
    expect(wrongNames({ NODE_DEBUG: section })).toEqual(['NODE_DEBUG']);
    expect(wrongNames({ NODE_DEBUG_NATIVE: section })).toEqual(['NODE_DEBUG_NATIVE']);
  });
});

describe('addresses', () => {
  it('that no URL can hold are refused, and not quoted', () => {
    const endless = `https://contoso-kv.vault.azure.net${'0123456789abcdef'.repeat(4_000)}Q`;
    const outcome = readSettings({ ...least, KEYTURN_GRAPH_URL: endless, KEYTURN_VAULTS: endless });
    expect(problems({ ...least, KEYTURN_GRAPH_URL: endless, KEYTURN_VAULTS: endless }).sort()).toEqual([
      'KEYTURN_GRAPH_URL',
      'KEYTURN_VAULTS',
    ]);
    expect(JSON.stringify(outcome)).not.toContain('0123456789abcdef');
  });
});

describe('a folder of descriptions', () => {
  it.each(['/'.padEnd(5_000, 'n'), `/${'n'.repeat(300)}`])(
    'that the system cannot look at is refused, and not quoted',
    (path) => {
      const outcome = readSettings({ ...least, KEYTURN_DESCRIPTIONS: path });
      expect(outcome).toMatchObject({ problems: [{ setting: 'KEYTURN_DESCRIPTIONS', reason: 'is not a folder' }] });
      expect(JSON.stringify(outcome)).not.toContain('nnn');
    },
  );
});

describe('vaults', () => {
  it('are listed with commas, and named on loopback', () => {
    const list =
      'https://Contoso.vault.azure.net/, https://fabrikam.vault.usgovcloudapi.net,local=http://127.0.0.1:8443';
    expect(settings({ KEYTURN_VAULTS: list }).vaults).toEqual([
      { name: 'contoso', url: 'https://contoso.vault.azure.net' },
      { name: 'fabrikam', url: 'https://fabrikam.vault.usgovcloudapi.net' },
      { name: 'local', url: 'http://127.0.0.1:8443' },
    ]);
  });

  it.each([
    ' , ',
    'contoso-kv',
    'http://127.0.0.1.example.com',
    'https://a.vault.azure.net/secrets/x',
    'https://user@a.vault.azure.net',
    'https://a.vault.azure.net?x=1',
    'https://a.vault.azure.net,https://a.vault.azure.cn',
    'other=https://a.vault.azure.net',
  ])('%s is refused', (list) => {
    expect(wrongNames({ KEYTURN_VAULTS: list })).toEqual(['KEYTURN_VAULTS']);
  });
});

describe('the identity', () => {
  it('is sent to the hosts that are named, as the login that is named', () => {
    const list = 'keyturn@Orders-PG.postgres.database.azure.com, app@contoso.com@sql.example.com,@redis.example.com';
    expect([...settings({ KEYTURN_IDENTITY_TARGETS: list }).identityTargets]).toEqual([
      ['orders-pg.postgres.database.azure.com', 'keyturn'],
      ['sql.example.com', 'app@contoso.com'],
      ['redis.example.com', ''],
    ]);
  });

  it.each(['orders-pg', 'a@', 'a@host name', 'a@x.example,b@x.example', 'a@*.example.com'])(
    'list "%s" is refused',
    (list) => {
      expect(wrongNames({ KEYTURN_IDENTITY_TARGETS: list })).toEqual(['KEYTURN_IDENTITY_TARGETS']);
    },
  );

  it('is a fixed token only where everything is on loopback', () => {
    const local = { KEYTURN_CREDENTIAL: 'local', KEYTURN_VAULTS: 'local=http://127.0.0.1:8443' };
    expect(settings({ ...local, AzureWebJobsStorage: azurite }).credential).toEqual({ kind: 'local' });
    expect(settings({ ...local, AzureWebJobsStorage: 'UseDevelopmentStorage=true' }).credential).toEqual({
      kind: 'local',
    });
    expect(wrongNames(local)).toEqual(['KEYTURN_CREDENTIAL']);
    expect(wrongNames({ KEYTURN_CREDENTIAL: 'local', AzureWebJobsStorage: azurite })).toEqual(['KEYTURN_CREDENTIAL']);
    const mixed = azurite.replace('http://127.0.0.1:2/a', 'https://a.queue.core.windows.net');
    expect(wrongNames({ ...local, AzureWebJobsStorage: mixed })).toEqual(['KEYTURN_CREDENTIAL']);
  });
});

describe('the storage account', () => {
  const byIdentity = (environment: Record<string, string>) => ({
    KEYTURN_VAULTS: least.KEYTURN_VAULTS,
    ...environment,
  });

  it('is reached by identity with three addresses, or with its name', () => {
    const outcome = readSettings(
      byIdentity({ AzureWebJobsStorage__accountName: 'keyturnstore', KEYTURN_CLOUD: 'china' }),
    );
    expect(outcome).toMatchObject({
      settings: {
        storage: {
          kind: 'identity',
          blobServiceUri: 'https://keyturnstore.blob.core.chinacloudapi.cn',
          tableServiceUri: 'https://keyturnstore.table.core.chinacloudapi.cn',
        },
      },
    });
  });

  it.each([
    [byIdentity({}), 'AzureWebJobsStorage'],
    [byIdentity({ AzureWebJobsStorage__blobServiceUri: 'https://a.blob.core.windows.net' }), 'AzureWebJobsStorage'],
    [byIdentity({ AzureWebJobsStorage__accountName: 'Not A Name' }), 'AzureWebJobsStorage__accountName'],
    [byIdentity({ AzureWebJobsStorage: 'Endpoint=sb://x' }), 'AzureWebJobsStorage'],
    [byIdentity({ AzureWebJobsStorage: azurite.replaceAll('127.0.0.1', 'storage.example') }), 'AzureWebJobsStorage'],
    [byIdentity({ AzureWebJobsStorage: storage.replace('Protocol=https', 'Protocol=http') }), 'AzureWebJobsStorage'],
  ])('given by %o is refused', (environment, name) => {
    expect(problems(environment)).toEqual([name]);
  });
});

describe('certificates', () => {
  it('are given as PEM, with line ends of either kind, or as a file', async () => {
    const hosts = ['localhost'];
    const [one, two] = await Promise.all([makeCertificates({ hosts }), makeCertificates({ hosts })]);
    const pem = `${one.cert}\n${two.cert}`;
    const folder = await mkdtemp(join(tmpdir(), 'keyturn-settings-'));
    try {
      const path = join(folder, 'ca.pem');
      await writeFile(path, pem);
      for (const given of [pem, pem.replaceAll('\n', '\\n'), path]) {
        expect(settings({ KEYTURN_TRUSTED_CERTIFICATES: given }).trustedCertificates).toHaveLength(2);
      }
      expect(wrongNames({ KEYTURN_TRUSTED_CERTIFICATES: pem.replace(/[A-Za-z]{30}/, '') })).toEqual([
        'KEYTURN_TRUSTED_CERTIFICATES',
      ]);
      expect(wrongNames({ KEYTURN_TRUSTED_CERTIFICATES: `${pem}\n${one.key}` })).toEqual([
        'KEYTURN_TRUSTED_CERTIFICATES',
      ]);
      expect(settings({ KEYTURN_DESCRIPTIONS: folder }).descriptionsFolder).toBe(folder);
      expect(wrongNames({ KEYTURN_DESCRIPTIONS: path })).toEqual(['KEYTURN_DESCRIPTIONS']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the cloud', () => {
  it('is replaced by a stand-in on loopback only', () => {
    expect(settings({ KEYTURN_GRAPH_URL: 'http://127.0.0.1:9/graph/' }).cloud.graph).toBe('http://127.0.0.1:9/graph');
    expect(wrongNames({ KEYTURN_GRAPH_URL: 'https://graph.example.com' })).toEqual(['KEYTURN_GRAPH_URL']);
  });
});

describe('documents', () => {
  it('list exactly the settings there are, with their defaults', () => {
    const page = readFileSync(new URL('docs/settings.md', root), 'utf8');
    const rows = [...page.matchAll(/^\| `([A-Za-z_]+)` \| (?:`([^`]+)`)?/gm)].map((row) => [row[1], row[2] ?? '']);
    const table = Object.entries(settingTable).map(([name, entry]) => [
      name,
      'standard' in entry ? entry.standard : '',
    ]);
    expect(rows).toEqual(table);
  });

  it('hold a sample that the app accepts', () => {
    const sample = z
      .object({ Values: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(new URL('local.settings.sample.json', root), 'utf8')));
    expect(readSettings(sample.Values).kind).toBe('settings');
  });
});
