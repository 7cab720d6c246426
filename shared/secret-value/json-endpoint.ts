import type { Endpoint } from '../contract/rotator.ts';
import { parsePort, parseServer } from './address.ts';
import { byRank, type FieldRole, hasRole, normalized } from './json-fields.ts';
import type { JsonNode, JsonObject } from './json-scan.ts';
import { publicOptions } from './options.ts';

function scalar(node: JsonNode): string | undefined {
  if (node.kind === 'string') return node.value;
  return node.kind === 'literal' && node.text !== 'null' ? node.text : undefined;
}

/** The first text that `read` can use, the nearest object first and in it the name that counts most. */
function nearest<Value>(
  scope: readonly JsonObject[],
  role: FieldRole,
  read: (text: string) => Value | undefined,
): Value | undefined {
  const order = byRank(role);
  for (const object of scope) {
    const members = object.members.filter((member) => hasRole(member.name.value, role));
    for (const member of members.toSorted((a, b) => order(a.name.value, b.name.value))) {
      const text = scalar(member.value);
      const value = text === undefined || text === '' ? undefined : read(text);
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

/** A database's name; a whole connection string under that name is none. */
function databaseName(text: string): string | undefined {
  return /:\/\/|[=;@]/.test(text) ? undefined : text;
}

/** Where to log in, as the fields beside the password and around it say. Only fields known to be harmless become options. */
export function endpointOfFields(scope: readonly JsonObject[], password: string): Endpoint | undefined {
  const address = nearest(scope, 'host', parseServer);
  if (address === undefined) return undefined;
  const port = nearest(scope, 'port', parsePort) ?? address.port;
  const database = nearest(scope, 'database', databaseName);
  const options = scope.toReversed().flatMap((object) =>
    object.members.flatMap(({ name, value }): [string, string][] => {
      const text = scalar(value);
      return text !== undefined && hasRole(name.value, 'option') ? [[normalized(name.value), text]] : [];
    }),
  );
  if (address.instance !== undefined) options.push(['instancename', address.instance]);
  return {
    host: address.host,
    ...(port === undefined ? {} : { port }),
    ...(database === undefined ? {} : { database }),
    options: publicOptions(options, password),
  };
}
