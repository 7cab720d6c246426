/** AUTH and PING in the Redis protocol (RESP2), on one connection of its own: a whole client would be a second driver for two lines. */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { authorities } from '../../shared/authorities.ts';
import { isLoopback } from '../../shared/loopback.ts';
import { quoted } from '../common/scrub.ts';
import type { LoginAt, LoginOutcome } from './login-outcome.ts';

const answerLimit = 4_096;

/** Logs in as the default user with the key. TLS is verified; a plain connection is made to loopback only. */
export async function pingRedis(at: LoginAt, host: string | undefined, port: unknown): Promise<LoginOutcome> {
  if (host === undefined || typeof port !== 'number') return { kind: 'none' };
  const key = at.credential.password.reveal();
  const said = await converse(
    open(host, port, at.azure.environment.trustedCertificates),
    command('AUTH', key) + command('PING'),
    at,
  );
  if (said.kind === 'failed') return { kind: 'unclear', detail: `${host}:${port}: ${said.detail}` };
  const [auth = '', ping = ''] = said.lines;
  if (auth === '+OK' && ping === '+PONG') return { kind: 'accepted' };
  const detail = `${host}:${port}: ${quoted(auth, [at.credential.password])}`;
  // Redis 6 and later say WRONGPASS, older ones "ERR invalid password".
  return /^-(WRONGPASS|ERR invalid password)/.test(auth) ? { kind: 'refused', detail } : { kind: 'unclear', detail };
}

function open(host: string, port: number, trusted: readonly string[]): Socket {
  if (isLoopback(host)) return connectPlain({ host, port });
  const ca = authorities(trusted);
  return connectTls({ host, port, servername: host, ...(ca === undefined ? {} : { ca }) });
}

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

type Said =
  | { readonly kind: 'said'; readonly lines: readonly string[] }
  | { readonly kind: 'failed'; readonly detail: string };

function converse(socket: Socket, text: string, at: LoginAt): Promise<Said> {
  return new Promise((resolve) => {
    let heard = '';
    const stop = AbortSignal.any([at.step.signal, AbortSignal.timeout(at.azure.environment.connectTimeoutMs)]);
    const end = (said: Said) => {
      socket.destroy();
      stop.removeEventListener('abort', timeOut);
      resolve(said);
    };
    const timeOut = () => end({ kind: 'failed', detail: 'no answer in time' });
    stop.addEventListener('abort', timeOut);
    socket.setEncoding('utf8');
    socket.on('error', (error) => {
      const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
      end({ kind: 'failed', detail: `the connection failed (${code})` });
    });
    socket.on('close', () => end({ kind: 'failed', detail: 'the connection was closed' }));
    socket.on('data', (part) => {
      heard += String(part);
      const lines = heard.split('\r\n');
      // Two answers of one line each; the piece after the last line end is not a line yet.
      if (lines.length > 2 || heard.length > answerLimit) end({ kind: 'said', lines });
    });
    socket.write(text);
  });
}
