/** One connection: PRELOGIN, TLS, LOGIN7, then requests one after the other. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import { authenticate } from './authenticate.ts';
import type { Session } from './sql/context.ts';
import type { SqlEngine } from './sql/engine.ts';
import { sqlErrors } from './sql/sql-error.ts';
import {
  attentionToken,
  collationToken,
  databaseTokens,
  doneToken,
  errorToken,
  fedAuthAckToken,
  loginAckToken,
  procedureEnd,
  resultTokens,
  transactionToken,
} from './tds/answers.ts';
import { readLogin7 } from './tds/login7.ts';
import { type Message, MessageReader, packetTypes, toPackets } from './tds/packets.ts';
import { encryption, readPrelogin, writePrelogin } from './tds/prelogin.ts';
import { type Call, readBatch, readCall, readTransactionRequest, type TransactionAction } from './tds/requests.ts';
import { TlsTunnel } from './tds/tls-tunnel.ts';

export interface ConnectionSettings {
  readonly engine: SqlEngine;
  /** Absent: the server says that it does not encrypt. */
  readonly secureContext?: SecureContext;
  readonly tokens: ReadonlyMap<string, string>;
  readonly nextSessionId: () => number;
  /** Sees every message in clear, as it came in, and whether it came through TLS. */
  readonly onMessage: (message: Message, encrypted: boolean) => void;
  readonly log: (line: string) => void;
}

const tlsHandshake = 22;
const strictProtocol = 'tds/8.0';
const tds8 = 0x08000000;
const tds74 = 0x74000004;

export class Connection {
  readonly #socket: Socket;
  readonly #settings: ConnectionSettings;
  #stream: Duplex;
  #reader = new MessageReader();
  #tunnel: TlsTunnel | undefined;
  #encrypted = false;
  #session: Session | undefined;
  #queue: Promise<void> = Promise.resolve();
  #attention: AbortController | undefined;
  #running = 0;

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
    const { secureContext } = this.#settings;
    if (first.at(0) === tlsHandshake && secureContext !== undefined) {
      this.#secure(secureContext, true);
    }
    this.#socket.on('data', (chunk) => this.#onBytes(chunk));
    this.#onBytes(first);
  }

  #onBytes(chunk: Buffer): void {
    if (this.#tunnel === undefined) this.#read(chunk);
    else this.#tunnel.receive(chunk);
  }

  #secure(secureContext: SecureContext, bare: boolean): void {
    const tunnel = new TlsTunnel((bytes) => this.#socket.write(bytes), bare);
    this.#tunnel = tunnel;
    const tls = new TLSSocket(tunnel, { isServer: true, secureContext, ALPNProtocols: [strictProtocol] });
    this.#stream = tls;
    this.#encrypted = true;
    this.#reader = new MessageReader();
    tls.on('error', () => this.end());
    tls.on('data', (chunk) => this.#read(chunk));
  }

  #read(chunk: Buffer): void {
    let messages: Message[];
    try {
      messages = this.#reader.read(chunk);
    } catch {
      // A client that does not speak the protocol is cut off, as a server does.
      this.end();
      return;
    }
    for (const message of messages) this.#take(message);
  }

  #take(message: Message): void {
    this.#settings.onMessage(message, this.#encrypted);
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

  #send(data: Buffer, type: number = packetTypes.answer): void {
    if (!this.#stream.destroyed) this.#stream.write(toPackets({ type, data }));
  }

  async #handle(message: Message): Promise<void> {
    if (message.type === packetTypes.prelogin) return this.#prelogin(message.data);
    if (message.type === packetTypes.login7) return this.#login(message.data);
    const session = this.#session;
    if (session === undefined) throw new Error('a request before the login');
    if (message.type === packetTypes.batch) {
      return this.#answer(session, { text: readBatch(message.data), params: new Map() }, false);
    }
    const action = message.type === packetTypes.transactionManager ? readTransactionRequest(message.data) : undefined;
    if (action !== undefined) return this.#transact(session, action);
    const call = message.type === packetTypes.rpc ? readCall(message.data) : undefined;
    if (call === undefined) {
      const error = errorToken(sqlErrors.syntax('request'));
      return this.#send(Buffer.concat([error, doneToken({ inProcedure: false, more: false, failed: true })]));
    }
    return this.#answer(session, call, true);
  }

  /** A transaction as drivers begin and end it, apart from any batch. */
  async #transact(session: Session, action: TransactionAction): Promise<void> {
    const tokens: Buffer[] = [];
    const never = new AbortController().signal;
    for await (const answer of this.#settings.engine.run(session, `${action} TRANSACTION`, new Map(), never)) {
      if (answer.kind === 'error') tokens.push(errorToken(answer.error));
    }
    const failed = tokens.length > 0;
    if (!failed) tokens.push(transactionToken(action, session.id));
    this.#send(Buffer.concat([...tokens, doneToken({ inProcedure: false, more: false, failed })]));
  }

  #prelogin(data: Buffer): void {
    const asked = readPrelogin(data);
    const { secureContext } = this.#settings;
    const tunnelled = secureContext !== undefined && asked.encryption !== encryption.notSupported && !this.#encrypted;
    const answer = tunnelled ? encryption.on : encryption.notSupported;
    this.#send(writePrelogin({ encryption: answer, fedAuth: asked.asksFedAuth }));
    if (tunnelled) this.#secure(secureContext, false);
  }

  #login(data: Buffer): void {
    const login = readLogin7(data);
    const { engine, log, tokens } = this.#settings;
    const outcome = authenticate(engine.state, login, tokens);
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
    this.#send(
      Buffer.concat([
        databaseTokens(session.database, 'master'),
        collationToken(),
        loginAckToken(login.tdsVersion === tds8 ? tds8 : tds74),
        ...(login.token === undefined ? [] : [fedAuthAckToken()]),
        doneToken({ inProcedure: false, more: false }),
      ]),
    );
  }

  async #answer(session: Session, call: Call, inProcedure: boolean): Promise<void> {
    const attention = new AbortController();
    this.#attention = attention;
    const before = session.database;
    const tokens: Buffer[] = [];
    let failed = false;
    for await (const answer of this.#settings.engine.run(session, call.text, call.params, attention.signal)) {
      if (answer.kind === 'rows') {
        tokens.push(resultTokens(answer.result));
        tokens.push(doneToken({ inProcedure, more: true, rows: answer.result.rows.length }));
      } else if (answer.kind === 'database') tokens.push(databaseTokens(answer.name, before));
      else if (answer.kind === 'error') {
        failed = true;
        tokens.push(errorToken(answer.error), doneToken({ inProcedure, more: true, failed: true }));
      } else tokens.push(doneToken({ inProcedure, more: true }));
    }
    // A USE inside sp_executesql ends with it.
    if (inProcedure && session.database !== before) {
      tokens.push(databaseTokens(before, session.database));
      session.database = before;
    }
    if (attention.signal.aborted) {
      this.#send(doneToken({ inProcedure: false, more: false, failed: true }));
      this.#send(attentionToken());
      return;
    }
    this.#send(
      Buffer.concat([...tokens, inProcedure ? procedureEnd(failed) : doneToken({ inProcedure, more: false, failed })]),
    );
  }

  #leave(): void {
    this.#attention?.abort();
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#settings.engine.leave(session);
  }
}
