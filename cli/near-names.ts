/** Who mistypes the name of a secret is told the one that was probably meant. */
import type { Answered, Api } from './api/client.ts';
import { page, type Secret } from './api/views.ts';
import { nearest } from './near.ts';
import { isTrouble } from './trouble.ts';

/** What is spent on a proposal at most. */
const mostPages = 4;
const withinMs = 5_000;

/**
 * The same API; an answer that there is no such secret names the nearest one of the listing, which shows only what the caller may see. The
 * listing is read once for each vault, and where it cannot be had the answer stays as it was.
 */
export function withNearNames(api: Api): Api {
  const known = new Map<string, Promise<readonly string[]>>();
  const namesIn = (vault: string): Promise<readonly string[]> => {
    const names = known.get(vault) ?? listed(api, vault);
    known.set(vault, names);
    return names;
  };
  return {
    url: api.url,
    ask: async (request) => {
      const answer = await api.ask(request);
      const [vaults, vault, , secret] = request.path;
      if (answer.kind === 'answer' || answer.code !== 'secret-missing' || vaults !== 'vaults') return answer;
      if (vault === undefined || secret === undefined) return answer;
      return proposing(answer, secret, await namesIn(vault));
    },
  };
}

function proposing<Value>(answer: Answered<Value>, typed: string, names: readonly string[]): Answered<Value> {
  const near = nearest(typed, names);
  if (!isTrouble(answer) || near === undefined || near === typed) return answer;
  return { ...answer, hint: `Did you mean "${near}"? ${answer.hint}` };
}

async function listed(api: Api, vault: string): Promise<readonly string[]> {
  return (await secretsOf(api, vault)).map(({ secret }) => secret);
}

/** Names as they may be typed: with their vault where there are several and none is chosen. */
export async function namesOf(api: Api, vault: string | undefined): Promise<readonly string[]> {
  const secrets = await secretsOf(api, vault);
  const several = vault === undefined && new Set(secrets.map((one) => one.vault)).size > 1;
  return secrets.map((one) => (several ? `${one.vault}/${one.secret}` : one.secret));
}

/** As many of the secrets of a vault, or of all vaults, as a few requests bring. */
async function secretsOf(api: Api, vault: string | undefined): Promise<readonly Secret[]> {
  const secrets: Secret[] = [];
  let next: string | undefined;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const query: readonly (readonly [string, string])[] = [
      ...(vault === undefined ? [] : [['vault', vault] as const]),
      ...(next === undefined ? [] : [['page', next] as const]),
    ];
    const answer = await api.ask({ path: ['secrets'], query, schema: page, withinMs });
    if (answer.kind === 'trouble') return secrets;
    secrets.push(...answer.value.secrets);
    next = answer.value.next;
    if (next === undefined) return secrets;
  }
  return secrets;
}
