/** Which rows of a long list are drawn: those that can be seen, and a few around them. */

export interface InView {
  readonly first: number;
  /** Not drawn any more. */
  readonly end: number;
}

/** `top`: how far the view's upper edge is below the beginning of the list, in pixels; negative above it. Pure. */
export function rowsInView(count: number, rowHeight: number, top: number, viewHeight: number, around = 10): InView {
  const first = Math.min(count, Math.max(0, Math.floor(top / rowHeight) - around));
  const end = Math.min(count, Math.max(first, Math.ceil((top + viewHeight) / rowHeight) + around));
  return { first, end };
}
