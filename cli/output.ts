/** How an answer is written: `-o table|json|yaml|tsv` and `--query`, as `az` has them. Commands give the answer; its form is decided here. */
import { search } from 'jmespath';
import { type Given, outputFormats } from './options.ts';
import { cells, columnsOf, rowsOf } from './output-rows.ts';
import { yamlLines } from './output-yaml.ts';
import { tableLines } from './terminal/table.ts';
import type { Terminal } from './terminal/terminal.ts';
import { Stop, usageStop } from './trouble.ts';

type Format = (typeof outputFormats)[number];

export interface Output {
  /** The answer itself is wanted, not a text for people. */
  readonly asData: boolean;
  /** Writes an answer to standard output. Stops where the query does not fit it: what was asked for is done by then. */
  print(value: unknown): void;
}

/** Stops, before anything is asked for, where the options contradict each other or the query cannot be read. */
export function outputOf(given: Given, terminal: Terminal): Output {
  const query = given.text('query');
  const format = formatOf(given, query);
  if (query !== undefined) checkQuery(query);
  return {
    asData: format !== 'table' || query !== undefined,
    print: (value) => {
      const chosen = query === undefined ? value : select(value, query);
      for (const line of linesOf(format, chosen, query !== undefined, terminal)) terminal.out(line);
    },
  };
}

/** Whether errors are to be JSON too. Reads the words themselves, because it is asked where they cannot be parsed. */
export function wantsJson(words: readonly string[]): boolean {
  return words.some(
    (word, index) =>
      ['--json', '-ojson', '-o=json', '--output=json'].includes(word) ||
      (word === 'json' && ['-o', '--output'].includes(words[index - 1] ?? '')),
  );
}

function formatOf(given: Given, query: string | undefined): Format {
  const named = outputFormats.find((format) => format === given.text('output'));
  if (given.flag('json') && named !== undefined && named !== 'json')
    throw usageStop(`--json and -o ${named} contradict each other`, 'Give one of them: --json is -o json.');
  if (given.flag('json')) return 'json';
  // A query makes another answer of the answer, for which there is no text for people. az prints JSON then too.
  return named ?? (query === undefined ? 'table' : 'json');
}

/** jmespath tells only while it runs what is wrong. Without a document everything fails that cannot be read, and little else. */
function checkQuery(query: string): void {
  const wrong = failureOf(null, query);
  if (wrong !== undefined && !wrong.startsWith('TypeError: '))
    throw usageStop(`--query is no JMESPath expression: ${wrong}`, 'Look at https://jmespath.org/tutorial.html.');
}

function failureOf(value: unknown, query: string): string | undefined {
  try {
    search(value, query);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'it cannot be used';
  }
}

function select(value: unknown, query: string): unknown {
  // As it goes out: without what JSON leaves out.
  const json: unknown = JSON.parse(JSON.stringify(value));
  const wrong = failureOf(json, query);
  if (wrong === undefined) return search(json, query);
  throw new Stop({
    ...{ exit: 'failed', code: 'query-unfit', message: `--query does not fit the answer: ${wrong}` },
    hint: 'The command itself is done. Look at the whole answer with -o json, and write the query for it.',
  });
}

function linesOf(format: Format, value: unknown, queried: boolean, terminal: Terminal): readonly string[] {
  switch (format) {
    case 'json':
      return [JSON.stringify(value, null, 2)];
    case 'yaml':
      // As it goes out in JSON: without what JSON leaves out.
      return yamlLines(JSON.parse(JSON.stringify(value ?? null)));
    case 'tsv': {
      const rows = rowsOf(value, queried);
      const columns = columnsOf(rows);
      return rows.map((row) => cells(row, columns).join('\t'));
    }
    case 'table': {
      const rows = rowsOf(value, queried);
      const columns = columnsOf(rows);
      if (rows.length === 0) return [];
      const titles = (columns ?? ['result']).map((title) => ({ title: title.toUpperCase(), least: 8 }));
      const table = { columns: titles, rows: rows.map((row) => cells(row, columns)) };
      return tableLines(table, terminal.columns, terminal.colour.out);
    }
  }
}
