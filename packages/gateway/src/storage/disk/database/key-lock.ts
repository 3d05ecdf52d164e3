/** Turns: of those who want the same name one goes at a time. */
export interface KeyTurns {
  /** Resolves to the function that ends the turn. */
  enter(name: string): Promise<() => void>;
}

/** First come, first served, for each name on its own. */
export function keyTurns(): KeyTurns {
  const last = new Map<string, Promise<void>>();
  return {
    async enter(name) {
      const before = last.get(name);
      let leave = (): void => {};
      const turn = new Promise<void>((resolve) => {
        leave = resolve;
      });
      last.set(name, turn);
      await before;
      return () => {
        if (last.get(name) === turn) last.delete(name);
        leave();
      };
    },
  };
}
