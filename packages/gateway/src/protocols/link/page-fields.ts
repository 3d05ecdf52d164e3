import { isUsedUp, LinkRefused } from "../../links/open-link.ts";
import type { LinkPage } from "../../pages/link-page.ts";
import type { Asked } from "./asked.ts";

type LinkFields = Pick<
  LinkPage,
  "path" | "address" | "label" | "note" | "sharedBy" | "expiresAt" | "left" | "proof" | "preview"
>;

/** What the page of any link shows. `origin` is the one on which the link opens. No preview by default. */
export function pageFields({ grant, options }: Asked, origin: string): LinkFields {
  const { link, variant, path } = grant;
  return {
    path,
    address: `${origin}${path}`,
    label: link.label,
    note: link.note,
    sharedBy: options.sharedBy,
    expiresAt: new Date(link.expiresAt),
    left: variant.max === undefined ? undefined : Math.max(0, variant.max + variant.givenBack - variant.used),
    proof: link.password === undefined ? undefined : options.opener.proofOf(grant),
    preview: false,
  };
}

/** Refuses a page whose button could take nothing more. */
export function expectLeft(variant: Asked["grant"]["variant"]): void {
  if (isUsedUp(variant)) throw new LinkRefused("used-up");
}
