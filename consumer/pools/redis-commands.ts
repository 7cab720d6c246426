import type { ChainableCommander, Cluster, Redis, RedisCommander } from 'ioredis';
import { ConsumerError } from '../errors.ts';
import type { PoolState, RotatingPool } from './rotating-pool.ts';

export type RedisClient = Redis | Cluster;

/** Commands that change the connection itself, which others share and which is swapped. */
const connectionCommands = [
  ...['auth', 'hello', 'select', 'quit', 'reset', 'monitor', 'watch', 'unwatch', 'exec', 'discard', 'asking'],
  ...['readonly', 'readwrite', 'subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe', 'sunsubscribe'],
] as const;

type ConnectionCommand = (typeof connectionCommands)[number] | 'pipeline' | 'multi';

/** All commands of ioredis, each on the client of the current credential. */
export interface RotatingRedis extends Omit<RedisCommander, ConnectionCommand> {
  /** Commands sent together. They are collected here and sent by `exec` on one client. */
  pipeline(commands?: unknown[][]): ChainableCommander;
  /** The same as one transaction. WATCH is not possible on a shared connection: give `use` a client of your own. */
  multi(commands?: unknown[][]): ChainableCommander;
  /** Gives the driver's current client, which stays open until the work is over. Do not change its connection: `duplicate()` it. */
  use<Result>(work: (client: RedisClient) => Result | Promise<Result>): Promise<Result>;
  readonly state: PoolState;
  /** Waits for the commands under way and closes the connection. May be called again. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Whether Redis says that the connection is not logged in, or refused the login: the command itself was not run then.
 * `WRONGPASS` and `NOAUTH`: https://redis.io/docs/latest/commands/auth/; the third is what versions before 6 say.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^(?:WRONGPASS|NOAUTH|ERR invalid password)\b/.test(error.message);
}

/** Scripts choose the words of their errors, so an error of one says nothing about whether it ran. */
const runsScripts = /^(?:eval|evalsha|eval_ro|evalsha_ro|fcall|fcall_ro|call)(?:buffer)?$/i;

type Callback = (error: unknown, result?: unknown) => void;

/** Wraps the commands of the driver's clients; `scripts`: the names of the commands that the caller defines. */
export function rotatingCommands(rotating: RotatingPool<RedisClient>, scripts: readonly string[]): RotatingRedis {
  const refused = new Set<string>(connectionCommands);
  const commands = commandNames(rotating);
  const own = {
    pipeline: (given: unknown[][] = []) => batch(rotating, 'pipeline', given),
    multi: (given: unknown) => batch(rotating, 'multi', given ?? []),
    use: <Result>(work: (client: RedisClient) => Result | Promise<Result>) => rotating.use(work),
    get state() {
      return rotating.state;
    },
    close: () => rotating.close(),
    [Symbol.asyncDispose]: () => rotating.close(),
  };
  return new Proxy(Object.create(own), {
    get(target, key, receiver): unknown {
      if (typeof key === 'symbol' || key in own) return Reflect.get(target, key, receiver);
      const plain = key.replace(/Buffer$/, '').toLowerCase();
      if (refused.has(plain)) return () => unsupported(key);
      const script = scripts.includes(key);
      if (!script && !commands.has(plain)) return undefined;
      return (...args: unknown[]) => command(rotating, key, args, script || runsScripts.test(plain));
    },
  });
}

function commandNames(rotating: RotatingPool<RedisClient>): ReadonlySet<string> {
  const work = rotating.begin();
  work.end();
  return new Set([...work.pool.getBuiltinCommands(), 'call']);
}

function unsupported(name: string): never {
  throw new ConsumerError(
    'unsupported',
    `${name} changes a connection that is shared and swapped. Use a client of your own for it: use((client) => client.duplicate()).`,
  );
}

async function command(
  rotating: RotatingPool<RedisClient>,
  name: string,
  args: readonly unknown[],
  script: boolean,
): Promise<unknown> {
  const last = args.at(-1);
  const callback: Callback | undefined = typeof last === 'function' ? (...given) => last(...given) : undefined;
  const plain = callback === undefined ? args : args.slice(0, -1);
  const result = rotating.connect(async (client) => call(client, name, plain), script ? () => false : undefined);
  return settle(
    result.then(({ connection, work }) => {
      work.end();
      return connection;
    }),
    callback,
  );
}

// A caller with a callback hears of a failure by it alone, as with the driver.
async function settle(result: Promise<unknown>, callback: Callback | undefined): Promise<unknown> {
  if (callback === undefined) return result;
  try {
    const value = await result;
    callback(null, value);
    return value;
  } catch (error) {
    callback(error);
    return undefined;
  }
}

function call(client: object, name: string, args: readonly unknown[]): unknown {
  return Reflect.apply(Reflect.get(client, name), client, args);
}

function batch(rotating: RotatingPool<RedisClient>, kind: 'pipeline' | 'multi', given: unknown): ChainableCommander {
  if (!Array.isArray(given)) throw new ConsumerError('unsupported', `${kind} takes a list of commands and no options.`);
  const calls: { readonly name: string; readonly args: readonly unknown[] }[] = given.map(([name, ...args]) => ({
    name: String(name),
    args,
  }));
  const exec = (callback?: Callback) => settle(sendBatch(rotating, kind, calls), callback);
  const recorder: ChainableCommander = new Proxy(Object.create(null), {
    get(_target, key): unknown {
      if (key === 'exec' || key === 'execBuffer') return exec;
      if (key === 'length') return calls.length;
      if (typeof key === 'symbol' || key === 'then') return undefined;
      return (...args: unknown[]) => {
        if (typeof args.at(-1) === 'function') {
          throw new ConsumerError('unsupported', `Commands of ${kind} take no callbacks: look at what exec() gives.`);
        }
        calls.push({ name: key, args });
        return recorder;
      };
    },
  });
  return recorder;
}

type BatchResult = readonly (readonly [unknown, unknown])[] | null;

async function sendBatch(
  rotating: RotatingPool<RedisClient>,
  kind: 'pipeline' | 'multi',
  calls: readonly { readonly name: string; readonly args: readonly unknown[] }[],
): Promise<BatchResult> {
  const send = async (client: RedisClient): Promise<BatchResult> => {
    const made = kind === 'multi' ? client.multi() : client.pipeline();
    for (const { name, args } of calls) call(made, name, args);
    const results = await made.exec();
    const [first] = results ?? [];
    // Only when each of them was refused has none of them run.
    if (first !== undefined && results?.every(([error]) => isRefusal(error)) === true) throw first[0];
    return results;
  };
  const { connection, work } = await rotating.connect(send);
  work.end();
  return connection;
}
