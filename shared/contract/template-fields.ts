/** What a template of a channel may ask for, as `{{name}}`. Apart from what fills it in, because the app reads its settings without it. */
export const templateFields = [
  'what',
  'next',
  'urgent',
  'severity',
  'state',
  'dedupKey',
  'id',
  'type',
  'event',
  'vault',
  'secret',
  'rotationId',
  'at',
  'version',
  'from',
  'login',
  'owner',
  'expiresAt',
  'retireBy',
  'nextTryAt',
  'code',
  'page',
  /** The channel's own key, from the vault. */
  'key',
] as const;

export type TemplateField = (typeof templateFields)[number];

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** Names that a text asks for. */
export function asked(text: string): readonly string[] {
  return [...text.matchAll(placeholder)].map(([, name = '']) => name);
}

/** The text with what it asks for; nothing where a field is not there. Pure. */
export function filled(text: string, fields: Readonly<Partial<Record<string, string>>>): string {
  return text.replaceAll(placeholder, (_, name: string) => fields[name] ?? '');
}
