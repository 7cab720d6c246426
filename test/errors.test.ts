import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Bug, rethrowBug } from '../shared/errors.ts';
import { noAnswer } from '../shared/http/client.ts';
import { noToken } from '../shared/notify/event-grid.ts';
import { storageFault } from '../shared/storage/fault.ts';
import { faultOf } from '../shared/vault/fault.ts';

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

const nothing: { readonly at?: { readonly all: string } } = JSON.parse('{}');

/** What V8 and zod themselves throw. */
const mistakes = {
  'a field of nothing': () => Reflect.get(Object(nothing), 'at').all,
  'a search in a text, which V8 quotes': () => {
    throw new TypeError("Cannot use 'in' operator to search for 'x' in canary-value");
  },
  'a length below 0': () => new Array(-1),
  'a record that does not fit its schema': () => z.object({ name: z.string() }).parse({ name: 1 }),
  'a bug': () => rethrowBug(new Bug('two edits overlap')),
};

/** What comes of services, of the way to them, and of addresses and headers that people wrote. */
const troubles = {
  'a broken connection': () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
  'an address that is none': () => thrownBy(() => new URL('no address')),
  'a fetch that failed': () => new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND') }),
  'an answer that is no JSON': () => thrownBy(() => JSON.parse('<html>')),
  'no error at all': () => 'no',
};

const about = { secret: 'orders-db', channel: 'ops' };

/** Everything that turns what was thrown into a failure of a service. */
const judges = {
  'the storage account': (error: unknown) => storageFault(error),
  'the vault': (error: unknown) => faultOf(error, undefined, (shown) => shown),
  'a receiver or a provider of keys': (error: unknown) => noAnswer(error, new AbortController().signal),
  'the identity of a channel': (error: unknown) => noToken(about, error),
};

describe.each(Object.entries(judges))('%s', (_name, judge) => {
  it.each(Object.entries(mistakes))('is not said to be unreachable for a mistake in Keyturn: %s', (_what, make) => {
    const thrown = thrownBy(() => judge(thrownBy(make)));
    expect(thrown).toBeInstanceOf(Bug);
    expect(String(thrown instanceof Error ? thrown.stack : thrown)).not.toContain('canary-value');
    expect(thrown).toMatchObject({ stack: expect.stringContaining('errors.test.ts') });
  });

  it.each(Object.entries(troubles))('is said to be so for %s', (_what, make) => {
    expect(thrownBy(() => judge(make()))).not.toBeInstanceOf(Error);
  });
});
