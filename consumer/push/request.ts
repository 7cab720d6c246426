/** A request and an answer as any HTTP framework has them: the body must be the bytes or text as received, before any parsing. */
export interface PushRequest {
  /** Default `POST`. */
  readonly method?: string;
  /** Address with its query; a path is enough. */
  readonly url?: string;
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string | Uint8Array;
}

export interface PushAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** More than any message of Keyturn and any batch of Event Grid has, in bytes. */
export const largestBody = 1_048_576;

/** One header by its name in lower case; undefined when it is missing or was sent twice. */
export function header(request: PushRequest, name: string): string | undefined {
  const { headers } = request;
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const [value, ...more] = Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, given]) => given ?? []);
  return more.length === 0 ? value : undefined;
}

export function answer(status: number, words = '', headers: Readonly<Record<string, string>> = {}): PushAnswer {
  return { status, headers: words === '' ? headers : { 'content-type': 'text/plain', ...headers }, body: words };
}

export function bytesOf(body: string | Uint8Array): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** What a JSON text holds, or undefined: what strangers send is no reason to throw. */
export function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
