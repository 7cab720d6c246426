/** Stands in for `sqlcmd`: its options and scripting variables, with FreeTDS as the client that talks to the server. */
import { parseArgs } from 'node:util';
import { tsql } from '../../local/freetds.ts';

const { values } = parseArgs({
  options: {
    server: { type: 'string', short: 'S' },
    database: { type: 'string', short: 'd' },
    user: { type: 'string', short: 'U' },
    entra: { type: 'boolean', short: 'G' },
    query: { type: 'string', short: 'Q' },
    variable: { type: 'string', short: 'v', multiple: true },
    stop: { type: 'boolean', short: 'b' },
  },
});

/** `$(NAME)` is a scripting variable: from -v, else from the environment. */
function expanded(text: string): string {
  const given = new Map((values.variable ?? []).map((one) => [one.split('=')[0], one.slice(one.indexOf('=') + 1)]));
  return text.replaceAll(/\$\(([A-Za-z_]\w*)\)/g, (_, name: string) => {
    const value = given.get(name) ?? process.env[name];
    if (value === undefined) throw new Error(`'${name}' scripting variable not defined.`);
    return value;
  });
}

async function main(): Promise<void> {
  const { server = '', user, entra, database, query } = values;
  if (!/^(tcp:)?[a-z0-9.-]+\.(database\.windows\.net|example\.com)(,\d+)?$/.test(server))
    throw new Error(`sqlcmd: no server "${server}"`);
  if (query === undefined) throw new Error('sqlcmd: -Q is needed, no terminal is attached');
  if ((user === undefined) === (entra !== true)) throw new Error('sqlcmd: give -U or -G');
  const password = user === undefined ? process.env['PAGES_SQL_PASSWORD'] : process.env['SQLCMDPASSWORD'];
  if (password === undefined) throw new Error('sqlcmd: Password:');
  const answer = await tsql({
    port: Number(process.env['PAGES_SQL_PORT']),
    user: user ?? process.env['ADMIN_LOGIN'] ?? '',
    password,
    encryption: 'require',
    ...(database === undefined ? {} : { database }),
    batches: [expanded(query)],
  });
  process.stdout.write(answer.text);
  const failed = answer.code !== 0 || /\bMsg \d+/.test(answer.text);
  // Without -b an error of the server does not end it with another code than 0.
  if (failed && values.stop === true) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
