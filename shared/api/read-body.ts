import { rethrowBug } from '../errors.ts';
import type { Answer } from './answer.ts';
import { problem } from './problem.ts';
import { invalid } from './route.ts';

export type Body = { readonly kind: 'bytes'; readonly bytes: Uint8Array } | { readonly kind: 'too-large' };

export interface BodySource {
  readonly header: (name: string) => string | undefined;
  /** To be called once. `longest`: in bytes. Rejects where whoever sends it goes away in the middle. */
  readonly body: (longest: number) => Promise<Body>;
}

const longestBody = 64 * 1024;

export type BodyOutcome =
  | { readonly kind: 'body'; readonly json: unknown }
  | { readonly kind: 'problem'; readonly answer: Answer };

const refuse = (answer: Answer): BodyOutcome => ({ kind: 'problem', answer });

/**
 * Reads a body of JSON. The content type is asked for even where the body is empty: a page of another site can send a form with
 * somebody's cookies, and JSON it cannot.
 */
export async function readBody({ header, body }: BodySource): Promise<BodyOutcome> {
  const type = (header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!/^application\/([\w.-]+\+)?json$/.test(type))
    return refuse(problem('content-type', 'the content type is not JSON'));
  const read = await body(longestBody).catch(brokenOff);
  if (read.kind === 'too-large')
    return refuse(problem('body-too-large', `the body is longer than ${longestBody} bytes`));
  if (read.kind === 'broken-off') return refuse(invalid([{ in: 'body', field: 'body', detail: 'ended too early' }]));
  const { bytes } = read;
  if (bytes.length === 0) return { kind: 'body', json: {} };
  try {
    return { kind: 'body', json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch (error) {
    // SyntaxError where it is no JSON, TypeError where it is no UTF-8.
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
    return refuse(invalid([{ in: 'body', field: 'body', detail: 'takes JSON in UTF-8' }]));
  }
}

function brokenOff(error: unknown): { readonly kind: 'broken-off' } {
  rethrowBug(error);
  return { kind: 'broken-off' };
}
