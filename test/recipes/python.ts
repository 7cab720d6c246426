/** Runs the code of docs/recipes/python.md, as it stands there, in a Python that has its drivers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pythonWithDrivers } from './python-program.ts';

const page = fileURLToPath(new URL('../../docs/recipes/python.md', import.meta.url));
const program = fileURLToPath(new URL('program.py', import.meta.url));

export interface PythonApplication {
  /** Asks the database who is logged in, by `way`; the answer, or the error in words. */
  ask(way: 'psycopg' | 'sqlalchemy'): Promise<string>;
  close(): Promise<void>;
}

/** `vault` is the address of the emulator. */
export async function startPython(vault: string, secret: string): Promise<PythonApplication> {
  const python = pythonWithDrivers();
  if (python === undefined) throw new Error('no Python with psycopg, psycopg2 and sqlalchemy');
  const blocks = [...(await readFile(page, 'utf8')).matchAll(/```python\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  const env = { ...process.env, PAGE: blocks.join('\n'), VAULT: vault, SECRET: secret };
  const child = spawn(python, [program], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(way) {
      child.stdin.write(`${way}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the program ended');
      return value;
    },
    async close() {
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
    },
  };
}
