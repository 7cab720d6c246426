/** Output bindings. Only storage queues are offered; http is the answer itself. */
import type { Binding, FunctionMetadata, InvocationResponse, TypedData } from './core-types.ts';
import { encodeMessage, type MessageEncoding, openQueue, sendOrCreate } from './queue-storage.ts';
import { resolveSettings, type Settings, storageConnection } from './settings.ts';

export interface OutputWriter {
  /** Writes what the function left for its outputs. Throws when one cannot be written: the invocation has failed then. */
  write(metadata: FunctionMetadata, response: InvocationResponse): Promise<void>;
}

const returnName = '$return';

/** Throws for an output binding that the local host does not have. */
export function checkOutputs(metadata: FunctionMetadata): void {
  for (const [name, binding] of Object.entries(metadata.bindings)) {
    const type = binding.type?.toLowerCase();
    if (binding.direction !== 'out' || type === 'queue' || (type === 'http' && name === returnName)) continue;
    throw new Error(
      `The '${metadata.name}' function is in error: the local host has no output binding of type '${binding.type}'.`,
    );
  }
}

export function makeOutputWriter(settings: Settings, encoding: MessageEncoding): OutputWriter {
  const queues = new Map<Binding, ReturnType<typeof openQueue>>();
  const queueOf = (binding: Binding): ReturnType<typeof openQueue> => {
    const connection = storageConnection(textOf(binding, 'connection'), settings);
    const queue = queues.get(binding) ?? openQueue(connection, queueName(binding, settings));
    queues.set(binding, queue);
    return queue;
  };
  return {
    write: async (metadata, response) => {
      const values = new Map((response.outputData ?? []).map(({ name, data }) => [name, data]));
      if (response.returnValue) values.set(returnName, response.returnValue);
      for (const [name, binding] of Object.entries(metadata.bindings)) {
        const value = values.get(name);
        if (binding.direction !== 'out' || binding.type?.toLowerCase() !== 'queue' || value === undefined) continue;
        const queue = await queueOf(binding);
        for (const message of messagesOf(value)) await sendOrCreate(queue, encodeMessage(message, encoding));
      }
    },
  };
}

/** Name of the queue a binding is for: settings filled in, lower-case as the service wants it. */
export function queueName(binding: Binding, settings: Settings): string {
  const name = resolveSettings(textOf(binding, 'queueName') ?? '', settings).toLowerCase();
  if (/^[a-z0-9](?:-?[a-z0-9]){2,62}$/.test(name) && name.length <= 63) return name;
  throw new Error(`The queue name "${name}" is not valid: 3 to 63 letters, digits and single dashes.`);
}

/** A text property of a binding. */
export function textOf(binding: Binding, property: string): string | undefined {
  const value = binding[property];
  return typeof value === 'string' ? value : undefined;
}

// An array becomes one message per element, as the host's collector does.
function messagesOf(data: TypedData): (string | Uint8Array)[] {
  if (data.bytes) return [data.bytes];
  if (typeof data.string === 'string') return [data.string];
  if (typeof data.json !== 'string') return [String(data.int ?? data.double ?? '')];
  const value: unknown = JSON.parse(data.json);
  if (!Array.isArray(value)) return [data.json];
  return value.map((element) => (typeof element === 'string' ? element : JSON.stringify(element)));
}
