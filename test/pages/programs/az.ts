/** Stands in for the Azure CLI: its grammar and its `--query`, secrets of the vault emulator, and short answers for everything else. */
import { search } from 'jmespath';
import { cannedAnswer } from './az-answers.ts';
import { readAz } from './az-arguments.ts';
import { keyvault } from './az-keyvault.ts';

function tsvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Each row on a line, its cells between tabs. */
function tsv(value: unknown): string {
  const rows = Array.isArray(value) ? value : [value];
  return rows
    .map((row: unknown) => {
      if (Array.isArray(row)) return row.map(tsvCell).join('\t');
      return typeof row === 'object' && row !== null ? Object.values(row).map(tsvCell).join('\t') : tsvCell(row);
    })
    .join('\n');
}

async function main(): Promise<void> {
  const asked = readAz(process.argv.slice(2));
  const vault = process.env['PAGES_VAULT'] ?? '';
  const answer = asked.command.startsWith('keyvault secret ') ? await keyvault(asked, vault) : cannedAnswer(asked);
  if (answer === undefined) return;
  const result: unknown = asked.query === undefined ? answer : search(answer, asked.query);
  if (!['json', 'tsv', 'table', 'none', 'yaml'].includes(asked.output))
    throw new Error(`az: no output ${asked.output}`);
  if (asked.output === 'none') return;
  const text = asked.output === 'tsv' ? tsv(result) : JSON.stringify(result, null, 2);
  if (text !== '') process.stdout.write(`${text}\n`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
