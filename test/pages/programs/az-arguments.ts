/** Reads the words of an `az` command as the Azure CLI does, and refuses what it would refuse. Abbreviated options are refused too. */
import { azCommands } from './az-commands.ts';

export interface AzAsked {
  readonly command: string;
  readonly ids: readonly string[];
  /** By the first spelling of the option. An option without a value has none. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  readonly query: string | undefined;
  readonly output: string;
}

interface Option {
  readonly names: readonly string[];
  readonly required: boolean;
  readonly takes: 'one' | 'many' | 'maybe' | 'none';
  readonly choices: readonly string[] | undefined;
}

const counts = { '*': 'many', '?': 'maybe', '0': 'none', '': 'one' } as const;
const everywhere: readonly Option[] = [
  '--query',
  '--output|-o',
  '--subscription',
  '--only-show-errors0',
  '--yes|-y0',
].map(readOption);

function readOption(text: string): Option {
  const [spec = '', choices] = text.split('=');
  const [, names = '', required, count = ''] = /^([^!*?0]+)(!?)([*?0]?)$/.exec(spec) ?? [];
  const takes = count === '*' || count === '?' || count === '0' ? counts[count] : counts[''];
  return { names: names.split('|'), required: required === '!', takes, choices: choices?.split(',') };
}

/** Throws an Error that says what is wrong. */
export function readAz(words: readonly string[]): AzAsked {
  const end = words.findIndex((word) => word.startsWith('-'));
  const command = words.slice(0, end < 0 ? undefined : end).join(' ');
  const spec = azCommands[command];
  if (spec === undefined) throw new Error(`az: "${command}" is not a command, or misses in az-commands.ts`);
  const known = spec
    .split(' ')
    .filter((one) => one !== '')
    .map(readOption);
  const given = readOptions(words.slice(end < 0 ? words.length : end), [...known, ...everywhere]);
  const named = given.get('--ids') ?? given.get('--id');
  for (const { names, required } of known) {
    const [first = ''] = names;
    if (required && named === undefined && !given.has(first)) throw new Error(`az ${command}: ${first} is required`);
  }
  return {
    command,
    ids: given.get('--ids') ?? [],
    options: given,
    query: given.get('--query')?.[0],
    output: given.get('--output')?.[0] ?? 'json',
  };
}

function readOptions(words: readonly string[], known: readonly Option[]): Map<string, readonly string[]> {
  const given = new Map<string, readonly string[]>();
  for (let at = 0; at < words.length; ) {
    const [name = '', inline] = splitOnce(words[at] ?? '');
    const option = known.find(({ names }) => names.includes(name));
    if (option === undefined) throw new Error(`az: unrecognized arguments: ${words[at]}`);
    const values = inline === undefined ? following(words, at + 1, option) : [inline];
    check(name, option, values);
    given.set(option.names[0] ?? name, values);
    at += 1 + (inline === undefined ? values.length : 0);
  }
  return given;
}

function splitOnce(word: string): readonly string[] {
  const at = word.indexOf('=');
  return word.startsWith('--') && at > 0 ? [word.slice(0, at), word.slice(at + 1)] : [word];
}

function following(words: readonly string[], from: number, { takes }: Option): readonly string[] {
  const most = takes === 'many' ? words.length : takes === 'none' ? 0 : 1;
  const end = words.findIndex((word, index) => index >= from && (index >= from + most || /^--?[a-z]/.test(word)));
  return words.slice(from, end < 0 ? Math.min(words.length, from + most) : end);
}

function check(name: string, { takes, choices }: Option, values: readonly string[]): void {
  if (takes === 'one' && values.length !== 1) throw new Error(`az: ${name}: expected one argument`);
  if (values.some((value) => value === '' && takes !== 'many')) throw new Error(`az: ${name}: its value is empty`);
  const wrong = values.find((value) => choices !== undefined && !choices.includes(value));
  if (wrong !== undefined) throw new Error(`az: ${name}: "${wrong}" is none of ${choices?.join(', ')}`);
}
