/** Colours carry nothing that the words do not. */
const codes = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

export type Colour = keyof typeof codes;

export function paint(text: string, colour: Colour | undefined, on: boolean): string {
  return on && colour !== undefined && text !== '' ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text;
}
