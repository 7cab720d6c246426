/** Which secret is meant by what was typed: `NAME`, or `VAULT/NAME`. */
import type { Api } from './api/client.ts';
import { health } from './api/views.ts';
import { must } from './must.ts';
import { Stop, usageStop } from './trouble.ts';

export interface Named {
  readonly vault: string;
  readonly secret: string;
}

/** Asks the API for its vaults only where no vault was named. */
export async function secretsNamed(
  api: Api,
  args: readonly string[],
  vault: string | undefined,
): Promise<readonly Named[]> {
  const parts = args.map(split);
  const unnamed = parts.some((part) => part.vault === undefined);
  const fallback = unnamed ? (vault ?? (await onlyVault(api, args))) : '';
  const seen = new Set<string>();
  return parts.flatMap((part) => {
    const named = { vault: part.vault ?? fallback, secret: part.secret };
    const id = pathOf(named).toLowerCase();
    if (seen.has(id)) return [];
    seen.add(id);
    return [named];
  });
}

export async function secretNamed(api: Api, args: readonly string[], vault: string | undefined): Promise<Named> {
  const [named] = await secretsNamed(api, args, vault);
  if (named === undefined) throw usageStop('no secret is named', 'Name one.');
  return named;
}

export function pathOf({ vault, secret }: Named): string {
  return `${vault}/${secret}`;
}

/** Segments of the address of a secret. */
export function routeOf({ vault, secret }: Named, ...more: readonly string[]): readonly string[] {
  return ['vaults', vault, 'secrets', secret, ...more];
}

function split(text: string): { readonly vault: string | undefined; readonly secret: string } {
  const match = /^(?:([0-9a-zA-Z-]{1,64})\/)?([0-9a-zA-Z-]{1,127})$/.exec(text);
  if (match === null)
    throw usageStop(`"${text}" is not the name of a secret`, 'Give NAME or VAULT/NAME, of letters, digits and dashes.');
  return { vault: match[1], secret: match[2] ?? '' };
}

async function onlyVault(api: Api, args: readonly string[]): Promise<string> {
  const asked = await api.ask({ path: ['health', 'details'], schema: health });
  if (asked.kind === 'trouble' && asked.code === 'role-missing') {
    throw new Stop({
      ...asked,
      hint: `This credential may not ask which vaults there are: write VAULT/${args[0] ?? 'NAME'}, or give --vault.`,
    });
  }
  const { vaults } = must(asked);
  const [first, ...others] = vaults;
  if (first !== undefined && others.length === 0) return first.vault;
  const names = vaults.map(({ vault }) => vault);
  throw usageStop(
    `the app serves several vaults: ${names.join(', ')}`,
    `Write ${names[0] ?? 'VAULT'}/${args[0] ?? 'NAME'}, or give --vault.`,
  );
}
