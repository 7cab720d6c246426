/** The end of an old credential: retire; and what a consumer says of the new one: ack. */
import { acknowledgements, retirement } from '../api/views.ts';
import { waitingLine } from '../asked.ts';
import type { Command } from '../command.ts';
import { must } from '../must.ts';
import { pathOf, routeOf, secretNamed } from '../names.ts';
import { breakGlass, breakGlassOption, reasonOption } from '../options.ts';
import { reasonFor } from '../reason.ts';
import { paint } from '../terminal/paint.ts';
import { plain } from '../terminal/text.ts';
import { absolute } from '../terminal/time.ts';
import { usageStop } from '../trouble.ts';

export const retire: Command = {
  name: 'retire',
  summary: 'end the old credential now, if nobody is seen using it',
  takes: 'NAME',
  count: [1, 1],
  options: {
    force: { type: 'boolean', help: 'even while it is in use: its sessions are ended. Needs the role emergency' },
    ...breakGlassOption,
    ...reasonOption,
  },
  about: 'While somebody uses it, it says who, changes nothing and exits with 6.',
  examples: ['keyturn retire orders-db --reason "all restarted"'],
  role: 'operator',
  roleFor: (given) => (given.flag('force') ? 'emergency' : 'operator'),
  async run(context) {
    const { api, given, vault, terminal, json, print, now } = context;
    const named = await secretNamed(api, given.args, vault);
    const forced = given.flag('force') ? { force: true } : {};
    const body = { reason: await reasonFor(context), ...forced, ...breakGlass(given) };
    const path = routeOf(named, 'retire');
    const one = must(await api.ask({ method: 'POST', path, body, schema: retirement, withinMs: 200_000 }));
    const exit = one.state === 'retired' ? 'ok' : 'not-now';
    if (json) {
      print(one);
      return exit;
    }
    if (one.approval !== undefined) {
      terminal.err(waitingLine(one.approval, now()));
      return exit;
    }
    const word = paint(one.state, exit === 'ok' ? 'green' : 'yellow', terminal.colour.out);
    const logins = one.logins.length === 0 ? '' : `: ${one.logins.join(', ')} is refused`;
    terminal.out(`${pathOf(named)} ${word}${plain(logins)}`);
    for (const session of one.sessions) terminal.out(`  session  ${plain(session)}`);
    for (const consumer of one.consumers) terminal.out(`  consumer ${plain(consumer)} has not acknowledged`);
    if (one.sessionsEnded !== undefined && one.sessionsEnded > 0) terminal.out(`  ${one.sessionsEnded} sessions ended`);
    if (one.sessionsGoOn !== undefined && one.sessionsGoOn > 0) {
      terminal.out(`  ${one.sessionsGoOn} sessions go on until they end: the target refuses new ones only`);
    }
    for (const proof of one.proofs ?? []) terminal.out(`  proven   ${plain(proof)}`);
    if (one.retireBy !== undefined) terminal.out(`  it ends by itself ${absolute(one.retireBy, now())}`);
    return exit;
  },
};

export const ack: Command = {
  name: 'ack',
  summary: 'as a consumer: say that you use a version',
  takes: 'NAME VERSION',
  count: [2, 2],
  options: { consumer: { type: 'string', value: 'NAME', help: 'which of your names, where you have several' } },
  about:
    'Needs the key or identity of a consumer that the tag "consumers" of the secret names. "keyturn show" says who is missing.',
  examples: ['keyturn ack contoso-kv/orders-db 0123456789abcdef0123456789abcdef'],
  role: 'consumer',
  async run({ api, given, vault, terminal, json, print }) {
    const [name = '', version = ''] = given.args;
    if (!/^[0-9a-fA-F]{32}$/.test(version))
      throw usageStop(
        `"${version}" is not a version`,
        'Give the version that the vault gave with the value: 32 hex digits.',
      );
    const named = await secretNamed(api, [name], vault);
    const consumer = given.text('consumer');
    const path = routeOf(named, 'versions', version, 'acknowledgements');
    const body = consumer === undefined ? {} : { consumer };
    const one = must(await api.ask({ method: 'POST', path, body, schema: acknowledgements }));
    if (json) print(one);
    else {
      const missing = one.missing.map((each) => each.consumer).join(', ');
      terminal.out(
        `${pathOf(named)} acknowledged; ${missing === '' ? 'nobody is missing' : `missing: ${plain(missing)}`}`,
      );
    }
    return 'ok';
  },
};
