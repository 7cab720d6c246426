/** JSON pointers (RFC 6901), which choose among several credentials of one value. */
import type { JsonNode } from './json-scan.ts';

export const jsonPointer = /^(?:\/(?:[^~/]|~[01])*)+$/;

function step(node: JsonNode, token: string): JsonNode | undefined {
  // Of two members of one name parsers take the last.
  if (node.kind === 'object') return node.members.findLast((each) => each.name.value === token)?.value;
  return node.kind === 'array' && /^(?:0|[1-9]\d{0,5})$/.test(token) ? node.items[Number(token)] : undefined;
}

/** What the pointer points at; undefined when there is nothing. */
export function follow(root: JsonNode, pointer: string): JsonNode | undefined {
  let at: JsonNode | undefined = root;
  for (const token of pointer.split('/').slice(1)) {
    if (at === undefined) return undefined;
    at = step(at, token.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return at;
}
