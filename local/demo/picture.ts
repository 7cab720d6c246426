/** `npm run picture`: runs the demo as a person does, and writes docs/demo.svg from what it printed and when. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Recorded, svgOf } from './svg.ts';

const demo = fileURLToPath(new URL('main.ts', import.meta.url));
const picture = fileURLToPath(new URL('../../docs/demo.svg', import.meta.url));

/** What was printed, with the time of each line. Rejects when the demo broke a promise. */
async function record(): Promise<readonly Recorded[]> {
  const startedMs = performance.now();
  const env = { ...process.env, FORCE_COLOR: '1' };
  const child = spawn(process.execPath, [demo], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: Recorded[] = [];
  const ended = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout }))
    lines.push({ atMs: performance.now() - startedMs, line });
  const [code] = await ended;
  if (code !== 0) throw new Error(`the demo ended with ${code}: no picture of that`);
  return lines;
}

await writeFile(picture, svgOf('npm run demo', await record()));
