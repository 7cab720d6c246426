/** Parsed JSON, or undefined where the text is not JSON. What the parser would say quotes the text, which may be a secret. */
export function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
