/** Locks by name: the holders of one name take turns. */
export interface KeyLock {
  /** Waits for the name, first come, first served. Resolves to the function that unlocks it. */
  lock(name: string): Promise<() => void>;
}

export function keyLock(): KeyLock {
  const last = new Map<string, Promise<void>>();
  return {
    async lock(name) {
      const before = last.get(name);
      let unlock = (): void => {};
      const turn = new Promise<void>((resolve) => {
        unlock = resolve;
      });
      last.set(name, turn);
      await before;
      return () => {
        if (last.get(name) === turn) last.delete(name);
        unlock();
      };
    },
  };
}

/**
 * One text for all names that some file system treats as the same: by case, by the form of accents, by invisible letters, or by dots
 * and blanks at the end. Other names may share it, too.
 */
export function foldedName(name: string): string {
  // Most names need no folding.
  if (/^[a-z\d/_-]*$/.test(name)) return name;
  const visible = name.normalize("NFKD").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  // There and back, because a letter may have several of the other case: the sharp S is two capitals.
  const cased = visible.toLowerCase().toUpperCase().toLowerCase();
  return cased.normalize("NFKD").replace(/(?<![. ])[. ]+(?=\/|$)/g, "");
}
