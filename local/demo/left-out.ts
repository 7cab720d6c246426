/** The scenes that this machine cannot show, and how to see them. */
import { isInstalled } from '../programs.ts';
import type { Scene } from './scene.ts';

export interface LeftOut {
  readonly scenes: readonly { readonly secret: string; readonly needs: string }[];
  /** The command that brings what they need. Empty when nothing is left out. */
  readonly command: string;
}

export interface Cast {
  readonly scenes: readonly Scene[];
  readonly leftOut: LeftOut;
}

/** Divides the scenes by what is installed. */
export function castOf(all: readonly Scene[], has: (program: string) => boolean = isInstalled): Cast {
  const lacking = all.flatMap((scene) => (scene.needs === undefined || has(scene.needs.program) ? [] : [scene]));
  const packages = new Set(lacking.flatMap(({ needs }) => needs?.package.split(' ') ?? []));
  return {
    scenes: all.filter((scene) => !lacking.includes(scene)),
    leftOut: {
      scenes: lacking.map(({ secret, needs }) => ({ secret, needs: needs?.program ?? '' })),
      command: packages.size === 0 ? '' : `apt-get install ${[...packages].sort().join(' ')}`,
    },
  };
}

/** Whose names, for a sentence: `shop-db (mariadbd), cache (redis-server)`. */
export function namesOf({ scenes }: LeftOut): string {
  return scenes.map(({ secret, needs }) => `${secret} (no ${needs})`).join(', ');
}
