// Names that may stand beside something secret: passwords, keys, tokens, signatures, and what carries them in other words.
const secretWords = /pass|pwd|secret|token|signature|credential|key|authmechanismproperties|^sig$/;
const plainName = /^[a-z][a-z0-9_.-]*$/;

/** From this length on, a value that contains the password is no coincidence. */
const tellingLength = 8;

function isPublic(name: string, value: string, password: string): boolean {
  if (!plainName.test(name) || secretWords.test(name) || value.length > 256) return false;
  if (value.includes('@')) return false;
  // A value may itself be a list of settings, with a secret among them.
  if (/[=:]/.test(value) && secretWords.test(value.toLowerCase())) return false;
  return password.length < tellingLength || !value.includes(password);
}

/**
 * The connection options that may be shown: names in lower case, values as they stand. What could hold a secret is left out, since
 * an endpoint is printed and logged. When a name comes twice the last one counts.
 */
export function publicOptions(
  entries: Iterable<readonly [string, string]>,
  password: string,
): Readonly<Record<string, string>> {
  const shown = new Map<string, string>();
  for (const [name, value] of entries) {
    const lower = name.toLowerCase();
    if (isPublic(lower, value, password)) shown.set(lower, value);
  }
  return Object.fromEntries(shown);
}
