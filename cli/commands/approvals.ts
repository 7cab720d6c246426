/** Four eyes: what waits for a second person, and their approval. */
import { type Approval, approvals as approvalsView, approved as approvedView } from '../api/views.ts';
import { followAll } from '../asked.ts';
import type { Command } from '../command.ts';
import { must } from '../must.ts';
import { waitOptions } from '../options.ts';
import { paint } from '../terminal/paint.ts';
import { plain } from '../terminal/text.ts';
import { absolute } from '../terminal/time.ts';
import { usageStop } from '../trouble.ts';

/** What it is about, in one word or two. */
export function subjectOf({ vault, secret, matched }: Approval): string {
  return matched === undefined ? `${vault}/${secret}` : `${matched} secrets`;
}

export const approvals: Command = {
  name: 'approvals',
  summary: 'what waits for a second person',
  takes: '',
  count: [0, 0],
  options: { all: { type: 'boolean', help: 'also what was approved, and what nobody approved in time' } },
  examples: ['keyturn approvals', 'keyturn approvals --all --json'],
  role: 'reader',
  async run({ api, given, terminal, json, print, now }) {
    const query = given.flag('all') ? ([['all', 'true']] as const) : [];
    const answer = must(await api.ask({ path: ['approvals'], query, schema: approvalsView }));
    if (json) {
      print(answer);
      return 'ok';
    }
    if (answer.approvals.length === 0) terminal.out('Nothing waits for a second person.');
    for (const one of answer.approvals) {
      const end = one.state === 'waiting' ? `until ${absolute(one.expiresAt, now())}` : (one.approvedBy ?? '');
      const word = paint(one.state, one.state === 'waiting' ? 'yellow' : 'green', terminal.colour.out);
      terminal.out(`${one.approvalId} ${word} ${plain(end)}`);
      terminal.out(`  ${plain(`${one.action} of ${subjectOf(one)}, asked by ${one.requestedBy}: ${one.reason}`)}`);
    }
    return 'ok';
  },
};

export const approve: Command = {
  name: 'approve',
  summary: 'approve what another person asked for; it is done at once',
  takes: 'ID',
  count: [1, 1],
  options: waitOptions,
  about: `Needs the role of what was asked for, and a person who is signed in: not a key, not an application, not the one who asked. "keyturn approvals"
lists what waits.`,
  examples: ['keyturn approve 0123456789abcdef0123456789abcdef'],
  role: 'operator',
  async run(context) {
    const { api, given, terminal, json, print } = context;
    const [id = ''] = given.args;
    if (!/^[0-9a-f]{32}$/.test(id))
      throw usageStop(`"${id}" is not the id of an approval`, 'Look at what waits with "keyturn approvals".');
    const path = ['approvals', id, 'approve'];
    const done = must(await api.ask({ method: 'POST', path, body: {}, schema: approvedView, withinMs: 200_000 }));
    if (done.rotations !== undefined) return followAll(context, done.rotations);
    const { vault, secret, rotationId, state } = done;
    if (vault !== undefined && secret !== undefined && state !== 'retired' && state !== 'waiting')
      return followAll(context, [{ vault, secret, rotationId: rotationId ?? id }]);
    if (json) print(done);
    else terminal.out(`approved: ${plain(state ?? 'done')}`);
    return state === 'waiting' ? 'not-now' : 'ok';
  },
};
