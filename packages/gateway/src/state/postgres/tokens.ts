/** Tokens of the admin API in PostgreSQL. */

import { tokenRow, toToken } from "../contract/rows.ts";
import { rowValues } from "../contract/tables.ts";
import type { TokenMethods } from "../contract/tokens.ts";
import { removeOrphans } from "./changes.ts";
import type { Database, Once } from "./transaction.ts";

/** The methods of the contract for tokens. */
export function tokenMethods(db: Database, once: Once): TokenMethods {
  return {
    addToken: (token, by) =>
      once(async ({ run, append }) => {
        await run("addToken", ...rowValues("admin_token", tokenRow(token)));
        append({ action: "token.created", by, result: "ok", subject: token.id, detail: token.scopes.join(" ") });
      }),
    async findToken(hash) {
      const [row] = await db.read("tokenByHash", hash);
      return row && toToken(row);
    },
    listTokens: async () => (await db.read("tokens")).map(toToken),
    revokeToken: (id, by) =>
      once(async (transaction) => {
        const { run, append } = transaction;
        const isRevoked = (await run("revokeToken", db.now(), id)).length > 0;
        if (isRevoked) append({ action: "token.revoked", by, result: "ok", subject: id });
        await removeOrphans(transaction, by);
        return isRevoked;
      }),
  };
}
