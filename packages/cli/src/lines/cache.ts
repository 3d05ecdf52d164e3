// A manifest is for one account as a rule; a few hundred are kept, and then forgotten together.
const MAX_ENTRIES = 256;

/** Keeps what is costly to make, by name. */
export function cache<T>(): (name: string, make: () => T) => T {
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
