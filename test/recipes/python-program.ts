/** Which Python runs the recipes. */
import { execFileSync } from 'node:child_process';

/** The Python that has them: Debian's own has, one of a version manager may not. Undefined where there is none. */
export function pythonWithDrivers(): string | undefined {
  return ['/usr/bin/python3', 'python3'].find((python) => {
    try {
      execFileSync(python, ['-c', 'import psycopg, psycopg2, sqlalchemy'], { stdio: 'ignore' });
      return true;
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  });
}
