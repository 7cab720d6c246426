/** Runs one function through the library's own programming model, with its hooks, as the Node.js worker does. */
import { randomUUID } from 'node:crypto';
import type { AppRegistry, RegisteredFunction, WorkerLog } from './core-module.ts';
import type { CoreInvocationContext, InvocationResponse, RetryContext, TypedData } from './core-types.ts';
import type { OutputWriter } from './outputs.ts';

export interface Trigger {
  readonly data: TypedData;
  readonly metadata?: Readonly<Record<string, TypedData>>;
  readonly retryContext?: RetryContext;
  /** Given where somebody else must know it too. */
  readonly invocationId?: string;
  /** Why it runs, for the log; never message content. */
  readonly reason: string;
}

export type Outcome =
  | { readonly kind: 'succeeded'; readonly returnValue: TypedData | null | undefined }
  /** `error.message` is the app's own. The host answers with it nowhere but in its log. */
  | { readonly kind: 'failed'; readonly error: unknown };

export interface Invoker {
  run(name: string, trigger: Trigger): Promise<Outcome>;
  /** Resolves when nothing runs any more. */
  idle(): Promise<void>;
}

/** Hook data lives as long as the app; one object for all invocations. */
export function makeInvoker(registry: AppRegistry, outputs: OutputWriter, log: WorkerLog): Invoker {
  const running = new Set<Promise<Outcome>>();
  const appHookData = {};
  const run = async (name: string, trigger: Trigger): Promise<Outcome> => {
    const registered = registry.functions.get(name);
    if (registered === undefined) throw new Error(`Function code for '${name}' is not loaded and cannot be invoked.`);
    const { invocationId = randomUUID() } = trigger;
    const say = (level: 'information' | 'error', message: string) =>
      log({ level, category: 'system', message, functionName: name, invocationId });
    say('information', `Executing 'Functions.${name}' (Reason='${trigger.reason}', Id=${invocationId})`);
    const start = performance.now();
    const ended = (how: string) =>
      `Executed 'Functions.${name}' (${how}, Id=${invocationId}, Duration=${Math.round(performance.now() - start)}ms)`;
    try {
      const response = await invoke({ registry, registered, trigger, invocationId, appHookData, log });
      await outputs.write(registered.metadata, response);
      say('information', ended('Succeeded'));
      return { kind: 'succeeded', returnValue: response.returnValue };
    } catch (error) {
      say('error', `${ended('Failed')}\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return { kind: 'failed', error };
    }
  };
  return {
    run: (name, trigger) => {
      const outcome = run(name, trigger);
      running.add(outcome);
      // Handlers on both sides, so that forgetting it here never turns into an unhandled rejection of its own.
      const forget = () => running.delete(outcome);
      outcome.then(forget, forget);
      return outcome;
    },
    idle: async () => {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

interface Invocation {
  readonly registry: AppRegistry;
  readonly registered: RegisteredFunction;
  readonly trigger: Trigger;
  readonly invocationId: string;
  readonly appHookData: object;
  readonly log: WorkerLog;
}

async function invoke(invocation: Invocation): Promise<InvocationResponse> {
  const { registry, registered, appHookData } = invocation;
  const model = registry.model();
  if (model === undefined) throw new Error('The app has set no programming model.');
  const core = coreContext(invocation);
  const invocationModel = await model.getInvocationModel(core);
  const { context, inputs } = await invocationModel.getArguments();
  const shared = { hookData: {}, appHookData, invocationContext: context };

  const before = { ...shared, inputs, functionCallback: registered.callback };
  core.state = 'preInvocationHooks';
  for (const hook of registry.hooks.preInvocation) await hook(before);

  const after: { inputs: unknown[]; result: unknown; error: unknown } & typeof shared = {
    ...shared,
    inputs: before.inputs,
    result: null,
    error: null,
  };
  core.state = 'invocation';
  try {
    after.result = await invocationModel.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error ?? new Error('The function threw nothing.');
  }
  core.state = 'postInvocationHooks';
  for (const hook of registry.hooks.postInvocation) await hook(after);
  core.state = undefined;
  if (after.error !== null && after.error !== undefined) throw after.error;
  return invocationModel.getResponse(context, after.result);
}

function coreContext(invocation: Invocation): CoreInvocationContext {
  const { registered, trigger, invocationId, log } = invocation;
  const { metadata } = registered;
  const triggerName = triggerBinding(registered).name;
  return {
    invocationId,
    metadata,
    request: {
      invocationId,
      inputData: [{ name: triggerName, data: trigger.data }],
      triggerMetadata: trigger.metadata ?? {},
      ...(trigger.retryContext === undefined ? {} : { retryContext: trigger.retryContext }),
    },
    state: undefined,
    log: (level, category, message) => log({ level, category, message, functionName: metadata.name, invocationId }),
  };
}

/** The one binding of a function that makes it run. */
export function triggerBinding(registered: RegisteredFunction) {
  for (const [name, binding] of Object.entries(registered.metadata.bindings)) {
    if (/trigger$/i.test(binding.type ?? '')) return { name, type: binding.type ?? '', binding };
  }
  throw new Error(`The '${registered.metadata.name}' function is in error: it has no trigger.`);
}
