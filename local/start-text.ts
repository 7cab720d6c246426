/** What a person reads when `npm start` starts and when it is up: what runs where, and the lines to type next. */
import type { Addresses } from './addresses.ts';
import { hanging, paint } from './lines.ts';
import { samples } from './samples.ts';

export const opening = 'Starting a vault, a storage account, Postgres and Keyturn on this machine';

export interface Started {
  readonly empty: boolean;
  /** Names of webhooks that were asked for. */
  readonly webhooks: readonly string[];
}

const put = `  curl -sSf -o /dev/null -X PUT "$VAULT/secrets/my-key?api-version=7.5" \\
    -H 'authorization: Bearer any' -H 'content-type: application/json' \\
    -d '{"value": "my-first-value", "tags": {"rotator": "self-issued"}}'
  npx keyturn rotate my-key --local --reason "a first try"`;

const move = `  curl -sSf -o /dev/null -X POST "$VAULT/_emulator/clock" \\
    -H 'content-type: application/json' -d '{"advanceDays": 61}'`;

/** Every command in it works as it stands; a test types them. */
export function startText(addresses: Addresses, { empty, webhooks }: Started): string {
  const rotated = empty ? '' : '\n  npx keyturn rotate orders-db --local --reason "a first try"';
  return [
    ...['', paint('bold', 'Up, until Ctrl-C; nothing is kept'), ...places(addresses, empty, webhooks)],
    ...['', paint('bold', 'In another terminal, in this folder'), '  . .local/env.sh'],
    `  npx keyturn list --local${rotated}${empty ? '' : '\n  npx keyturn discover --local'}`,
    ...['', paint('bold', 'Put a secret of your own, with the tag that opts it in'), put],
    ...['', paint('bold', "Move the vault's clock by 61 days: what is near its expiry is rotated"), move],
    ...[
      '',
      'docs/quickstart.md goes on from here. Below: what Keyturn does, at the time of',
      "the vault's clock (UTC).",
    ],
  ].join('\n');
}

function places({ vault, host, api, postgres }: Addresses, empty: boolean, webhooks: readonly string[]) {
  const rows: readonly (readonly [name: string, text: string])[] = [
    ['vault', `${vault.url} (any bearer token), ${vault.httpsUrl}`],
    ['dashboard', `${host.url}/ (its keys are those of the API)`],
    ['api', `${api.url} (keys in .local/azure.json)`],
    ['functions', host.url],
    [
      'postgres',
      postgres.url === undefined ? 'not started' : `${new URL(postgres.url).host} (in $POSTGRES, as its owner)`,
    ],
    ...(empty ? [] : samples.map(({ secret, about }) => [secret, about] as const)),
    ...webhooks.map((name) => [name, `webhook, signed with the secret ${name}-signing`] as const),
  ];
  return rows.flatMap(([name, text]) => hanging(`  ${name.padEnd(12)}`, text));
}
