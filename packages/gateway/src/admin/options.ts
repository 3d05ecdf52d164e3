import type { Grant } from "daypass";
import type { Links } from "../links/links.ts";
import type { LinkPlace } from "../links/route-target.ts";
import type { Storage } from "../storage/contract/storage.ts";

/** Options of {@link adminApi}. */
export interface AdminOptions {
  readonly links: Links;
  readonly storage: Pick<Storage, "head">;
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
  /** Networks in CIDR notation that webhooks may reach although they are not public; empty by default. */
  readonly webhookNetworks?: readonly string[] | undefined;
}
