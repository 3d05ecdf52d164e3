import type { Grant } from "daypass";
import type { Links } from "../links/links.ts";
import type { LinkPlace } from "../links/route-target.ts";
import type { Storage } from "../storage/contract/storage.ts";
import type { AdminSessions } from "./session-store.ts";

/** The limits of a key of the gateway. A missing member does not limit. */
export interface AdminKeyScope {
  /** S3 keys: bucket names. */
  readonly buckets?: readonly string[] | undefined;
  /** URL keys: `scheme://host[:port]`. */
  readonly origins?: readonly string[] | undefined;
  /** S3 keys: the prefix of object keys. URL keys: the prefix of paths, with `/` at both ends. */
  readonly prefix?: string | undefined;
  /** HTTP methods in upper case. Any method if omitted. */
  readonly methods?: readonly string[] | undefined;
  /** The longest lifetime of a URL, in seconds. */
  readonly maxLife?: number | undefined;
  /** The ISO instant at which the key expires, in UTC. */
  readonly until?: string | undefined;
}

/** The properties of a new key of the gateway. */
export interface NewAdminKey {
  readonly algorithm: "AWS4-HMAC-SHA256" | "HS256" | "Ed25519";
  readonly label?: string | undefined;
  readonly scope: AdminKeyScope;
}

/** A key of the gateway, without its secret. Instants are ISO texts. */
export interface AdminKey extends NewAdminKey {
  /** The access key id or kid. */
  readonly id: string;
  readonly kind: "s3" | "url";
  readonly createdAt: string;
  /** The end of the overlap after a rotation. */
  readonly retiresAt?: string | undefined;
  readonly revokedAt?: string | undefined;
}

/** The key store of the gateway. Its processes must notice a change by themselves. */
export interface AdminKeys {
  /** All keys, revoked ones too. */
  list(): Promise<readonly AdminKey[]>;
  /**
   * Creates a key with a random secret. Does not check that a caller may create it.
   * @throws {DaypassError} `INVALID_KEY` if the scope of a URL key is malformed
   */
  create(wanted: NewAdminKey): Promise<{
    readonly key: AdminKey;
    /** `secretAccessKey` of an S3 key, or `jwk` of a URL key. */
    readonly secret: { readonly secretAccessKey: string } | { readonly jwk: Readonly<Record<string, unknown>> };
  }>;
  /** Ends a key of {@link AdminKeys.list} at once. */
  revoke(id: string): Promise<unknown>;
}

/** Options of {@link adminApi}. */
export interface AdminOptions {
  readonly links: Links;
  readonly storage: Pick<Storage, "head" | "list" | "buckets">;
  /** The origin of links, `scheme://host[:port]`. */
  readonly origin: string;
  /** Origins of this API: a request with another Host is refused, or a page could reach it by DNS rebinding. Empty for a Unix socket. */
  readonly origins: readonly string[];
  /** Whether the gateway hands over at present. Absent: it does not. */
  readonly handsOver?: (() => boolean) | undefined;
  /** Whether every caller is the local operator, as on a Unix socket that only this user can open. */
  readonly isLocal: boolean;
  /** The grant of a URL of any dialect; rejects if it does not verify. */
  readonly identify: (url: string) => Promise<Grant>;
  /** Routes, and hosts that proxies protect, which links may target. None by default. */
  readonly places?: (() => readonly LinkPlace[]) | undefined;
  readonly clock: () => Date;
  /** Receives the reason of each `INTERNAL`, which callers do not see. */
  readonly onError: (error: unknown) => void;
  /** Sessions of the console, which all listeners of a process share. Absent: no session can be opened. */
  readonly sessions?: AdminSessions | undefined;
  /** The origin of the console, if another listener serves it. */
  readonly consoleOrigin?: string | undefined;
  /** The keys of the gateway. Absent: the API has no routes for keys. */
  readonly keys?: AdminKeys | undefined;
  /** Networks in CIDR notation that webhooks may reach although they are not public; empty by default. */
  readonly webhookNetworks?: readonly string[] | undefined;
}
