/** One connection: PRELOGIN, TLS, LOGIN7, then requests one after the other. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Gate } from './authenticate.ts';
import { answerRequest } from './requests.ts';
import type { Session } from './sql/context.ts';
import type { SqlEngine } from './sql/engine.ts';
import {
  attentionToken,
  collationToken,
  databaseTokens,
  doneToken,
  errorToken,
  fedAuthAckToken,
  loginAckToken,
  packetSizeToken,
  resetToken,
} from './tds/answers.ts';
import { Framer } from './tds/framer.ts';
import { type Login7, readLogin7 } from './tds/login7.ts';
import { type Message, MessageReader, packetSizes, packetTypes, toPackets } from './tds/packets.ts';
import { type Encrypted, encryption, negotiate, readPrelogin, writePrelogin } from './tds/prelogin.ts';
import { TlsTunnel } from './tds/tls-tunnel.ts';

/** TLS inside TDS 7 ends at 1.2; TDS 8 begins with TLS and takes 1.3 too. */
export interface SecureContexts {
  readonly tds7: SecureContext;
  readonly tds8: SecureContext;
}

export interface ConnectionSettings {
  readonly engine: SqlEngine;
  readonly gate: Gate;
  /** Absent: the server says that it does not encrypt. */
  readonly secureContexts?: SecureContexts;
  /** Whether nobody gets in without encryption. */
  readonly demandsEncryption: boolean;
  readonly nextSessionId: () => number;
  /** Sees every message in clear, as it came in, and whether it came through TLS. */
  readonly onMessage: (message: Message, encrypted: boolean) => void;
  readonly log: (line: string) => void;
}

const tlsHandshake = 22;
const strictProtocol = 'tds/8.0';
const versions = { tds72: 0x72090002, tds74: 0x74000004, tds8: 0x08000000 };

export class Connection {
  readonly #socket: Socket;
  readonly #settings: ConnectionSettings;
  #stream: Duplex;
  #reader = new MessageReader();
  #tunnel: TlsTunnel | undefined;
  #encrypted: Encrypted = 'nothing';
  readonly #framer = new Framer();
  #session: Session | undefined;
  #packetSize: number = packetSizes.first;
  #queue: Promise<void> = Promise.resolve();
  #attention: AbortController | undefined;
  #running = 0;
  readonly #prepared = new Map<number, { text: string; declaration: string }>();

  constructor(socket: Socket, settings: ConnectionSettings) {
    this.#socket = socket;
    this.#stream = socket;
    this.#settings = settings;
    socket.setNoDelay(true);
    socket.on('error', () => this.#leave());
    socket.on('close', () => this.#leave());
    socket.once('data', (first) => this.#begin(first));
  }

  /** Cuts the connection. */
  end(): void {
    this.#socket.destroy();
  }

  /** TDS 8 begins with TLS; TDS 7 with PRELOGIN in clear. */
  #begin(first: Buffer): void {
    const { secureContexts } = this.#settings;
    if (first.at(0) === tlsHandshake && secureContexts !== undefined) {
      this.#encrypted = 'all';
      this.#secure(secureContexts.tds8, true);
    }
    this.#socket.on('data', (chunk) => this.#onBytes(chunk));
    this.#onBytes(first);
  }

  #onBytes(chunk: Buffer): void {
    if (this.#tunnel === undefined) this.#read(chunk, false);
    else if (this.#encrypted === 'all') this.#tunnel.receive(chunk);
    else {
      for (const { kind, bytes } of this.#framer.take(chunk)) {
        if (kind === 'tls') this.#tunnel.receive(bytes);
        else this.#read(bytes, false);
      }
    }
  }

  #secure(secureContext: SecureContext, bare: boolean): void {
    const tunnel = new TlsTunnel((bytes) => this.#socket.write(bytes), bare);
    this.#tunnel = tunnel;
    const tls = new TLSSocket(tunnel, { isServer: true, secureContext, ALPNProtocols: [strictProtocol] });
    this.#stream = tls;
    this.#reader = new MessageReader();
    // A client that encrypts its login alone leaves TLS behind in its own way; what it says of that ends nothing.
    tls.on('error', () => (this.#stream === tls ? this.end() : undefined));
    tls.on('data', (chunk) => this.#read(chunk, true));
  }

  #read(chunk: Buffer, encrypted: boolean): void {
    let messages: Message[];
    try {
      messages = this.#reader.read(chunk);
    } catch {
      // A client that does not speak the protocol is cut off, as a server does.
      this.end();
      return;
    }
    for (const message of messages) this.#take(message, encrypted);
  }

  #take(message: Message, encrypted: boolean): void {
    this.#settings.onMessage(message, encrypted);
    if (message.type === packetTypes.attention) {
      // With nothing running there is nothing to stop, but an attention is always acknowledged.
      if (this.#running === 0) this.#send(attentionToken());
      else this.#attention?.abort();
      return;
    }
    this.#running += 1;
    this.#queue = this.#queue
      .then(() => this.#handle(message))
      .catch((error: unknown) => {
        this.#settings.log(`connection cut: ${error instanceof Error ? error.message : 'unreadable message'}`);
        this.end();
      })
      .finally(() => {
        this.#running -= 1;
      });
  }

  #send(data: Buffer): void {
    const framing = { packetSize: this.#packetSize, session: this.#session?.id ?? 0 };
    if (!this.#stream.destroyed) this.#stream.write(toPackets({ type: packetTypes.answer, data }, framing));
  }

  async #handle(message: Message): Promise<void> {
    if (message.type === packetTypes.prelogin) return this.#prelogin(message.data);
    if (message.type === packetTypes.login7) return this.#login(message.data);
    const session = this.#session;
    if (session === undefined) throw new Error('a request before the login');
    const attention = new AbortController();
    this.#attention = attention;
    const before = message.reset ? this.#reset(session) : [];
    const { engine } = this.#settings;
    const answer = await answerRequest(message, {
      engine,
      session,
      prepared: this.#prepared,
      signal: attention.signal,
    });
    if (!attention.signal.aborted) return this.#send(Buffer.concat([...before, answer]));
    this.#send(doneToken({ inProcedure: false, more: false, failed: true }));
    this.#send(attentionToken());
  }

  /** As new for whoever takes the connection out of a pool. */
  #reset(session: Session): Buffer[] {
    const database = session.database;
    this.#settings.engine.reset(session);
    this.#prepared.clear();
    return [resetToken(), ...(database === session.database ? [] : [databaseTokens(session.database, database)])];
  }

  #prelogin(data: Buffer): void {
    const asked = readPrelogin(data);
    const { secureContexts, demandsEncryption } = this.#settings;
    // In TDS 8 everything is encrypted already.
    const isBare = this.#tunnel !== undefined;
    const can = secureContexts !== undefined && !isBare;
    const { answer, encrypted } = negotiate(asked.encryption, { can, demands: demandsEncryption });
    this.#send(writePrelogin({ encryption: isBare ? encryption.notSupported : answer, fedAuth: asked.asksFedAuth }));
    if (isBare) return;
    this.#encrypted = encrypted;
    if (encrypted !== 'nothing' && secureContexts !== undefined) this.#secure(secureContexts.tds7, false);
  }

  #login(data: Buffer): void {
    const login = readLogin7(data);
    // Only the login was to be hidden.
    if (this.#encrypted === 'login') this.#stream = this.#socket;
    const { engine, gate, log } = this.#settings;
    if (login.tdsVersion < versions.tds72 && login.tdsVersion !== versions.tds8) {
      throw new Error('the client speaks TDS 7.1 or older');
    }
    const outcome = gate.decide(login);
    if (outcome.kind === 'refused') {
      log(`login refused: ${login.userName}: ${outcome.errors.map((error) => error.number).join(', ')}`);
      const errors = outcome.errors.map(errorToken);
      this.#send(Buffer.concat([...errors, doneToken({ inProcedure: false, more: false, failed: true })]));
      this.#stream.end();
      return;
    }
    const session: Session = {
      ...outcome.identity,
      id: this.#settings.nextSessionId(),
      loginDatabase: outcome.identity.database,
      hostName: login.hostName,
      programName: login.programName,
      loggedInAt: new Date(),
      xactAbort: false,
      lockTimeoutMs: -1,
      end: () => this.end(),
    };
    this.#session = session;
    engine.sessions.set(session.id, session);
    log(`login: ${session.loginName} in ${session.database}, session ${session.id}`);
    const asked = login.packetSize === 0 ? packetSizes.first : login.packetSize;
    const packetSize = Math.max(packetSizes.least, Math.min(packetSizes.most, asked));
    this.#send(loggedIn(session, login, packetSize));
    this.#packetSize = packetSize;
  }

  #leave(): void {
    this.#attention?.abort();
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#settings.engine.leave(session);
  }
}

function loggedIn(session: Session, login: Login7, packetSize: number): Buffer {
  const { tdsVersion } = login;
  return Buffer.concat([
    databaseTokens(session.database, 'master'),
    collationToken(),
    loginAckToken(tdsVersion === versions.tds8 ? tdsVersion : Math.min(tdsVersion, versions.tds74)),
    ...(login.token === undefined ? [] : [fedAuthAckToken()]),
    packetSizeToken(packetSize, packetSizes.first),
    doneToken({ inProcedure: false, more: false }),
  ]);
}
