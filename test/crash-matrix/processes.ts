/** Worker processes of the crash matrix, each killed by its own id. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Answer, answer, type Order } from './protocol.ts';

const program = fileURLToPath(new URL('worker.ts', import.meta.url));

/** How long one delivery may take before something is wrong with the matrix itself, in ms. */
const patienceMs = 180_000;

export interface Worker {
  /** Hands over one delivery. Resolves when it stands at its point or is over; rejects when the process is gone. */
  deliver(given: Omit<Order, 'id'>): Promise<Answer>;
  /** SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>;
}

export async function startWorker(settings: Readonly<Record<string, string>>): Promise<Worker> {
  const { PATH = '' } = process.env;
  const child = fork(program, {
    env: { PATH, NODE_NO_WARNINGS: '1', ...settings },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const errors: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await ready(child, errors);
  child.on('message', (message) => {
    const told = answer.parse(message);
    waiting.get(told.id)?.resolve(told);
    waiting.delete(told.id);
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error(`a worker ended in its work: ${errors.join('')}`));
    waiting.clear();
  });
  let count = 0;
  return {
    deliver: (given) =>
      new Promise((resolve, reject) => {
        const id = ++count;
        const late = () => reject(new Error(`no answer about ${given.message.secret} in ${patienceMs / 1_000} s`));
        const timer = setTimeout(late, patienceMs);
        const settle =
          <Value>(act: (value: Value) => void) =>
          (value: Value) => {
            clearTimeout(timer);
            act(value);
          };
        waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
        child.send({ id, ...given } satisfies Order);
      }),
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function ready(child: ChildProcess, errors: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`a worker did not start: ${errors.join('')}`));
    child.once('exit', ended);
    child.once('message', () => {
      child.off('exit', ended);
      resolve();
    });
  });
}
