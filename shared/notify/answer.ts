/** What a receiver's status means, the same for all kinds of channels. */
import { type Failure, failure } from '../errors.ts';
import type { Answer } from '../http/client.ts';
import { retryAfterSeconds } from '../http/retry-after.ts';

export interface About {
  readonly secret: string;
  readonly channel: string;
}

/** Longest time a receiver may ask to be left alone, in s. What is older by then is sent all the same. */
const longestPauseSeconds = 6 * 60 * 60;

const later = new Set([408, 425, 429]);

/**
 * 2xx: taken. 410: no more. 408, 425, 429 and 5xx: later. Everything else, redirects included, is a refusal that somebody has to mend. No
 * word of the answer is quoted: a receiver may repeat what it was sent. `where`: which of several requests it was, for the message.
 */
export function judge(about: About, answer: Answer, now: Date, where = ''): { readonly kind: 'delivered' } | Failure {
  if (answer.kind === 'no-answer' || answer.kind === 'untrusted')
    return failure('channel-unreachable', { ...about, detail: answer.detail + where });
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 410) return failure('channel-gone', { ...about, detail: `HTTP 410${where}` });
  if (later.has(status) || status >= 500) {
    const seconds = retryAfterSeconds(answer.header('retry-after'), now);
    const failed = failure('channel-unreachable', { ...about, detail: `HTTP ${status}${where}` });
    return seconds === undefined ? failed : { ...failed, retryAfterSeconds: Math.min(seconds, longestPauseSeconds) };
  }
  const redirect = status >= 300 && status < 400 ? ', a redirect, and none is followed' : '';
  return failure('channel-refused', { ...about, detail: `HTTP ${status}${where}${redirect}` });
}
