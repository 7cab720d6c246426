import { normalized, shownName } from './json-fields.ts';
import type { JsonMember, JsonNode, JsonObject } from './json-scan.ts';
import type { Edit, Parts } from './reading.ts';

function partMembers(object: JsonObject, name: string): readonly JsonMember[] {
  const exact = object.members.filter((member) => member.name.value === name);
  return exact.length > 0
    ? exact
    : object.members.filter((member) => normalized(member.name.value) === normalized(name));
}

function textOf(node: JsonNode): string | undefined {
  return node.kind === 'string' ? node.value : undefined;
}

/** The members at `removed` with the commas that parted them from what stays. At least one member stays. */
function removals(object: JsonObject, removed: ReadonlySet<JsonMember>): readonly Edit[] {
  const edits: Edit[] = [];
  let stays: JsonMember | undefined;
  let leading = object.members[0];
  for (const member of object.members) {
    if (removed.has(member)) {
      if (stays !== undefined) edits.push({ start: stays.value.end, end: member.value.end, text: '' });
      // Two neighbours are removed by one edit each: from the end of the one before.
      if (stays !== undefined) stays = member;
      continue;
    }
    if (stays === undefined && leading !== undefined && leading !== member) {
      edits.push({ start: leading.name.start, end: member.name.start, text: '' });
    }
    leading = undefined;
    stays = member;
  }
  return edits;
}

/** A new member behind `beside`, laid out as that one is. */
function insertion(text: string, object: JsonObject, beside: JsonMember, name: string, part: string): Edit {
  const before = object.members[object.members.indexOf(beside) - 1];
  const gap = text
    .slice(before === undefined ? object.start + 1 : before.value.end, beside.name.start)
    .replace(',', '');
  const colon = text.slice(beside.name.end, beside.value.start);
  const end = beside.value.end;
  return { start: end, end, text: `,${gap}${JSON.stringify(name)}${colon}${JSON.stringify(part)}` };
}

/** The fields beside the password's own, in the same object. */
export function partsBeside(text: string, object: JsonObject, beside: JsonMember): Parts {
  return {
    // A field "current" says that its neighbour is "previous", also while there is none: retiring takes the member out, and the next
    // rotation must find its place again.
    read: (name) =>
      partMembers(object, name)
        .map((member) => textOf(member.value))
        .at(-1) ?? (name === 'previous' && normalized(beside.name.value) === 'current' ? '' : undefined),
    places: (name) => partMembers(object, name).map(({ value }) => ({ start: value.start, end: value.end })),
    edits: (parts) => {
      const edits: Edit[] = [];
      const removed = new Set<JsonMember>();
      for (const [name, part] of parts) {
        const members = partMembers(object, name);
        if (members.includes(beside)) {
          return { kind: 'unencodable', detail: `the part "${shownName(name)}" is the field of the password itself` };
        }
        if (members.length === 0 && part !== '') edits.push(insertion(text, object, beside, name, part));
        for (const { value } of members) {
          if (part === '' || textOf(value) === part) continue;
          edits.push({ start: value.start, end: value.end, text: JSON.stringify(part) });
        }
        if (part === '') for (const member of members) if (textOf(member.value) !== '') removed.add(member);
      }
      return { kind: 'edits', edits: [...edits, ...removals(object, removed)] };
    },
  };
}
