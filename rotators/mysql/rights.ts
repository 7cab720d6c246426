/** What the rights of an account reach, where one says more than its own text: those of a database hold for its tables. */
import { type Grant, splitOutside } from './grants.ts';

/** Whether the rights include this one, here or on what its object is a part of. */
export function covers(held: readonly Grant[], right: string): boolean {
  const { privilege, object } = partsOf(right);
  const [bare = privilege] = privilege.split(' (');
  const rights = held.flatMap((grant) => grant.rights);
  return objectsOver(object).some((over) =>
    rights.some((one) => {
      const own = partsOf(one);
      if (!isWithin(over, own.object) || isRevoked(rights, own.privilege, object)) return false;
      const columns = own.privilege === privilege && own.object === object;
      return columns || own.privilege === bare || own.privilege === 'ALL PRIVILEGES';
    }),
  );
}

/** Whether an account with these rights may give this one to another. */
export function mayGive(held: readonly Grant[], right: string): boolean {
  const rights = new Set(held.flatMap((grant) => grant.rights));
  const base = right.replace(/ WITH (GRANT|ADMIN) OPTION$/, '');
  if (base.startsWith('ROLE ') || base.startsWith('PROXY ')) {
    const anyRole = base.startsWith('ROLE ') && covers(held, 'ROLE_ADMIN ON *.*');
    return anyRole || rights.has(`${base} WITH ADMIN OPTION`) || rights.has(`${base} WITH GRANT OPTION`);
  }
  if (base.startsWith('NOT ') || base.startsWith('DEFAULT ROLE ')) return true;
  // Each dynamic privilege of MySQL is passed on by itself; the others by one option for all that somebody holds at a place.
  if (/^[A-Z]+_[A-Z_]+ ON /.test(base)) return rights.has(`${base} WITH GRANT OPTION`);
  if (!covers(held, base)) return false;
  const places = objectsOver(partsOf(base).object);
  return [...rights].some((one) => {
    if (!one.endsWith(' WITH GRANT OPTION')) return false;
    const { object } = partsOf(one.slice(0, -' WITH GRANT OPTION'.length));
    return places.some((place) => isWithin(place, object));
  });
}

function partsOf(right: string): { readonly privilege: string; readonly object: string } {
  const [privilege = '', ...object] = splitOutside(right, ' ON ');
  return { privilege, object: object.join(' ON ') };
}

/** The object, its database, and everything: `` PROCEDURE `d`.`p` ``, `` `d`.* ``, `*.*`. */
function objectsOver(object: string): readonly string[] {
  const [database] = /^(?:(?:PROCEDURE|FUNCTION|PACKAGE(?: BODY)?) )?(`(?:[^`]|``)+`)\./.exec(object)?.slice(1) ?? [];
  return [...new Set([object, ...(database === undefined ? [] : [`${database}.*`]), '*.*'])];
}

/** A right on databases may name them by a pattern, whose own characters are escaped: `` `shop\_%`.* ``. */
function isWithin(object: string, place: string): boolean {
  if (object === place) return true;
  const [, name] = /^`((?:[^`]|``)+)`\.\*$/.exec(object) ?? [];
  const [, pattern] = /^`((?:[^`]|``)+)`\.\*$/.exec(place) ?? [];
  if (name === undefined || pattern === undefined) return false;
  const text = pattern.replaceAll(/\\[%_]|[%_]|[^%_\\]+|\\/g, (part) => {
    if (part === '%') return '.*';
    if (part === '_') return '.';
    return (part.length === 2 && part.startsWith('\\') ? part.slice(1) : part).replaceAll(
      /[.*+?^${}()|[\]\\]/g,
      '\\$&',
    );
  });
  return new RegExp(`^${text}$`, 's').test(name.replaceAll(/\\([%_])/g, '$1'));
}

/** MySQL can take away for one database what it gives for all. */
function isRevoked(rights: readonly string[], privilege: string, object: string): boolean {
  return objectsOver(object).some((over) => rights.includes(`NOT ${privilege} ON ${over}`));
}
