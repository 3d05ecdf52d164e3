import type { State } from "../state/contract/state.ts";
import { type FoundScopes, readScope } from "./key-scope.ts";

/** Finds the scopes that the keys of an id have now. */
export type FindScopes = (id: string) => FoundScopes | Promise<FoundScopes>;

/**
 * Returns the present scopes of the owners of links: of the operator none, of a key or a token those that it has now.
 * @param finders one for each dialect whose keys own links; if several know the id, all scopes apply
 */
export function ownerScopes(state: State, finders: readonly FindScopes[]): (owner: string) => Promise<FoundScopes> {
  return async (owner) => {
    const [, kind, id = ""] = /^(key|token):(.*)$/s.exec(owner) ?? [];
    if (kind === undefined) return [];
    if (kind === "token") {
      const token = (await state.listTokens()).find((one) => one.id === id && one.revokedAt === undefined);
      return token && readScope({ buckets: token.buckets, prefix: token.prefix });
    }
    const found = await Promise.all(finders.map((find) => find(id)));
    const scopes = found.flatMap((one) => one ?? []);
    return scopes.length === 0 ? undefined : scopes;
  };
}
