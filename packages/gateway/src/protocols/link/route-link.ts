/** A link to a route: its page, and the button that begins a visit. */
import { deliveryToken, hashOf, randomClaimKey } from "../../links/identifiers.ts";
import { placeOrigin } from "../../links/route-target.ts";
import { linkCookie, type Visit, visitCookie, visitCookies } from "../../links/visit.ts";
import type { ClaimLink, LinkClaimed } from "../../operations/claim-link.ts";
import { SAFE_HEADERS } from "../../pages/layout.ts";
import { linkPage } from "../../pages/link-page.ts";
import { networkOf } from "../../pipeline/unverified-body-limit.ts";
import { messagesOf, pageAnswer } from "../page.ts";
import type { Task } from "../protocol.ts";
import type { Asked } from "./asked.ts";
import { countedWhenSent } from "./link-use.ts";
import { expectLeft, pageFields, proofOf } from "./page-fields.ts";
import { LINK_BASE } from "./path.ts";
import { lineAnswer } from "./refuse.ts";

/** Chooses the row of a request for a link to a route. */
export function routeLinkTask(asked: Asked): Task {
  const { grant, request } = asked;
  if (grant.site === undefined) return redirect(asked);
  return request.method === "POST" && grant.form?.claim !== undefined ? claim(asked, grant.form.claim) : page(asked);
}

/** A cookie is for one host, so the link opens on the host that it is for. */
function redirect({ grant }: Asked): Task<undefined> {
  const location = `${placeOrigin(grant.link.bucket)}${LINK_BASE}${grant.path}`;
  return {
    request: undefined,
    present: () => ({
      status: 307,
      headers: [...SAFE_HEADERS, "location", location, "content-length", "0"],
      body: undefined,
    }),
  };
}

function claim(asked: Asked, claimKey: string): Task<ClaimLink> {
  const { grant, options, request, permit } = asked;
  const { variant, link } = grant;
  const token = deliveryToken(options.stateKey, variant.id, claimKey);
  return {
    request: {
      operation: "claim-link",
      variant,
      object: undefined,
      claimKey,
      token,
      isVisit: true,
      address: networkOf(request.remoteAddress ?? ""),
    },
    present: ({ delivery: { leaseUntil } }: LinkClaimed) => {
      const origin = grant.site ?? "";
      const path = `/${link.key}`;
      const visit: Visit = {
        link: link.id,
        variant: variant.id,
        owner: link.owner,
        origin,
        path,
        until: leaseUntil,
        startsAt: link.startsAt,
        name: variant.name,
        networks: link.networks,
        sealedAt: permit.at,
        token: hashOf(token),
        charged: variant.maxBytes === undefined ? undefined : hashOf(token),
      };
      const cookie = visitCookie(visitCookies(options.stateKey), visit);
      const headers = ["location", path, "set-cookie", cookie, "set-cookie", linkCookie(visit)];
      const answer = { status: 303, headers: [...SAFE_HEADERS, ...headers, "content-length", "0"], body: undefined };
      // Its pages are the app's, so the begin of a visit stands for them.
      return countedWhenSent(asked, "opened", answer);
    },
  };
}

/** The page before a visit. A GET begins none, or a scanner of mails would. */
function page(asked: Asked): Task<undefined> {
  const { path, site = "", link } = asked.grant;
  return {
    request: undefined,
    present: () => {
      if (!asked.isPage) return lineAnswer(428, `this link opens in a browser: ${site}${path}`);
      expectLeft(asked.grant.variant);
      const page = linkPage(messagesOf(asked.request), {
        ...pageFields(asked, site),
        label: link.label ?? lastName(link.key),
        kind: "page",
        name: new URL(site).host,
        claimKey: randomClaimKey(),
        proof: proofOf(asked),
        preview: false,
      });
      return pageAnswer(asked.request, 200, page);
    },
  };
}

/** The last name of a path, as people read it; `undefined` for the whole host. */
function lastName(path: string): string | undefined {
  const last = path.split("/").filter(Boolean).at(-1);
  try {
    return last && decodeURIComponent(last);
  } catch {
    return last;
  }
}
