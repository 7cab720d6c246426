/**
 * Messages of queues as text. host.json leaves them as they are (`messageEncoding: none`): with its own decoding the platform moves what it
 * cannot decode to the poison queue, cannot decode it there either, and no function ever sees it.
 */

/** Base64, which may hold any character: the service takes XML, which may not. */
export function encodeText(message: unknown): string {
  return Buffer.from(JSON.stringify(message)).toString('base64');
}

/**
 * What is in a text that may be base64 of JSON; anything else as it is. The platform gives a message of JSON parsed already, and any other as
 * its text. A text that is neither stays one, and whoever reads the message says so.
 */
export function decodeText(given: unknown): unknown {
  if (typeof given !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(given)) return given;
  try {
    return JSON.parse(Buffer.from(given, 'base64').toString('utf8'));
  } catch (notJson) {
    if (notJson instanceof SyntaxError) return given;
    throw notJson;
  }
}
