/** A state that reports its calls, for metrics. */
import type { Applied, Command } from "./contract/deliveries.ts";
import { isMethod } from "./contract/methods.ts";
import type { State } from "./contract/state.ts";
import { StateUnavailable } from "./contract/unavailable.ts";

/** One finished call. */
export interface StateCall {
  /** The method; of `deliver` the type of the command, such as `claim`. */
  readonly name: string;
  /** Duration in seconds. */
  readonly seconds: number;
  /** `ok`, why a command was refused, `unavailable` or `error`. */
  readonly result: string;
  /** Whether the method was `deliver`. */
  readonly isDelivery: boolean;
}

/**
 * Wraps a state. `report` must not throw.
 *
 * @example
 * ```ts
 * import { measuredState, sqliteState } from "@daypass/gateway/state";
 *
 * const state = measuredState(await sqliteState({ path: "state.db" }), ({ name, seconds }) => console.log(name, seconds));
 * await state.close();
 * ```
 */
export function measuredState(state: State, report: (call: StateCall) => void): State {
  const measured = Object.entries(state).map(([name, member]) => {
    if (!isMethod(name)) return [name, member];
    const call = async (...args: readonly unknown[]): Promise<unknown> => {
      const begun = performance.now();
      const isDelivery = name === "deliver";
      const end = (result: string): void => {
        const called = isDelivery ? (args[1] as Command).type : name;
        report({ name: called, seconds: (performance.now() - begun) / 1000, result, isDelivery });
      };
      try {
        const result = await member(...args);
        const applied = result as Applied;
        end(isDelivery && !applied.ok ? applied.reason : "ok");
        return result;
      } catch (error) {
        end(error instanceof StateUnavailable ? "unavailable" : "error");
        throw error;
      }
    };
    return [name, call];
  });
  return Object.fromEntries(measured) as State;
}
