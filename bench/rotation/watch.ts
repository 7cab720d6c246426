/** Hears what the drivers of all targets are asked to do, and which calls go to the storage account. */
import { subscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';
import { type Player, type Rename, Tape } from './tape.ts';

let tape: Tape | undefined;
const sessions = new WeakMap<object, number>();
const closed = new WeakSet<object>();
let opened = 0;

/** Hears one piece of work. Not two at a time. */
export async function onTape<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly tape: Tape }> {
  const own = new Tape();
  tape = own;
  try {
    return { result: await work(), tape: own };
  } finally {
    tape = undefined;
  }
}

export interface Watched {
  /** Of the driver's connections; its methods are watched from now on. */
  readonly prototype: object;
  readonly open: string;
  /** Methods that send something, with what of the arguments a player needs to do the same. */
  readonly send: Readonly<Record<string, (args: readonly unknown[]) => unknown>>;
  readonly close: readonly string[];
  /** Called when the connection was opened or refused. */
  readonly player: (connection: object) => (rename: Rename) => Player;
  /** Where the answer comes, if neither by a promise nor by a callback among the arguments. */
  readonly answered?: (args: readonly unknown[], done: (refused: boolean) => void) => void;
}

/** Watches the methods of a driver. Once in a process. */
export function watch(driver: Watched): void {
  patch(driver.prototype, driver.open, (connection, args, go) => {
    opened += 1;
    sessions.set(connection, opened);
    // The driver may learn only now what it logs in with, so it is asked when it plays.
    const player = (rename: Rename): Player => driver.player(connection)(rename);
    return following(args, go, tape?.add({ session: opened, kind: 'open', args: [], player }));
  });
  for (const [method, pick] of Object.entries(driver.send)) {
    patch(driver.prototype, method, (connection, args, go) => {
      const session = sessions.get(connection);
      if (session === undefined) return go(args);
      const done = tape?.add({ session, kind: 'send', args: pick(args) });
      if (driver.answered === undefined || done === undefined) return following(args, go, done);
      driver.answered(args, done);
      return go(args);
    });
  }
  for (const method of driver.close) {
    patch(driver.prototype, method, (connection, args, go) => {
      const session = sessions.get(connection);
      if (session === undefined || closed.has(connection)) return go(args);
      closed.add(connection);
      return following(args, go, tape?.add({ session, kind: 'close', args: [] }));
    });
  }
}

type Go = (args: readonly unknown[]) => unknown;

function patch(
  prototype: object,
  method: string,
  instead: (connection: object, args: readonly unknown[], go: Go) => unknown,
): void {
  const original: unknown = Reflect.get(prototype, method);
  if (typeof original !== 'function') throw new Error(`the driver has no method ${method}`);
  Reflect.set(prototype, method, function (this: object, ...args: unknown[]) {
    return instead(this, args, (given) => Reflect.apply(original, this, [...given]));
  });
}

/** Calls it and hears its end: from its callback if it was given one, or from its promise. */
function following(args: readonly unknown[], go: Go, done: ((refused: boolean) => void) | undefined): unknown {
  if (done === undefined) return go(args);
  const last = args.at(-1);
  if (typeof last === 'function') {
    const heard = (...answer: unknown[]): unknown => {
      done(answer[0] instanceof Error);
      return Reflect.apply(last, undefined, answer);
    };
    return go([...args.slice(0, -1), heard]);
  }
  const result = go(args);
  if (!(result instanceof Promise)) {
    done(false);
    return result;
  }
  result.then(
    () => done(false),
    () => done(true),
  );
  return result;
}

/** Counts calls to the storage account, and marks the tape at the first message to a queue. */
export function watchStorage(storage: {
  readonly blobUrl: string;
  readonly queueUrl: string;
  readonly tableUrl: string;
}) {
  const queue = new URL(storage.queueUrl).host;
  const hosts = new Set([storage.blobUrl, storage.queueUrl, storage.tableUrl].map((url) => new URL(url).host));
  const calls = { total: 0 };
  subscribe('http.client.request.start', (message) => {
    const request: unknown =
      typeof message === 'object' && message !== null ? Reflect.get(message, 'request') : undefined;
    if (!(request instanceof ClientRequest)) return;
    const host = String(request.getHeader('host'));
    if (!hosts.has(host)) return;
    calls.total += 1;
    if (tape !== undefined && host === queue) tape.looked ??= tape.acts.length;
  });
  return calls;
}
