import { sqliteState } from "@daypass/gateway/state";

const state = await sqliteState({ path: process.env["STATE_FILE"] ?? "uses.db" });

/** @type {import("daypass").UseStore} */
export const uses = {
  claim: (kid, grantId, limit, until) => state.claimUse({ kid, grantId, uses: limit, until: until.getTime() }),
};
