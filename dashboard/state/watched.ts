import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type * as z from 'zod/mini';
import type { Problem } from './client.ts';
import { useTools } from './context.ts';

export interface Watched<Value> {
  /** Undefined: not there yet. It stays while a later look fails. */
  readonly value: Value | undefined;
  readonly problem: Problem | undefined;
  /** Asks now. */
  readonly look: () => void;
}

/** One address of the API, asked again every `paceMs` while the page can be seen. `heard`: what was new. */
export function useWatched<Value>(
  path: string,
  shape: z.ZodMiniType<Value>,
  paceMs: number,
  heard?: (value: Value) => void,
): Watched<Value> {
  const { client } = useTools();
  const [state, setState] = useState<Omit<Watched<Value>, 'look'> & { readonly path: string }>({
    ...{ path, value: undefined, problem: undefined },
  });
  const ask = useRef<() => void>(() => undefined);
  useEffect(() => {
    let over = false;
    let timer: number | undefined;
    let etag: string | undefined;
    const look = async (): Promise<void> => {
      window.clearTimeout(timer);
      const answer = await client.ask(path, shape, { etag });
      if (over) return;
      if (answer.kind === 'ok') {
        ({ etag } = answer);
        setState({ path, value: answer.value, problem: undefined });
        heard?.(answer.value);
      } else if (answer.kind === 'problem') setState((known) => ({ ...known, path, problem: answer }));
      else if (answer.kind === 'unchanged') setState((known) => ({ ...known, problem: undefined }));
      plan();
    };
    const plan = (): void => {
      window.clearTimeout(timer);
      if (!over && !document.hidden) timer = window.setTimeout(() => void look(), paceMs);
    };
    const seen = (): void => (document.hidden ? window.clearTimeout(timer) : void look());
    ask.current = () => void look();
    document.addEventListener('visibilitychange', seen);
    void look();
    return () => {
      over = true;
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
    // The shape and the listener are the same as long as the address is.
  }, [client, path, paceMs]);
  const look = useCallback(() => ask.current(), []);
  // What is known of another address is nothing of this one.
  const current = state.path === path ? state : { value: undefined, problem: undefined };
  return { value: current.value, problem: current.problem, look };
}
