/**
 * The shapes that cross between `@azure/functions` and the worker it runs in.
 * Source: types-core/index.d.ts of Azure/azure-functions-nodejs-library; the package itself does not ship them.
 */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';
export type LogCategory = 'user' | 'system' | 'customMetric';

export interface TypedData {
  readonly string?: string | null;
  readonly json?: string | null;
  readonly bytes?: Uint8Array | null;
  readonly int?: number | null;
  readonly double?: number | null;
  readonly http?: HttpData | null;
}

interface Nullable<Value> {
  readonly value?: Value | null;
}

export interface Cookie {
  readonly name?: string | null;
  readonly value?: string | null;
  readonly domain?: Nullable<string> | null;
  readonly path?: Nullable<string> | null;
  readonly expires?: Nullable<{ readonly seconds?: number | null }> | null;
  readonly secure?: Nullable<boolean> | null;
  readonly httpOnly?: Nullable<boolean> | null;
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone' | null;
  readonly maxAge?: Nullable<number> | null;
}

export interface HttpData {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: TypedData | null;
  readonly statusCode?: string | null;
  readonly cookies?: readonly Cookie[] | null;
}

export interface Binding {
  readonly type?: string | null;
  readonly direction?: 'in' | 'out' | 'inout' | null;
  readonly [property: string]: unknown;
}

export interface RetryOptions {
  readonly maxRetryCount?: number | null;
  readonly retryStrategy?: 'exponentialBackoff' | 'fixedDelay' | null;
  readonly delayInterval?: { readonly seconds?: number | null } | null;
  readonly minimumInterval?: { readonly seconds?: number | null } | null;
  readonly maximumInterval?: { readonly seconds?: number | null } | null;
}

export interface FunctionMetadata {
  readonly name: string;
  readonly functionId?: string;
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly retryOptions?: RetryOptions | undefined;
}

export interface RetryContext {
  readonly retryCount: number;
  readonly maxRetryCount: number;
  readonly exception?: { readonly message: string };
}

export interface InvocationRequest {
  readonly invocationId: string;
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[];
  readonly triggerMetadata: Readonly<Record<string, TypedData>>;
  readonly retryContext?: RetryContext;
}

export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly request: InvocationRequest;
  readonly metadata: FunctionMetadata;
  state?: 'preInvocationHooks' | 'postInvocationHooks' | 'invocation' | undefined;
  log(level: LogLevel, category: LogCategory, message: string): void;
}

export type FunctionCallback = (...args: unknown[]) => unknown;

export interface InvocationResponse {
  readonly outputData?: readonly { readonly name: string; readonly data: TypedData }[] | null;
  readonly returnValue?: TypedData | null;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel | Promise<InvocationModel>;
  getCapabilities?(defaults: Record<string, string>): unknown;
}

export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation' | 'log';
export type HookCallback = (context: object) => unknown;
