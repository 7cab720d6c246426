import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Me } from '../model/shapes.ts';
import type { Client } from './client.ts';
import type { FleetWatch } from './fleet-watch.ts';
import type { Router } from './router.ts';
import { useStore } from './store.ts';

/** What the pages work with. */
export interface Tools {
  readonly client: Client;
  readonly watch: FleetWatch;
  readonly router: Router;
  readonly me: Me;
}

export const ToolsContext = createContext<Tools | undefined>(undefined);

export function useTools(): Tools {
  const tools = useContext(ToolsContext);
  if (tools === undefined) throw new Error('a page is drawn outside of the app');
  return tools;
}

const tickMs = 20_000;

/** The vault's clock, which what is due is judged by. It goes on by itself. */
export function useNow(): number {
  const { watch } = useTools();
  const { aheadMs } = useStore(watch.fleet);
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), tickMs);
    return () => window.clearInterval(timer);
  }, []);
  return nowMs + aheadMs;
}
