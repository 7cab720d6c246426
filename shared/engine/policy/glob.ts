/** Names of secrets and hosts with `*` for any characters, as tags and settings list them. */

/** Whether a name is listed. Case does not matter, as in the vault. A pattern takes letters, digits, dashes and `*`; any other one fits nothing. */
export function listsName(list: string, name: string): boolean {
  const patterns = list.split(/[\s,]+/).filter((pattern) => /^[0-9a-zA-Z*-]{1,127}$/.test(pattern));
  return patterns.some((pattern) => fits(pattern.toLowerCase(), name.toLowerCase()));
}

/**
 * Whether a host is one of the patterns. A star stands for characters of one label, so that `orders-*` lets in no `orders-x.evil.test`. Case does
 * not matter, nor does a dot at the end. An IPv6 address has no labels and is compared whole.
 */
export function listsHost(patterns: readonly string[], host: string): boolean {
  const labels = labelsOf(host);
  return patterns.map(labelsOf).some((pattern) => {
    return pattern.length === labels.length && pattern.every((label, at) => fits(label, labels[at] ?? ''));
  });
}

function labelsOf(host: string): readonly string[] {
  return host.toLowerCase().replace(/\.$/, '').split('.');
}

/** By the parts between the stars, so that no pattern of an editor takes long: each part is looked for once, after the one before. */
function fits(pattern: string, name: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of others) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
