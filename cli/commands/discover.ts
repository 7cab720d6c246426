/** What secrets there are, and which of them need somebody. */
import { writeFile } from 'node:fs/promises';
import type { Command, Context } from '../command.ts';
import { servicesFor } from '../discovery/azure.ts';
import { type Discovered, discoverAll } from '../discovery/discover.ts';
import type { Finding, Risk } from '../discovery/finding.ts';
import { risks } from '../discovery/finding.ts';
import { pageOf } from '../discovery/page.ts';
import type { Colour } from '../terminal/paint.ts';
import { tableLines } from '../terminal/table.ts';
import { plain, wrapped } from '../terminal/text.ts';
import { relative } from '../terminal/time.ts';
import { Stop } from '../trouble.ts';

const colours: Readonly<Record<Risk, Colour>> = {
  expired: 'red',
  soon: 'red',
  'no-expiry': 'yellow',
  shared: 'yellow',
  'in-no-vault': 'yellow',
  old: 'cyan',
  odd: 'cyan',
};

export const discover: Command = {
  name: 'discover',
  summary: 'every secret, key and certificate that you may list, and what stands in no vault; most urgent first',
  takes: '',
  count: [0, 0],
  options: {
    read: { type: 'boolean', help: 'read values to tell kinds and shared ones; they stay in this process' },
    subscription: {
      type: 'string',
      value: 'ID',
      help: 'only this one (AZURE_SUBSCRIPTION_ID); otherwise all that you see',
    },
    risk: { type: 'string', multiple: true, value: 'RISK', help: `only these: ${risks.join(', ')}`, choices: risks },
    html: { type: 'string', value: 'FILE', help: 'write a page for others, too' },
  },
  about: `Asks Resource Manager, the vaults and Microsoft Graph with your "az login", not the app: it shows what you may see. Changes nothing.
What may not be listed or read is named, and the rest goes on; it exits with 1 then.`,
  examples: [
    'keyturn discover',
    'keyturn discover --read --html secrets.html',
    'keyturn discover --risk expired --risk soon --json',
  ],
  role: undefined,
  async run(context) {
    const { given, env, vault, terminal, json, print, now } = context;
    const services = await servicesFor(context);
    const subscription = given.text('subscription') ?? (env['AZURE_SUBSCRIPTION_ID']?.trim() || undefined);
    const found = await discoverAll(services, {
      ...{ read: given.flag('read'), vault, subscription, now: now() },
      progress: (done, of, secrets) => terminal.live(`  ${done} of ${of} vaults, ${secrets} secrets …`),
    });
    terminal.live('');
    if (found.vaults === 0 && found.blind.length === 0) {
      throw new Stop({
        ...{ exit: 'not-found', code: 'no-vaults', message: 'no vault was found that you may list' },
        hint: 'Sign in with "az login" to the right tenant, and give --subscription where there are several.',
      });
    }
    const wanted = given.list('risk');
    const shown = { ...found, findings: found.findings.filter((one) => isWanted(one, wanted)) };
    const page = given.text('html');
    if (page !== undefined) await writeFile(page, pageOf(shown, now()));
    if (json) print(shown);
    else tell(context, shown, now());
    return found.blind.length === 0 ? 'ok' : 'failed';
  },
};

function isWanted({ risks: own }: Finding, wanted: readonly string[]): boolean {
  return wanted.length === 0 || own.some((risk) => wanted.includes(risk));
}

function tell({ terminal }: Context, { findings, blind, vaults }: Discovered, now: Date): void {
  const table = {
    columns: [
      { title: 'RISK' },
      { title: 'WHAT', drop: 5 },
      { title: 'VAULT', drop: 2 },
      { title: 'NAME', least: 16 },
      { title: 'KIND', least: 12, drop: 3 },
      { title: 'EXPIRES', drop: 1 },
      { title: 'RENEWED BY', least: 8, drop: 4 },
      { title: 'NOTES', least: 16, drop: 6 },
    ],
    rows: findings.map((one) => {
      const [first] = one.risks;
      const risk = { text: one.risks.join(', '), colour: first === undefined ? undefined : colours[first] };
      const how = one.because === 'name' ? `${one.kind}, by its name` : one.kind;
      return [
        risk,
        one.what,
        one.vault ?? '',
        one.name,
        how,
        relative(one.expiresAt, now),
        one.renewedBy,
        one.notes.join(' '),
      ];
    }),
  };
  if (findings.length > 0)
    for (const line of tableLines(table, terminal.columns, terminal.colour.out)) terminal.out(line);
  for (const { what, why, fix } of blind) {
    terminal.err(wrapped(`not looked at: ${plain(what)}: ${plain(why)}`, terminal.columns, ''));
    if (fix !== undefined) terminal.err(`  Do: ${plain(fix)}`);
  }
  const counts = risks.flatMap((risk) => {
    const count = findings.filter(({ risks: own }) => own.includes(risk)).length;
    return count === 0 ? [] : [`${count} ${risk}`];
  });
  terminal.err(
    `\n${findings.length} findings in ${vaults} ${vaults === 1 ? 'vault' : 'vaults'}: ${counts.join(', ') || 'no risk'}`,
  );
}
