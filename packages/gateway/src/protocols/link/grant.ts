import type { Clock, Grant } from "daypass";
import type { LinkCounts } from "../../links/link-counts.ts";
import type { Place } from "../../links/link-kinds.ts";
import type { LinkOpener, OpenedLink } from "../../links/open-link.ts";
import type { PictureSize } from "../../operations/picture-head.ts";
import type { FoundScopes } from "../../pipeline/key-scope.ts";
import type { BoundedMap } from "../../storage/contract/bounded-map.ts";
import type { ObjectRef } from "../../storage/contract/storage.ts";
import type { LinkForm } from "./form.ts";
import type { HandOver } from "./hand-over.ts";

/** The grant of an opened link. */
export interface LinkGrant extends Grant, OpenedLink {
  /** The recipient. */
  readonly subject: string | undefined;
  /** Nothing is signed: presentation asks every grant. */
  readonly signedHeaders: readonly string[];
  /** The path of the link, `/l/<address>`, or `/-/daypass/l/<address>` on the host of a route. */
  readonly path: string;
  /** The path below the link; `undefined` without a slash after the address. */
  readonly rest: string | undefined;
  /** What that path names. */
  readonly place: Place;
  /** The origin of the route on whose host the link was opened; `undefined` on the origin of links. */
  readonly site: string | undefined;
  /** The fields of a page's form. */
  readonly form: LinkForm | undefined;
}

/** Options of {@link linkProtocol}. */
export interface LinkProtocolOptions {
  readonly opener: LinkOpener;
  /** Counts what holders open and download. */
  readonly counts: LinkCounts;
  readonly stateKey: Uint8Array;
  /** The one origin of links, `scheme://host[:port]`. */
  readonly origin: string;
  /** The values of Host that select it, in lower case. */
  readonly hosts: readonly string[];
  /** Origins of routes, on whose hosts links to them open. */
  readonly sites: readonly string[];
  /** The present scopes of an owner; `undefined` if the owner is gone. */
  readonly scopesOf: (owner: string) => FoundScopes | Promise<FoundScopes>;
  /** The name of an owner for people. */
  readonly sharedBy?: string | undefined;
  readonly clock: Clock;
  /** The sizes of pictures, by ETag: what `?thumb` read, so that a page reads no file. */
  readonly sizes: BoundedMap<PictureSize>;
  /** How the bytes of links that hand over leave; absent: the gateway sends them. */
  readonly handOver?: HandOver | undefined;
  /** The path of an object's file below the served folder. */
  readonly filePath?: ((ref: ObjectRef) => string | undefined) | undefined;
}
