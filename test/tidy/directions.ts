/**
 * Who may import whom. A folder not named here fails, so that a new one is thought about before it is used.
 *
 * functions → operations → engine → contract ← rotators; engine → ports ← adapters. In the engine: rotation → retirement → copies → running →
 * policy, and sweep → policy; an emergency is a rotation that ends the old credential itself. Rotators know neither each other nor the engine, the vault or
 * any client of Azure's data planes.
 */
import type { Import } from './source.ts';

interface Rule {
  /** Beginning of the path the rule is for. The longest that fits decides. */
  readonly of: string;
  /** Beginnings of the paths it may import, next to its own folder. */
  readonly may: readonly string[];
  /** The folder holds rooms only: a file that is in none of those named here has no place. */
  readonly rooms?: true;
  /** Packages it may load, next to Node's own modules. A name ending in `/` stands for a whole scope. */
  readonly packages: readonly string[];
}

const base = [
  'shared/contract/',
  'shared/backoff.ts',
  'shared/errors.ts',
  'shared/json.ts',
  'shared/links.ts',
  'shared/loopback.ts',
  'shared/authorities.ts',
  'shared/node.ts',
];
/** What every room of the engine may know: the policy, which knows no room itself. */
const room = [...base, 'shared/engine/policy/'];
const adapters = [...base, 'shared/config/', 'shared/http/', 'shared/telemetry.ts'];
const drivers = ['pg', 'ioredis', 'mssql', 'tedious', 'mysql2'];
const anything: Omit<Rule, 'of'> = { may: [''], packages: ['*'] };

export const rules: readonly Rule[] = [
  { of: 'shared/errors.ts', may: ['shared/loopback.ts'], packages: [] },
  { of: 'shared/backoff.ts', may: [], packages: [] },
  { of: 'shared/json.ts', may: [], packages: [] },
  { of: 'shared/links.ts', may: [], packages: [] },
  { of: 'shared/loopback.ts', may: ['shared/node.ts'], packages: [] },
  { of: 'shared/node.ts', may: [], packages: [] },
  { of: 'shared/authorities.ts', may: [], packages: [] },
  { of: 'shared/http/', may: base, packages: ['@azure/core-rest-pipeline'] },
  { of: 'shared/telemetry.ts', may: base, packages: [] },
  { of: 'shared/contract/', may: base, packages: ['zod'] },
  { of: 'shared/secret-value/', may: base, packages: ['zod'] },
  { of: 'shared/config/', may: base, packages: ['zod', 'croner'] },
  { of: 'shared/engine/', rooms: true, may: [], packages: [] },
  {
    of: 'shared/engine/policy/',
    may: [...base, 'shared/secret-value/', 'shared/config/duration.ts', 'shared/config/window.ts'],
    packages: ['zod'],
  },
  { of: 'shared/engine/running/', may: [...room, 'shared/secret-value/'], packages: [] },
  { of: 'shared/engine/copies/', may: [...room, 'shared/engine/running/', 'shared/secret-value/'], packages: [] },
  {
    of: 'shared/engine/rotation/',
    may: [
      ...room,
      'shared/engine/running/',
      'shared/engine/copies/',
      'shared/engine/sharing/',
      'shared/engine/retirement/',
    ],
    packages: [],
  },
  { of: 'shared/engine/sharing/', may: [...room, 'shared/engine/running/'], packages: [] },
  { of: 'shared/engine/arrival/', may: [...room, 'shared/engine/running/', 'shared/engine/sharing/'], packages: [] },
  {
    of: 'shared/engine/retirement/',
    may: [...room, 'shared/engine/running/', 'shared/engine/copies/', 'shared/engine/sharing/'],
    packages: ['zod'],
  },
  { of: 'shared/engine/rehearsal/', may: [...room, 'shared/engine/running/'], packages: [] },
  { of: 'shared/engine/sweep/', may: room, packages: [] },
  {
    of: 'shared/operations/',
    // The kind of a secret is guessed from its value.
    may: [...base, 'shared/engine/', 'shared/secret-value/', 'shared/telemetry.ts'],
    packages: ['zod'],
  },
  {
    of: 'shared/api/',
    may: [...base, 'shared/engine/', 'shared/operations/', 'shared/config/duration.ts', 'shared/telemetry.ts'],
    packages: ['zod', 'jose'],
  },
  { of: 'shared/vault/', may: adapters, packages: ['@azure/', 'zod'] },
  { of: 'shared/storage/', may: adapters, packages: ['@azure/', 'zod'] },
  { of: 'shared/notify/', may: adapters, packages: ['@azure/', 'standardwebhooks', 'zod'] },
  { of: 'shared/', may: adapters, packages: ['zod', 'jose'] },
  {
    of: 'rotators/common/',
    may: [...base, 'shared/secret-value/', 'shared/http/'],
    packages: ['zod'],
  },
  { of: 'rotators/registry.ts', may: [...base, 'rotators/'], packages: [] },
  {
    of: 'rotators/*/',
    may: [...base, 'shared/secret-value/', 'rotators/common/'],
    packages: ['zod', 'jose', ...drivers, '@mongodb-js/saslprep'],
  },
  ...['azure-keys', 'entra-app', 'http-keys'].map((name) => ({
    of: `rotators/${name}/`,
    may: [...base, 'shared/http/', 'rotators/common/'],
    packages: ['zod'],
  })),
  { of: 'functions/compose.ts', may: ['functions/', 'shared/', 'rotators/registry.ts'], packages: ['@azure/', 'zod'] },
  // Needed by compose.ts, and by what is done at the start without the rest of the app.
  { of: 'functions/credential.ts', may: ['shared/'], packages: ['@azure/core-auth', '@azure/identity'] },
  { of: 'functions/', may: ['shared/'], packages: ['@azure/functions', 'zod', 'jose'] },
  {
    of: 'cli/',
    // What is asked of Azure itself around a deployment, by people as by azd.
    may: [...base, 'shared/config/duration.ts', 'shared/engine/policy/glob.ts', 'shared/secret-value/', 'infra/hooks/'],
    packages: ['zod', '@azure/identity', 'string-width', 'wrap-ansi', 'jmespath', 'yaml'],
  },
  { of: 'consumer/', may: [], packages: ['@azure/', 'zod', ...drivers] },
  { of: 'runbooks/', may: [], packages: [] },
  { of: 'infra/', may: [], packages: [] },
  // For browsers: it knows the app by its API alone.
  { of: 'dashboard/', may: [], packages: ['preact', 'zod'] },
  { of: 'dashboard/model/', may: [], packages: ['zod'] },
  { of: 'local/', ...anything },
  { of: 'test/', ...anything },
  { of: 'bench/', ...anything },
  { of: 'build.ts', may: ['release/'], packages: ['esbuild'] },
  { of: 'release/package.ts', may: ['build.ts', 'release/'], packages: [] },
  { of: 'release/', may: [], packages: ['esbuild', 'zod'] },
  { of: 'vitest.config.ts', may: ['test/left-out/'], packages: ['vitest'] },
];

/** Only these may be imported by each other and by nobody else: none of it is part of what is deployed. */
const neverDeployed = ['local/', 'test/', 'bench/'];

// The folder a path is in for a rule such as `rotators/*/`: the folder itself, with everything below it.
function ownFolder(path: string, rule: Rule): string {
  if (!rule.of.includes('*')) return rule.of.endsWith('/') ? rule.of : `${path}:no-folder`;
  return `${path
    .split('/')
    .slice(0, rule.of.split('/').length - 1)
    .join('/')}/`;
}

function ruleFits(rule: Rule, path: string): boolean {
  if (!rule.of.includes('*')) return rule.of.endsWith('/') ? path.startsWith(rule.of) : path === rule.of;
  const parts = rule.of.split('*');
  return path.startsWith(parts[0] ?? '') && path.split('/').length >= rule.of.split('/').length;
}

function ruleOf(path: string): Rule | undefined {
  const length = (rule: Rule) => rule.of.length + (rule.of.includes('*') ? -1 : 0);
  return rules.filter((rule) => ruleFits(rule, path)).sort((a, b) => length(b) - length(a))[0];
}

const isNeverDeployed = (path: string) =>
  path === 'vitest.config.ts' || neverDeployed.some((folder) => path.startsWith(folder));

function mayImportFile(path: string, rule: Rule, target: string): boolean {
  if (isNeverDeployed(target) && !isNeverDeployed(path)) return false;
  if (target.startsWith(ownFolder(path, rule))) return true;
  return rule.may.some((allowed) => target.startsWith(allowed));
}

function mayImportPackage(rule: Rule, name: string): boolean {
  return rule.packages.some((one) => one === '*' || (one.endsWith('/') ? name.startsWith(one) : name === one));
}

export function packageName(from: string): string {
  return from.split('/', from.startsWith('@') ? 2 : 1).join('/');
}

/** The path a relative import leads to, from the root. */
export function resolveImport(path: string, from: string): string {
  return new URL(from, `file:///${path}`).pathname.slice(1);
}

/** Why this import must not be, or undefined. */
export function wrongImport(path: string, one: Import): string | undefined {
  const rule = ruleOf(path);
  if (rule === undefined) return 'its folder is not in the table of test/tidy/directions.ts';
  if (rule.rooms === true) return `it is in no room of ${rule.of} that test/tidy/directions.ts names`;
  if (one.from.startsWith('node:')) return undefined;
  if (one.from.startsWith('.')) {
    const target = resolveImport(path, one.from);
    return mayImportFile(path, rule, target) ? undefined : `${rule.of} must not import ${target}`;
  }
  const name = packageName(one.from);
  // Types alone load nothing and talk to nobody, so a rotator may name one; but only of what it could load by its driver.
  if (mayImportPackage(rule, name) || (one.typeOnly && name === 'zod')) return undefined;
  return `${rule.of} must not load ${name}`;
}
