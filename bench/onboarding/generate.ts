/** Vaults as a team has them before anybody looks after their secrets: logins of a real Postgres, keys of all kinds, and a third of it odd. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { PostgresServer } from '../../local/postgres.ts';
import type { VaultEmulator } from '../../local/vault/index.ts';

/** What `onboard` must make of a secret. */
export type Expected = 'onboarded' | 'unfit' | 'blocked' | 'failed';

export interface Generated {
  readonly vault: string;
  readonly secret: string;
  /** What is special about it. */
  readonly about: string;
  /** Any of these is right. */
  readonly expected: Expected[];
}

const adminName = 'postgres-admin';
const day = 86_400;

interface Kind {
  readonly about: string;
  readonly expected: readonly Expected[];
  /** Whether it is a login that is made at the server. */
  readonly login?: true;
  /** Whether it holds the login of the one before: whichever is managed first keeps the other from it. */
  readonly sharing?: true;
  readonly make: (at: Making) => {
    readonly value: string;
    readonly tags?: Readonly<Record<string, string>>;
    readonly days?: number;
    readonly enabled?: boolean;
  };
}

interface Making {
  readonly login: string;
  readonly url: (login: string, password: string) => string;
  readonly password: string;
  readonly random: string;
  /** A login that is another secret's. */
  readonly other: { readonly login: string; readonly password: string } | undefined;
}

const login = (more: Partial<Kind> & Pick<Kind, 'about'>): Kind => ({
  ...{
    expected: ['onboarded'],
    login: true,
    make: ({ login: name, password, url }) => ({ value: url(name, password), days: 90 }),
  },
  ...more,
});

/** Two thirds as they should be, one third as they are: every third one is odd. */
const ordinary: readonly Kind[] = [
  login({ about: 'a login as a URL' }),
  login({
    about: 'a login as JSON',
    make: ({ login: name, password, url }) => {
      const { hostname: host, port } = new URL(url(name, password));
      const document = { engine: 'postgres', host, port: Number(port), username: name, password, dbname: 'postgres' };
      return { value: JSON.stringify(document), days: 90 };
    },
  }),
  login({ about: 'a login as a URL, again' }),
  {
    about: 'a key of SendGrid',
    expected: ['unfit'],
    make: ({ random }) => ({ value: `SG.${random.slice(0, 22)}.${random}`, days: 60 }),
  },
  { about: 'a signing key', expected: ['unfit'], make: ({ random }) => ({ value: random, days: 300 }) },
];

const odd: readonly Kind[] = [
  login({
    about: 'tags that are nearly ones of Keyturn',
    make: ({ login: name, password, url }) => ({
      value: url(name, password),
      tags: { valid_for: 'P90D', Team: 'shop' },
      days: 90,
    }),
  }),
  {
    about: 'the login of another secret',
    sharing: true,
    expected: ['onboarded', 'blocked', 'failed'],
    make: ({ other, url, random }) => ({
      value: other === undefined ? random : url(other.login, other.password),
      days: 20,
    }),
  },
  {
    about: 'a document',
    expected: ['unfit'],
    make: ({ random }) => ({ value: `# settings\nMODE=fast\nTOKEN_FILE=/run/${random}\n` }),
  },
  login({ about: 'no expiry', make: ({ login: name, password, url }) => ({ value: url(name, password) }) }),
  {
    about: 'a login with a wrong password',
    expected: ['blocked', 'failed'],
    make: ({ random, url }) => ({ value: url('nobody', random), days: 5 }),
  },
  { about: 'disabled', expected: ['failed'], make: ({ random }) => ({ value: random, enabled: false, days: 90 }) },
  { about: 'expired', expected: ['unfit'], make: ({ random }) => ({ value: random, days: -3 }) },
];

function kindOf(index: number): Kind {
  const list = index % 3 === 2 ? odd : ordinary;
  const kind = list[Math.floor(index / 3) % list.length];
  if (kind === undefined) throw new Error('there are kinds');
  return kind;
}

/** Fills the vaults, the secrets spread over them, and makes the logins. To be called once on an empty server. */
export async function generateEstate(
  vaults: readonly VaultEmulator[],
  postgres: PostgresServer,
  count: number,
): Promise<readonly Generated[]> {
  const url = (user: string, password: string) =>
    `postgres://${user}:${password}@${postgres.host}:${postgres.port}/postgres`;
  const adminPassword = randomBytes(18).toString('hex');
  const statements = [`CREATE ROLE estate_admin LOGIN CREATEROLE PASSWORD '${adminPassword}'`, 'SET ROLE estate_admin'];
  for (const vault of vaults)
    vault.put(adminName, { value: url('estate_admin', adminPassword), tags: { serves: '*' } });
  const generated: Generated[] = [];
  let other: Making['other'];
  let owner: Generated | undefined;
  for (let index = 0; index < count; index += 1) {
    const vault = vaults[index % vaults.length];
    if (vault === undefined) throw new Error('there are vaults');
    const kind = kindOf(Math.floor(index / vaults.length) + (index % vaults.length));
    const [name, password] = [`estate_${index}`, randomBytes(18).toString('hex')];
    const made = kind.make({ login: name, password, random: randomBytes(32).toString('base64url'), url, other });
    const secret = `item-${String(index).padStart(4, '0')}`;
    const { value, tags, days, enabled } = made;
    vault.put(secret, {
      value,
      ...(tags === undefined ? {} : { tags }),
      ...(days === undefined ? {} : { expiresSeconds: vault.clock.nowSeconds() + days * day }),
      ...(enabled === undefined ? {} : { enabled }),
    });
    const one: Generated = { vault: vault.name, secret, about: kind.about, expected: [...kind.expected] };
    generated.push(one);
    if (kind.login === true) {
      statements.push(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
      [other, owner] = [{ login: name, password }, one];
    } else if (kind.sharing === true) owner?.expected.push('blocked', 'failed');
  }
  await run(postgres, statements);
  return generated;
}

async function run(postgres: PostgresServer, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: postgres.adminUrl });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
