/** YAML of an answer, in blocks, as `az` prints it. What a reader of YAML 1.1 or 1.2 would take for something else stands in double quotes. */

/** `value` is what JSON can hold. */
export function yamlLines(value: unknown): readonly string[] {
  const flat = scalarOf(value);
  if (flat !== undefined) return [flat];
  if (Array.isArray(value)) return value.flatMap(itemLines);
  return Object.entries(Object(value)).flatMap(([name, field]) => fieldLines(name, field));
}

function itemLines(item: unknown): readonly string[] {
  return yamlLines(item).map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`));
}

function fieldLines(name: string, value: unknown): readonly string[] {
  const flat = scalarOf(value);
  const key = textOf(name);
  return flat === undefined ? [`${key}:`, ...yamlLines(value).map((line) => `  ${line}`)] : [`${key}: ${flat}`];
}

/** What fits on the line of its name: a value without parts. */
function scalarOf(value: unknown): string | undefined {
  if (typeof value === 'string') return textOf(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : undefined;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0 ? '{}' : undefined;
  return JSON.stringify(value) ?? 'null';
}

/** Words that YAML 1.1 reads as yes, no or nothing. */
const meansSomething = /^(y|n|yes|no|on|off|true|false|null)$/i;

/** Text of JSON in double quotes is text of YAML, but for signs that YAML wants escaped. */
function textOf(text: string): string {
  if (/^[A-Za-z_][\w./@-]*( [\w./@-]+)*$/.test(text) && !meansSomething.test(text)) return text;
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, escaped);
}

function escaped(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
