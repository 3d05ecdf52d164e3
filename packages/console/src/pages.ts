/** A list that is read page by page, as far as it is looked at. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "./api.ts";

interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string | undefined;
}

/** The items of a list. */
export interface Loaded<T> {
  readonly items: readonly T[];
  readonly isLoading: boolean;
  readonly problem: Problem | undefined;
  more(): void;
  reload(): void;
}

/** Reads a list. A new key begins another one; an answer to the one before is dropped. */
export function usePages<T>(key: string, read: (cursor: string | undefined) => Promise<Page<T>>): Loaded<T> {
  const [turn, setTurn] = useState(0);
  const [held, setHeld] = useState<Page<T> & { readonly of: string }>({ items: [], next: undefined, of: "" });
  const [isLoading, setLoading] = useState(true);
  const [problem, setProblem] = useState<Problem>();
  const name = `${key} ${turn}`;
  const current = useRef(name);
  const busy = useRef("");
  current.current = name;

  const load = useCallback(
    async (before: readonly T[], cursor: string | undefined) => {
      if (busy.current === `${name} ${cursor}`) return;
      busy.current = `${name} ${cursor}`;
      setLoading(true);
      setProblem(undefined);
      try {
        const page = await read(cursor);
        if (current.current !== name) return;
        setHeld({ items: [...before, ...page.items], next: page.next, of: name });
        setLoading(false);
      } catch (error) {
        if (current.current !== name) return;
        busy.current = "";
        setLoading(false);
        setProblem(error instanceof Problem ? error : new Problem("INTERNAL", String(error)));
      }
    },
    [name],
  );
  useEffect(() => void load([], undefined), [load]);
  const { items, next, of } = held;
  return {
    items: of === name ? items : [],
    isLoading,
    problem,
    more: () => {
      if (of === name && next !== undefined && problem === undefined) void load(items, next);
    },
    reload: () => setTurn(turn + 1),
  };
}
