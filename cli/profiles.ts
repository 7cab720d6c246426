/**
 * Profiles: where an app is and how it is called, by a name, so that nobody types addresses. Kept in a file of the account, which holds no
 * key and no token.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { parseJson } from '../shared/json.ts';
import { nearest } from './near.ts';
import { usageStop } from './trouble.ts';

type Env = Readonly<Record<string, string | undefined>>;

const profile = z.strictObject({
  url: z.string(),
  audience: z.string().optional(),
  vault: z.string().optional(),
});
export type Profile = z.infer<typeof profile>;

const file = z.strictObject({ inUse: z.string().optional(), profiles: z.record(z.string(), profile) });
export type Profiles = z.infer<typeof file>;

const none: Profiles = { profiles: {} };

export function profilesPath(env: Env): string {
  const own = (env['XDG_CONFIG_HOME'] ?? '').trim();
  return join(own === '' ? join(env['HOME'] ?? homedir(), '.config') : own, 'keyturn', 'config.json');
}

/** Stops where the file is there and cannot be used. */
export async function readProfiles(env: Env): Promise<Profiles> {
  const path = profilesPath(env);
  const text = await readIfThere(path);
  if (text === undefined) return none;
  const read = file.safeParse(parseJson(text));
  if (!read.success) throw usageStop(`${path} is not what "keyturn config" writes`, 'Correct it, or remove it.');
  return read.data;
}

/** Whole or not at all: another command may be reading it. */
export async function writeProfiles(env: Env, profiles: Profiles): Promise<void> {
  const path = profilesPath(env);
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}`;
  await writeFile(beside, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600 });
  await rename(beside, path);
}

/** The profile of that name. Stops where there is none. */
export function profileNamed(name: string, { profiles }: Profiles): Profile {
  const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (found !== undefined) return found;
  const near = nearest(name, Object.keys(profiles));
  throw usageStop(
    `there is no profile "${name}"`,
    `${near === undefined ? '' : `Did you mean "${near}"? `}Run "keyturn config" to see those there are.`,
  );
}

/**
 * The environment as a command sees it. A profile that was named on the command line takes the place of what is set there, and one that
 * names an audience the place of a key, which may be that of another app. Any other profile counts only where no address is set.
 */
export async function withProfile(env: Env, named: string | undefined): Promise<Env> {
  if (named !== undefined) {
    const chosen = profileNamed(named, await readProfiles(env));
    const { KEYTURN_VAULT: _vault, KEYTURN_AUDIENCE: _audience, ...others } = env;
    return { ...others, ...settingsOf(chosen), ...(chosen.audience === undefined ? {} : noKeys) };
  }
  if ((env['KEYTURN_URL'] ?? '').trim() !== '') return env;
  const known = await readProfiles(env);
  const wanted = (env['KEYTURN_PROFILE'] ?? '').trim() || known.inUse;
  return wanted === undefined ? env : { ...settingsOf(profileNamed(wanted, known)), ...set(env) };
}

const noKeys: Env = { KEYTURN_KEY: undefined, KEYTURN_TOKEN: undefined };

function settingsOf({ url, audience, vault }: Profile): Env {
  return {
    KEYTURN_URL: url,
    ...(audience === undefined ? {} : { KEYTURN_AUDIENCE: audience }),
    ...(vault === undefined ? {} : { KEYTURN_VAULT: vault }),
  };
}

/** An empty variable counts as not set. */
function set(env: Env): Env {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => (value ?? '').trim() !== ''));
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return undefined;
    throw error;
  }
}
