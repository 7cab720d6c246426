/**
 * Loads the engine with a fault put back: `FAULT=NAME node --import ./test/engine/put-back.ts …`. No file is changed and nothing is
 * copied. Fails where the text that the fault replaces is not there exactly once, so that none stops being a fault in silence.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Fault, faults } from './faults.ts';

const engine = join(import.meta.dirname, '..', '..', 'shared', 'engine');

/** The text of its file with the fault in it. */
export function textWith({ name, file, search, replacement }: Fault): string {
  const text = readFileSync(join(engine, file), 'utf8');
  const count = text.split(search).length - 1;
  if (count !== 1) throw new Error(`"${name}": what it replaces is in ${file} ${count} times`);
  return text.replace(search, () => replacement);
}

function putBack(fault: Fault): void {
  const url = pathToFileURL(join(engine, fault.file)).href;
  const source = textWith(fault);
  registerHooks({
    load: (asked, context, next) =>
      asked === url ? { format: 'module-typescript', source, shortCircuit: true } : next(asked, context),
  });
}

const name = process.env['FAULT'];
const asked = faults.find((fault) => fault.name === name);
if (asked !== undefined) putBack(asked);
