import type { State } from "../state/contract/state.ts";
import { type FoundScopes, type KeyScope, readScope } from "./key-scope.ts";

/** Finds the keys of an id; each may have a scope. */
export type ScopedKeys = (id: string) => unknown;

/** Returns the present scopes of the owners of links: of the operator none, of a key or a token those that it has now. */
export function ownerScopes(state: State, keys: ScopedKeys | undefined): (owner: string) => Promise<FoundScopes> {
  return async (owner) => {
    const [, kind, id = ""] = /^(key|token):(.*)$/s.exec(owner) ?? [];
    if (kind === undefined) return [];
    if (kind === "token") {
      const token = (await state.listTokens()).find((one) => one.id === id && one.revokedAt === undefined);
      return token && readScope({ buckets: token.buckets, prefix: token.prefix });
    }
    const found = [(await keys?.(id)) ?? []].flat() as readonly { readonly scope?: KeyScope }[];
    return found.length === 0 ? undefined : found.map(({ scope = {} }) => readScope(scope));
  };
}
