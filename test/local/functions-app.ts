/** Starts the fixture app, and waits for what its functions write to their log. */
import { fileURLToPath } from 'node:url';
import {
  type FunctionsHost,
  type FunctionsHostOptions,
  type LogRecord,
  startFunctionsHost,
} from '../../local/functions-host/index.ts';

export const fixtureFolder = fileURLToPath(new URL('../fixtures/functions-app', import.meta.url));

/** Settings the fixture needs; the timer is out of the way unless a test wants it. */
export function fixtureSettings(storage: string, more: Record<string, string> = {}): Record<string, string> {
  return { AzureWebJobsStorage: storage, WORK_QUEUE: 'work', TICK_SCHEDULE: '0 0 0 1 1 *', ...more };
}

export function startFixture(
  storage: string,
  more: Omit<FunctionsHostOptions, 'folder' | 'settings'> & { settings?: Record<string, string> } = {},
): Promise<FunctionsHost> {
  const { settings, ...options } = more;
  return startFunctionsHost({ folder: fixtureFolder, settings: fixtureSettings(storage, settings), ...options });
}

/** Resolves with the first `count` records that fit, past ones included. */
export function logged(host: FunctionsHost, fits: (record: LogRecord) => boolean, count = 1): Promise<LogRecord[]> {
  return new Promise((resolve) => {
    const found = host.logs().filter(fits);
    const look = () => {
      if (found.length < count) return;
      end();
      resolve(found.slice(0, count));
    };
    // Each record is looked at once: a log of thousands would otherwise take all the time there is.
    const end = host.onLog((record) => {
      if (fits(record)) found.push(record);
      look();
    });
    look();
  });
}

export function saying(text: string): (record: LogRecord) => boolean {
  return ({ message }) => message.includes(text);
}
