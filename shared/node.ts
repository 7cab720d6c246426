/**
 * What the start of the app takes of Node, by name. An import of one of these modules asks for all that it has, and so loads workers, locks
 * and more that nobody uses: a sixth of the start (docs/decisions/9-the-start.md). What is loaded later imports them as usual.
 */
export const { timingSafeEqual, X509Certificate } = process.getBuiltinModule('node:crypto');
export const { readFileSync, statSync } = process.getBuiltinModule('node:fs');
export const { isIP } = process.getBuiltinModule('node:net');
export const { inspect } = process.getBuiltinModule('node:util');
