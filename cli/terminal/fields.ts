/** Named values, one below the other. */
import { type Colour, paint } from './paint.ts';
import { padded, plain, widthOf, wrapped } from './text.ts';

export interface Field {
  readonly name: string;
  /** Left out where there is none. */
  readonly value: string | undefined;
  readonly colour?: Colour;
}

const leastWidth = 15;

export function fieldLines(fields: readonly Field[], columns: number | undefined, colour: boolean): readonly string[] {
  // Two blanks after the longest name, so that no name runs into its value.
  const nameWidth = Math.max(leastWidth, ...fields.map(({ name }) => widthOf(name) + 2));
  return fields.flatMap(({ name, value, colour: painted }) => {
    if (value === undefined || value === '') return [];
    const [first = '', ...more] = wrapped(plain(value), columns, ' '.repeat(nameWidth)).split('\n');
    const start = `${paint(padded(name, nameWidth), 'dim', colour)}${paint(first.slice(nameWidth), painted, colour)}`;
    return [start, ...more];
  });
}
