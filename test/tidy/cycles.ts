/** The first cycle found in a graph, as the way around it, or undefined. Types count: two files that need each other are one file. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  const way: string[] = [];
  const visit = (node: string): readonly string[] | undefined => {
    const start = way.indexOf(node);
    if (start >= 0) return [...way.slice(start), node];
    if (finished.has(node)) return undefined;
    way.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    way.pop();
    finished.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
