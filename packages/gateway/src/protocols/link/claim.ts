import { deliveryToken } from "../../links/identifiers.ts";
import { kindOfLink } from "../../links/link-kinds.ts";
import type { ClaimLink, LinkClaimed } from "../../operations/claim-link.ts";
import { SAFE_HEADERS } from "../../pages/layout.ts";
import type { PermittedObject } from "../../permit.ts";
import { networkOf } from "../../pipeline/unverified-body-limit.ts";
import { LEASE } from "../../state/contract/deliveries.ts";
import type { Task } from "../protocol.ts";
import type { Asked } from "./asked.ts";
import { expectUnchanged } from "./bytes.ts";
import { visitCookie } from "./cookies.ts";

/** The button: takes a delivery and sends the browser to it. The same claim key leads to the same delivery. */
export function claim(asked: Asked, object: PermittedObject | undefined): Task<ClaimLink> {
  const { grant, options } = asked;
  const { variant, link } = grant;
  const claimKey = grant.form?.claim ?? "";
  const isVisit = kindOfLink(link).opensMany;
  const token = deliveryToken(options.stateKey, variant.id, claimKey);
  return {
    request: {
      operation: "claim-link",
      variant,
      object,
      check: (info) => expectUnchanged(asked, info, "delivery.claimed"),
      claimKey,
      token,
      address: networkOf(asked.request.remoteAddress ?? ""),
      isVisit,
    },
    present: ({ delivery }: LinkClaimed) => {
      const headers = [...SAFE_HEADERS, "location", isVisit ? `${grant.path}/` : `/d/${token}`, "content-length", "0"];
      headers.push("set-cookie", visitCookie(asked, token, Math.max(delivery.leaseUntil, delivery.claimedAt + LEASE)));
      return { status: 303, headers, body: undefined };
    },
  };
}
