import type { Command, Context } from '../command.ts';
import { baseOf } from '../connect.ts';
import type { Exit } from '../exit-codes.ts';
import { type Profile, type Profiles, profileNamed, profilesPath, readProfiles, writeProfiles } from '../profiles.ts';
import { tableLines } from '../terminal/table.ts';
import { usageStop } from '../trouble.ts';

const actions = ['list', 'set', 'use', 'remove'] as const;
const profileName = /^[a-z0-9][a-z0-9._-]{0,63}$/i;

export const config: Command = {
  name: 'config',
  summary: 'profiles: the address, audience and vault of each app you work with, by a name',
  takes: '[list | set NAME | use NAME | remove NAME]',
  count: [0, 2],
  options: {},
  about: `"set" takes --url, and --audience and --vault where you want them; the first profile is in use from then on. A profile holds no key
and no token. KEYTURN_URL beats the profile in use; --profile beats both.`,
  examples: [
    'keyturn config set prod --url https://keyturn-app.azurewebsites.net --audience api://keyturn',
    'keyturn config use prod',
    'keyturn list --profile staging',
  ],
  role: undefined,
  async run(context) {
    const [asked = 'list', name] = context.given.args;
    const action = actions.find((one) => one === asked);
    if (action === undefined)
      throw usageStop(`"${asked}" is nothing that config does`, `It takes ${actions.join(', ')}.`);
    if (action === 'list') return list(context);
    if (name === undefined || !profileName.test(name))
      throw usageStop(
        `keyturn config ${action} takes the name of a profile`,
        'Give a name of letters, digits, dots and dashes.',
      );
    const known = await readProfiles(context.env);
    await writeProfiles(context.env, changed(action, name, known, context));
    context.terminal.err(`${action === 'use' ? `${name} is in use` : `${name} is ${done[action]}`}`);
    return 'ok';
  },
};

const done = { set: 'set', remove: 'removed' } as const;

function changed(action: 'set' | 'use' | 'remove', name: string, known: Profiles, context: Context): Profiles {
  switch (action) {
    case 'set': {
      const profiles = {
        ...known.profiles,
        [name]: { ...known.profiles[name], ...given(context, known.profiles[name]) },
      };
      return { inUse: known.inUse ?? name, profiles };
    }
    case 'use':
      profileNamed(name, known);
      return { ...known, inUse: name };
    case 'remove': {
      profileNamed(name, known);
      const { [name]: _gone, ...profiles } = known.profiles;
      return known.inUse === name ? { profiles } : { ...known, profiles };
    }
  }
}

/** What the options say, checked as it is when it is used. */
function given(context: Context, before: Profile | undefined): Profile {
  const [url, audience] = [context.given.text('url') ?? before?.url, context.given.text('audience')];
  const vault = context.given.text('vault');
  if (url === undefined) throw usageStop('a new profile takes an address', 'Give --url https://APP.azurewebsites.net.');
  baseOf(url);
  for (const secret of ['key', 'token'])
    if (context.given.text(secret) !== undefined)
      throw usageStop(
        `a profile holds no ${secret}`,
        `Leave --${secret} out; set KEYTURN_${secret.toUpperCase()} instead.`,
      );
  return { url, ...(audience === undefined ? {} : { audience }), ...(vault === undefined ? {} : { vault }) };
}

async function list({ env, terminal, json, print }: Context): Promise<Exit> {
  const known = await readProfiles(env);
  if (json) {
    print(known);
    return 'ok';
  }
  const rows = Object.entries(known.profiles).map(([name, { url, audience = '', vault = '' }]) => [
    name === known.inUse ? '*' : '',
    ...[name, url, audience, vault],
  ]);
  terminal.err(profilesPath(env));
  if (rows.length === 0) terminal.err('no profile yet: keyturn config set NAME --url https://APP.azurewebsites.net');
  const columns = [{ title: '' }, { title: 'PROFILE' }, { title: 'URL' }, { title: 'AUDIENCE' }, { title: 'VAULT' }];
  for (const line of rows.length === 0 ? [] : tableLines({ columns, rows }, terminal.columns, terminal.colour.out))
    terminal.out(line);
  return 'ok';
}
