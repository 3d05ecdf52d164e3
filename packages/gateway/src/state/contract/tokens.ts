/** Tokens of the admin API, and the methods of a state that keep them. */
import type { Millis } from "./deliveries.ts";

/** A token of the admin API. */
export interface AdminToken {
  readonly id: string;
  readonly label?: string | undefined;
  /** SHA-256 of the token, base64url. Never the token. */
  readonly hash: string;
  /** What the token may do: `links:read`, `links:write`, `claims:write`, `keys:read`, `keys:write`, `audit:read`; empty: nothing. */
  readonly scopes: readonly string[];
  /** The buckets of its links and keys; absent: all, empty: none. */
  readonly buckets?: readonly string[] | undefined;
  readonly prefix?: string | undefined;
  /** When it was made, milliseconds since 1970. */
  readonly createdAt: Millis;
  /** When it was revoked, milliseconds since 1970. */
  readonly revokedAt?: Millis | undefined;
}

/** The methods that keep tokens. */
export interface TokenMethods {
  /** Stores a token of the admin API. */
  addToken(token: AdminToken, by: string): Promise<void>;
  /** A token that is not revoked, by its hash. */
  findToken(hash: string): Promise<AdminToken | undefined>;
  /** All tokens, oldest first; revoked ones among them. */
  listTokens(): Promise<readonly AdminToken[]>;
  /** Revokes a token and removes its webhooks with their notifications; `false` if there was none to revoke. */
  revokeToken(id: string, by: string): Promise<boolean>;
}
