/** Tokens of the admin API in SQLite. */

import { tokenRow, toToken } from "../contract/rows.ts";
import { rowValues } from "../contract/tables.ts";
import type { TokenMethods } from "../contract/tokens.ts";
import type { Engine } from "./engine.ts";

/** Removes the webhooks of revoked tokens. */
export function removeOrphans({ all, append }: Engine, by: string): void {
  for (const { id } of all("removeOrphans")) append({ action: "webhook.removed", by, result: "ok", subject: id });
}

/** The methods of the contract for tokens. */
export function tokenMethods(engine: Engine): TokenMethods {
  const { first, all, run, append, commit, commitRevocation, now } = engine;
  return {
    addToken: (token, by) =>
      commit(() => {
        run("addToken", ...rowValues("admin_token", tokenRow(token)));
        append({ action: "token.created", by, result: "ok", subject: token.id, detail: token.scopes.join(" ") });
      }),
    findToken: (hash) =>
      commit(() => {
        const row = first("tokenByHash", hash);
        return row && toToken(row);
      }),
    listTokens: () => commit(() => all("tokens").map(toToken)),
    revokeToken: (id, by) =>
      commitRevocation(() => {
        const isRevoked = run("revokeToken", now(), id) > 0;
        if (isRevoked) append({ action: "token.revoked", by, result: "ok", subject: id });
        removeOrphans(engine, by);
        return isRevoked;
      }),
  };
}
