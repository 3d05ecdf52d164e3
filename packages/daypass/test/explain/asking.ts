import { type Cause, type ExplainOptions, type Explanation, explain } from "daypass/explain";

export interface Asking {
  ask(url: string, more?: ExplainOptions): Promise<Explanation>;
  causeOf(url: string, more?: ExplainOptions): Promise<Cause | undefined>;
  /** By their names. */
  trapsOf(url: string, more?: ExplainOptions): Promise<readonly string[]>;
}

/** {@link explain} at a time at which the URLs of a suite are good, unless a test says another. */
export function askingAt(now: string | Date): Asking {
  const ask: Asking["ask"] = (url, more = {}) => explain(url, { clock: () => new Date(now), ...more });
  return {
    ask,
    causeOf: async (url, more) => (await ask(url, more)).cause,
    trapsOf: async (url, more) => (await ask(url, more)).traps.map(({ name }) => name),
  };
}
