/** Statements that only ask. Their values are written into the text, so that several of them travel in one message: see session.ts. */
import type * as z from 'zod';
import { quoteText } from './quote.ts';

export interface Question<Row> {
  /** One SELECT without a semicolon. */
  readonly sql: string;
  readonly row: z.ZodType<Row>;
}

/** `'name'::name`, for a comparison with a name of the catalogue. */
export function nameValue(name: string): string {
  return `${quoteText(name)}::text::name`;
}

/** An array of names, for `= ANY (…)`. */
export function nameValues(names: readonly string[]): string {
  return `ARRAY[${names.map(quoteText).join(', ')}]::text[]::name[]`;
}
