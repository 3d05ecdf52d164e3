import { contentTypeOf } from "../../http/content-type.ts";
import { isUsedUp, LinkRefused } from "../../links/open-link.ts";
import { kindOf } from "../../pages/kinds.ts";
import type { LinkFacts } from "../../pages/link-page.ts";
import type { Kind } from "../../pages/messages/types.ts";
import type { Asked } from "./asked.ts";

/** What the page of any link shows. `origin` is the one on which the link opens. */
export function pageFields({ grant, options, permit }: Asked, origin: string): LinkFacts {
  const { link, variant, path } = grant;
  const { max } = variant;
  return {
    now: new Date(permit.at),
    path,
    address: `${origin}${path}`,
    label: link.label,
    note: link.note,
    sharedBy: options.sharedBy,
    recipient: variant.name,
    expiresAt: new Date(link.expiresAt),
    deliveries: max === undefined ? undefined : { max, left: Math.max(0, max + variant.givenBack - variant.used) },
  };
}

/** The kind of a file: by its name if its type says nothing. */
export function fileKind(name: string, contentType = ""): Kind {
  return kindOf(/octet-stream|^$/.test(contentType) ? contentTypeOf(name) : contentType);
}

/** Proves to the button that the password was right; `undefined` without a password. */
export function proofOf({ grant, options }: Asked): string | undefined {
  return grant.link.password === undefined ? undefined : options.opener.proofOf(grant);
}

/** Refuses a page whose button could take nothing more. */
export function expectLeft(variant: Asked["grant"]["variant"]): void {
  if (isUsedUp(variant)) throw new LinkRefused("used-up");
}
