// A manifest is usually for one account. A few hundred values are kept, and then all are dropped.
const MAX_ENTRIES = 256;

/** Keeps values that are costly to make, by name. */
export function memoizeByName<T>(): (name: string, make: () => T) => T {
  const entries = new Map<string, T>();
  return (name, make) => {
    let entry = entries.get(name);
    if (entry === undefined) {
      entry = make();
      if (entries.size >= MAX_ENTRIES) entries.clear();
      entries.set(name, entry);
    }
    return entry;
  };
}
