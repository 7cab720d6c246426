/**
 * Pages of the docs are named by their path in the repository, which nobody can follow from a message at night. With the address of the docs
 * (KEYTURN_DOCS_URL) they become links.
 */

const page = /(?<![\w/.-])docs\/[\w/-]+\.md(?:#[\w-]+)?/g;

/** The text with every page as a link; as it is where `docsUrl`, an address that ends with a slash, is empty. Pure. */
export function withLinks(text: string, docsUrl: string): string {
  return docsUrl === '' ? text : text.replaceAll(page, (path) => docsUrl + path);
}

/** Fields that are written by Keyturn for people. Values of others, a tag's among them, are somebody else's. */
const forPeople: ReadonlySet<string> = new Set(['page', 'hint', 'message', 'fix']);

/** The same for what is sent as JSON, wherever in it such a field is. Pure. */
export function withLinksInside(value: unknown, docsUrl: string): unknown {
  if (docsUrl === '' || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => withLinksInside(one, docsUrl));
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      typeof field === 'string' && forPeople.has(name) ? withLinks(field, docsUrl) : withLinksInside(field, docsUrl),
    ]),
  );
}
