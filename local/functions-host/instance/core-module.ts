/**
 * The module `@azure/functions-core`, which exists only inside a Functions worker: `@azure/functions` asks for it and registers
 * everything through it. Without it an app registers nothing, and says so only in a console warning.
 */
import Module from 'node:module';
import type {
  FunctionCallback,
  FunctionMetadata,
  HookCallback,
  HookName,
  LogCategory,
  LogLevel,
  ProgrammingModel,
} from './core-types.ts';

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

export type WorkerLog = (entry: {
  level: LogLevel;
  /** `console`: what the worker prints. */
  category: LogCategory | 'console';
  message: string;
  functionName?: string;
  invocationId?: string;
}) => void;

/** What an app has told the worker while it was loaded. */
export interface AppRegistry {
  readonly functions: ReadonlyMap<string, RegisteredFunction>;
  readonly hooks: Readonly<Record<HookName, readonly HookCallback[]>>;
  model(): ProgrammingModel | undefined;
  /** From now on registering is refused, as in the worker. */
  seal(): void;
  /** Forgets every function. */
  clear(): void;
}

const moduleName = '@azure/functions-core';

class Disposable {
  readonly #callOnDispose: () => unknown;
  constructor(callOnDispose: () => unknown) {
    this.#callOnDispose = callOnDispose;
  }
  static from(...parts: readonly { dispose: () => unknown }[]): Disposable {
    return new Disposable(() => {
      for (const part of parts) part.dispose();
    });
  }
  dispose(): unknown {
    return this.#callOnDispose();
  }
}

interface Collected {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Record<HookName, HookCallback[]>;
  model: ProgrammingModel | undefined;
  sealed: boolean;
}

/** Makes `require('@azure/functions-core')` answer in this process. Once per process. */
export function provideCoreModule(log: WorkerLog): AppRegistry {
  const collected: Collected = {
    functions: new Map(),
    hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] },
    model: undefined,
    sealed: false,
  };
  answerRequire(coreModule(collected, log));
  return {
    functions: collected.functions,
    hooks: collected.hooks,
    model: () => collected.model,
    seal: () => {
      collected.sealed = true;
    },
    clear: () => collected.functions.clear(),
  };
}

function coreModule(collected: Collected, log: WorkerLog) {
  return {
    version: '3.12.0',
    hostVersion: '4.1042.100',
    Disposable,
    setProgrammingModel: (model: ProgrammingModel) => {
      collected.model = model;
    },
    getProgrammingModel: () => collected.model,
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) =>
      registerFunction(collected, metadata, callback),
    registerHook: (name: string, callback: HookCallback) => registerHook(collected, name, callback),
    log: (level: LogLevel, category: LogCategory, message: string) => log({ level, category, message }),
  };
}

function registerFunction(collected: Collected, metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
  if (collected.sealed) throw new Error('A function can only be registered during app startup.');
  const { functions } = collected;
  if (functions.has(metadata.name)) throw new Error(`A function named "${metadata.name}" is registered already.`);
  if (typeof callback !== 'function') throw new Error(`The function "${metadata.name}" has no handler.`);
  functions.set(metadata.name, { metadata, callback });
  return new Disposable(() => functions.delete(metadata.name));
}

function registerHook(collected: Collected, name: string, callback: HookCallback): Disposable {
  if (!isHookName(collected, name)) throw new RangeError(`Unrecognized hook "${name}"`);
  const hooks = collected.hooks[name];
  hooks.push(callback);
  return new Disposable(() => {
    const index = hooks.indexOf(callback);
    if (index >= 0) hooks.splice(index, 1);
  });
}

function isHookName(collected: Collected, name: string): name is HookName {
  return Object.hasOwn(collected.hooks, name);
}

// The worker answers `require` alone, so we do not hook ESM resolution either: a bundle that imports the module in ESM form would work
// here and register nothing in Azure.
function answerRequire(core: object): void {
  const original = Module.prototype.require;
  Module.prototype.require = new Proxy(original, {
    apply: (target, self, args: [string]) => (args[0] === moduleName ? core : Reflect.apply(target, self, args)),
  });
}
