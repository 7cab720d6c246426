import type { StandInServer } from '../../../local/providers/server.ts';
import type { CutOff, CutOffKind } from '../../conformance/harness.ts';

/** Makes a stand-in cut every connection, or take requests and never answer. */
export async function cutOffStandIn<Options>(server: StandInServer, kind: CutOffKind): Promise<CutOff<Options>> {
  let contact: () => void = () => undefined;
  const contacted = new Promise<void>((resolve) => {
    contact = resolve;
  });
  server.fail({
    when: 'before',
    how: kind === 'refusing' ? 'cut' : 'silent',
    times: Number.POSITIVE_INFINITY,
    on: () => {
      contact();
      return true;
    },
  });
  return { parts: {}, contacted, restore: async () => server.heal() };
}
