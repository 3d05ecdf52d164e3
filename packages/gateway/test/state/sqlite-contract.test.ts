import { describe, expect, it } from "vitest";
import { sqliteState } from "../../src/state/sqlite/index.ts";
import { stateContract } from "../../src/testing/state-contract.ts";

stateContract(
  { describe, it, expect },
  {
    name: "SQLite",
    async open(clock) {
      const state = await sqliteState({ path: ":memory:", clock });
      return { state, close: () => state.close() };
    },
  },
);
