/**
 * An update over work in flight: messages and stamps as versions before wrote them are read, and nothing of them is lost. The files hold
 * what that version wrote; a field that is renamed or a kind that goes away makes them fail.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { readLeftMessages } from '../../functions/left-messages.ts';
import { readMessage } from '../../functions/read-message.ts';
import { formerQueues, queueNames } from '../../shared/contract/queue-names.ts';
import { checkRequest } from '../../shared/engine/policy/check-request.ts';
import { rotationRequest } from '../../shared/engine/policy/request.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { retirementRequest } from '../../shared/engine/retirement/request.ts';
import { newsMessage } from '../../shared/notify/messages.ts';
import { inMemory } from '../fuzz/in-memory.ts';
import { root } from '../tidy/files.ts';

const folder = join(root, 'test', 'fixtures', 'recorded');
const recorded = z.object({
  version: z.string(),
  messages: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))),
  stamps: z.array(z.object({ tag: z.string(), means: z.record(z.string(), z.unknown()) })),
});
const versions = readdirSync(folder).map((file) =>
  recorded.parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))),
);

/** As the worker of the queue reads it. */
const schemas: Readonly<Record<string, z.ZodType>> = {
  [queueNames.rotations]: rotationRequest,
  [queueNames.retirements]: retirementRequest,
  [queueNames.checks]: checkRequest,
  [queueNames.notifications]: newsMessage,
};

/** What is called otherwise today. */
const today = (message: unknown): unknown =>
  JSON.parse(JSON.stringify(message).replaceAll('"type":"quarantined"', '"type":"paused"'));

describe.each(versions)('of $version', ({ messages, stamps }) => {
  const inQueues = Object.entries(messages).filter(([queue]) => !(queue in formerQueues));
  const all = inQueues.flatMap(([queue, list]) => list.map((message) => ({ queue, message })));

  test.each(all)('a message of $queue is read whole: $message.mode $message.type $message.id', ({ queue, message }) => {
    const schema = schemas[queue];
    if (schema === undefined) throw new Error(`no worker reads ${queue}`);
    expect(readMessage(queue, schema, message)).toEqual(today(message));
  });

  test('what lies in a queue that is no more goes on in the one that took its place', async () => {
    const { app, enqueued } = inMemory();
    const texts = new Map(
      Object.keys(formerQueues).map((queue) => [
        queue,
        (messages[queue] ?? []).map((message) => Buffer.from(JSON.stringify(message)).toString('base64')),
      ]),
    );
    const left = {
      take: async (queue: string) => {
        const lying = texts.get(queue) ?? [];
        texts.set(queue, []);
        return { kind: 'taken' as const, messages: lying.map((text) => ({ text, remove: async () => undefined })) };
      },
    };
    const said: string[] = [];
    const log = {
      info: () => undefined,
      warn: (event: string) => void said.push(event),
      error: (event: string) => void said.push(event),
    };
    await readLeftMessages({ ...app, left }, log);
    const expected = Object.entries(formerQueues).flatMap(([queue, successor]) =>
      (messages[queue] ?? []).map((message) => ({ queue: successor, message: today(message) })),
    );
    expect({ enqueued, said }).toEqual({ enqueued: expected, said: [] });
  });

  test.each(stamps)('a version that bears $tag is known', ({ tag, means }) => {
    expect(JSON.parse(JSON.stringify(readStamp({ rotation: tag })))).toEqual(means);
  });
});

test('a message of a version that nobody knows is refused by name, and is kept', () => {
  const message = { vault: 'contoso-kv', secret: 'orders-db', mode: 'teleport', requestedBy: 'x' };
  expect(() => readMessage(queueNames.rotations, rotationRequest, message)).toThrow(
    /queue rotations cannot be read: mode/,
  );
});
