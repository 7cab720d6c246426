import { describe, expect, it } from 'vitest';
import type { Reply } from '../../rotators/redis/connection.ts';
import { type Fault, fault } from '../../rotators/redis/fault.ts';
import type { Node } from '../../rotators/redis/fleet.ts';
import { remember } from '../../rotators/redis/settings.ts';
import { parseClusterNodes } from '../../rotators/redis/topology.ts';
import { newPassword } from '../conformance/step.ts';

const address = { host: 'redis-0.contoso.test', port: 6379 };
const view = {
  kind: 'view',
  mode: 'standalone',
  runId: '1',
  version: '7',
  hasConfigFile: true,
  neighbours: [],
} as const;
const done: Reply = { kind: 'reply', value: 'OK' };
const noFile = fault('rejected', 'redis-0', 'ERR This Redis instance is not configured to use an ACL file.');

/** A node that answers each command as told, and the commands it was sent. */
function nodeWith(answers: Readonly<Record<string, Reply | Fault>>): { readonly node: Node; readonly sent: string[] } {
  const sent: string[] = [];
  const connection = {
    address,
    call: async (...words: readonly (string | number)[]) => {
      sent.push(words.join(' '));
      return answers[words.join(' ')] ?? done;
    },
    login: async () => ({ kind: 'accepted' as const }),
    close: () => undefined,
  };
  return { node: { name: 'redis-0', address, connection, view, login: { password: newPassword() } }, sent };
}

describe('a node is made to remember', () => {
  it.each([
    ['its users in its ACL file', {}, false, ['ACL SAVE']],
    ['users in the ACL file and a changed masterauth in its configuration', {}, true, ['ACL SAVE', 'CONFIG REWRITE']],
    [
      'both in its configuration where it has no ACL file',
      { 'ACL SAVE': noFile },
      false,
      ['ACL SAVE', 'CONFIG REWRITE'],
    ],
  ] as const)('%s', async (_what, answers, settingsChanged, expected) => {
    const { node, sent } = nodeWith(answers);
    expect(await remember(node, settingsChanged)).toEqual({ kind: 'remembered' });
    expect(sent).toEqual(expected);
  });

  it.each(['ACL SAVE', 'CONFIG REWRITE'])('or is named when %s is refused', async (command) => {
    const { node } = nodeWith({ [command]: fault('rejected', 'redis-0', 'ERR the disk is full') });
    expect(await remember(node, true)).toMatchObject({ kind: 'forgetful', node: 'redis-0' });
  });

  it.each(['ACL SAVE', 'CONFIG REWRITE'])('again later when the connection broke at %s', async (command) => {
    const { node } = nodeWith({ [command]: fault('unreachable', 'redis-0', 'ECONNRESET') });
    expect(await remember(node, true)).toMatchObject({ kind: 'fault', fault: 'unreachable' });
  });
});

it('a cluster node that gives no port is left out of the nodes', () => {
  const lines = [
    '07c3 10.0.0.1:6379@16379,, master - 0 0 1 connected',
    '18d4 10.0.0.2:0@0,, master - 0 0 2 connected',
    '29e5 10.0.0.3:-1@0,, master - 0 0 3 connected',
    '3af6 10.0.0.4:x@0,, master - 0 0 4 connected',
  ];
  expect(parseClusterNodes(lines.join('\n'), 'own')).toEqual([{ host: '10.0.0.1', port: 6379 }]);
});
