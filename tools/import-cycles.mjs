/**
 * The groups of files that import each other, directly or through others (Tarjan's strongly connected components).
 * @param {ReadonlyMap<string, readonly string[]>} graph by file, the files that it imports
 * @returns {readonly (readonly string[])[]} the files of each group, sorted
 */
export function cyclesIn(graph) {
  /** @type {Map<string, { index: number, low: number, open: boolean }>} */
  const seen = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @type {string[][]} */
  const cycles = [];
  /** @param {string} file */
  function visit(file) {
    const own = { index: seen.size, low: seen.size, open: true };
    seen.set(file, own);
    stack.push(file);
    const imported = graph.get(file) ?? [];
    for (const next of imported) {
      const other = seen.get(next) ?? (graph.has(next) ? visit(next) : undefined);
      if (other?.open) own.low = Math.min(own.low, other.low);
    }
    if (own.low === own.index) {
      const group = stack.splice(stack.indexOf(file));
      for (const member of group) Object.assign(seen.get(member) ?? {}, { open: false });
      if (group.length > 1 || imported.includes(file)) cycles.push(group.sort());
    }
    return own;
  }
  for (const file of graph.keys()) if (!seen.has(file)) visit(file);
  return cycles;
}
