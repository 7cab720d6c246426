/** What a logged-in client may ask: batches, procedures by number or name, and transactions. Everything else is answered by an error. */
import type { Session } from './sql/context.ts';
import type { SqlEngine } from './sql/engine.ts';
import { SqlError, sqlErrors } from './sql/sql-error.ts';
import type { Value } from './sql/syntax.ts';
import {
  databaseTokens,
  doneToken,
  errorToken,
  procedureEnd,
  resultTokens,
  returnValueToken,
  transactionToken,
} from './tds/answers.ts';
import { type Message, packetTypes } from './tds/packets.ts';
import {
  type Bound,
  bind,
  type Call,
  declaredNames,
  type Parameter,
  readBatch,
  readCalls,
  readTransactionRequest,
} from './tds/requests.ts';

interface Prepared {
  readonly text: string;
  readonly declaration: string;
}

interface Asking {
  readonly engine: SqlEngine;
  readonly session: Session;
  /** Statements of this connection that were prepared, by handle. */
  readonly prepared: Map<number, Prepared>;
  /** The client's attention. */
  readonly signal: AbortSignal;
}

/** The whole answer to one request. */
export async function answerRequest(message: Message, asking: Asking): Promise<Buffer> {
  switch (message.type) {
    case packetTypes.batch: {
      const { tokens, failed } = await run(asking, { text: readBatch(message.data), params: new Map() }, false);
      return Buffer.concat([...tokens, doneToken({ inProcedure: false, more: false, failed })]);
    }
    case packetTypes.rpc:
      return answerCalls(message.data, asking);
    case packetTypes.transactionManager:
      return transact(message.data, asking);
    default:
      return refusal(sqlErrors.unknownRequest(message.type));
  }
}

function refusal(error: SqlError): Buffer {
  return Buffer.concat([errorToken(error), doneToken({ inProcedure: false, more: false, failed: true })]);
}

/** A transaction as drivers begin and end it, apart from any batch. */
async function transact(data: Buffer, { engine, session }: Asking): Promise<Buffer> {
  const action = readTransactionRequest(data);
  if (action === undefined) return refusal(sqlErrors.unknownRequest(packetTypes.transactionManager));
  const tokens: Buffer[] = [];
  const never = new AbortController().signal;
  for await (const answer of engine.run(session, { text: `${action} TRANSACTION`, params: new Map() }, never)) {
    if (answer.kind === 'error') tokens.push(errorToken(answer.error));
  }
  const failed = tokens.length > 0;
  if (!failed) tokens.push(transactionToken(action, session.id));
  return Buffer.concat([...tokens, doneToken({ inProcedure: false, more: false, failed })]);
}

async function answerCalls(data: Buffer, asking: Asking): Promise<Buffer> {
  let calls: readonly Call[];
  try {
    calls = readCalls(data);
  } catch (error) {
    if (error instanceof SqlError) return refusal(error);
    throw error;
  }
  const answers: Buffer[] = [];
  for (const [index, call] of calls.entries()) {
    answers.push(await answerCall(call, asking, index < calls.length - 1));
  }
  return Buffer.concat(answers);
}

const text = (parameter: Parameter | undefined): string =>
  typeof parameter?.value === 'string' ? parameter.value : textOf(parameter?.value);

/** Statements longer than 4,000 characters come as nvarchar(max), which is carried as it came. */
function textOf(value: Value | undefined): string {
  const plain = typeof value === 'object' && value !== null && 'plain' in value ? value.plain : undefined;
  return typeof plain === 'string' ? plain : '';
}

async function answerCall({ procedure, parameters }: Call, asking: Asking, more: boolean): Promise<Buffer> {
  const { prepared } = asking;
  const [first, second, third, ...rest] = parameters;
  switch (procedure) {
    case 'sp_executesql': {
      const given = parameters.slice(2);
      return perform(asking, bind(text(first), declaredNames(text(second)), given), outputs(given, 3), more);
    }
    case 'sp_prepare':
      return Buffer.concat([
        procedureEnd(false, [handleOf(first, prepare(prepared, text(third), text(second)))], more),
      ]);
    case 'sp_prepexec': {
      const handle = prepare(prepared, text(third), text(second));
      const values = [handleOf(first, handle), ...outputs(rest, 4)];
      return perform(asking, bind(text(third), declaredNames(text(second)), rest), values, more);
    }
    case 'sp_execute': {
      const found = prepared.get(Number(first?.value));
      if (found === undefined) return ending(sqlErrors.unknownHandle(Number(first?.value)), more);
      const given = parameters.slice(1);
      return perform(asking, bind(found.text, declaredNames(found.declaration), given), outputs(given, 2), more);
    }
    case 'sp_unprepare':
      return prepared.delete(Number(first?.value))
        ? procedureEnd(false, [], more)
        : ending(sqlErrors.unknownHandle(Number(first?.value)), more);
    default:
      return ending(sqlErrors.unknownProcedure(procedure), more);
  }
}

function ending(error: SqlError, more: boolean): Buffer {
  return Buffer.concat([
    errorToken(error),
    doneToken({ inProcedure: true, more: true, failed: true }),
    procedureEnd(true, [], more),
  ]);
}

function prepare(prepared: Map<number, Prepared>, statement: string, declaration: string): number {
  const handle = Math.max(0, ...prepared.keys()) + 1;
  prepared.set(handle, { text: statement, declaration });
  return handle;
}

function handleOf(parameter: Parameter | undefined, handle: number): Buffer {
  return returnValueToken(1, parameter?.name ?? '', handle);
}

/** No statement here assigns to a parameter, so each comes back as it was sent. */
function outputs(parameters: readonly Parameter[], firstOrdinal: number): Buffer[] {
  return parameters.flatMap(({ name, value, output }, index) =>
    output ? [returnValueToken(firstOrdinal + index, name, value)] : [],
  );
}

async function perform(asking: Asking, bound: Bound, values: readonly Buffer[], more: boolean): Promise<Buffer> {
  const { session } = asking;
  const before = session.database;
  const { tokens, failed } = await run(asking, bound, true);
  // A USE inside a procedure ends with it.
  if (session.database !== before) {
    tokens.push(databaseTokens(before, session.database));
    session.database = before;
  }
  return Buffer.concat([...tokens, procedureEnd(failed, values, more)]);
}

async function run(
  { engine, session, signal }: Asking,
  bound: Bound,
  inProcedure: boolean,
): Promise<{ tokens: Buffer[]; failed: boolean }> {
  const tokens: Buffer[] = [];
  let failed = false;
  let database = session.database;
  for await (const answer of engine.run(session, bound, signal)) {
    if (answer.kind === 'rows') {
      tokens.push(resultTokens(answer.result));
      tokens.push(doneToken({ inProcedure, more: true, rows: answer.result.rows.length }));
    } else if (answer.kind === 'database') {
      tokens.push(databaseTokens(answer.name, database));
      database = answer.name;
    } else if (answer.kind === 'error') {
      failed = true;
      tokens.push(errorToken(answer.error), doneToken({ inProcedure, more: true, failed: true }));
    } else tokens.push(doneToken({ inProcedure, more: true }));
  }
  return { tokens, failed };
}
