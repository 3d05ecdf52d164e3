import type { WireRequest } from "daypass";
import type { Permit } from "../../permit.ts";
import type { Received } from "../../pipeline/receive.ts";
import type { LinkGrant, LinkProtocolOptions } from "./grant.ts";

/** Everything that the rows of a link read. */
export interface Asked {
  readonly grant: LinkGrant;
  readonly permit: Permit<LinkGrant>;
  readonly received: Received;
  readonly request: WireRequest;
  readonly query: URLSearchParams;
  readonly isPage: boolean;
  readonly options: LinkProtocolOptions;
}
