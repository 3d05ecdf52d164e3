/**
 * Links as a dialect: the verifier finds the link, and its grant passes `authorize` with the owner's present scope.
 * @module
 */
import type { WireRequest } from "daypass";
import { isClaimKey } from "../../links/identifiers.ts";
import { kindOfLink } from "../../links/link-kinds.ts";
import { LinkRefused, type Presented } from "../../links/open-link.ts";
import { placeBucket } from "../../links/route-target.ts";
import type { Permit } from "../../permit.ts";
import type { Refusal } from "../../pipeline/refusal.ts";
import { networkOf } from "../../pipeline/unverified-body-limit.ts";
import { hostsOf } from "../../upstream/route-table.ts";
import type { BodyVerifier, Protocol } from "../protocol.ts";
import { BROWSER_COOKIE, cookieOf, VISIT_COOKIE } from "./cookies.ts";
import { type LinkForm, readLinkForm } from "./form.ts";
import type { LinkGrant, LinkProtocolOptions } from "./grant.ts";
import { isLinkTarget, LINK_BASE, readLinkPath, readQuery } from "./path.ts";
import { refuseLink } from "./refuse.ts";
import { linkTask } from "./task.ts";

/** Links on their own origin. */
export function linkProtocol(options: LinkProtocolOptions): Protocol<LinkGrant> {
  const { opener, hosts, scopesOf, sites } = options;
  const own = new Set(hosts);
  const siteOf = new Map(sites.flatMap((site) => hostsOf(site).map((host) => [host, site] as const)));
  const siteFor = ({ target, authority }: WireRequest): string | undefined =>
    target.startsWith(`${LINK_BASE}/l/`) ? siteOf.get(authority.toLowerCase()) : undefined;
  const detects = (request: WireRequest): boolean =>
    siteFor(request) !== undefined || (isLinkTarget(request.target) && own.has(request.authority.toLowerCase()));

  async function open(request: WireRequest, form?: LinkForm): Promise<LinkGrant> {
    const site = siteFor(request);
    const base = site === undefined ? "" : LINK_BASE;
    const address = readLinkPath(request.target.slice(base.length));
    const presented: Presented = {
      remoteAddress: request.remoteAddress,
      network: networkOf(request.remoteAddress ?? ""),
      password: form?.password ?? basicPassword(request),
      proof: form?.proof,
      browser: cookieOf(request, BROWSER_COOKIE),
      visit: cookieOf(request, VISIT_COOKIE),
      claimKey: form?.claim ?? claimKeyOf(request),
    };
    const opened =
      address.kind === "link"
        ? await opener.open(address.address, presented)
        : await opener.openDelivery(address.token, presented);
    const isForSite = opened.link.kind === "route" && opened.link.bucket === placeBucket(site ?? "");
    if (site !== undefined && !isForSite) throw new LinkRefused("unknown");
    const rest = address.kind === "link" ? address.rest : undefined;
    return {
      ...opened,
      site,
      scheme: "link",
      id: opened.variant.id,
      keyId: opened.link.owner,
      subject: opened.variant.name,
      methods: ["GET", "HEAD", "POST"],
      notBefore: new Date(opened.link.startsAt),
      expiresAt: new Date(opened.link.expiresAt),
      obligations: [],
      signedHeaders: [],
      target: request.target,
      limitBody: (body) => body,
      path: address.kind === "link" ? `${base}/l/${address.address}` : `/d/${address.token}`,
      rest,
      place: kindOfLink(opened.link).placeAt(opened.link, rest),
      form,
    };
  }

  const forms: BodyVerifier<LinkGrant> = {
    detects: (request) => request.method === "POST" && detects(request),
    async verify(request, body) {
      const form = await readLinkForm(request, body);
      if (form.claim !== undefined && !isClaimKey(form.claim)) throw new LinkRefused("unknown");
      return { grant: await open(request, form), body };
    },
  };

  return {
    dialect: "link",
    verifiers: [
      { detects: (request) => request.method !== "POST" && detects(request), verify: (request) => open(request) },
    ],
    bodyVerifiers: [forms],
    resource: ({ place }) => place,
    // A page's POST asks for no more than its GET.
    method: () => "GET",
    scopes: ({ link }) => scopesOf(link.owner),
    life: ({ link }) => (link.expiresAt - link.createdAt) / 1000,
    task: linkTask(options),
    attributed: withLink,
    refuse: refuseLink(options),
  };
}

/** A permitted request has opened its link, so its page may say what is known of it. */
function withLink(refusal: Refusal, { grant }: Permit<LinkGrant>): Refusal {
  if (!(refusal instanceof LinkRefused) || refusal.problem === "unknown") return refusal;
  return new LinkRefused(refusal.problem, refusal.retryAt, false, grant);
}

/** The claim key in the query; `undefined` if it is no key. */
function claimKeyOf({ target }: WireRequest): string | undefined {
  const key = readQuery(target).get("dl");
  return key !== null && isClaimKey(key) ? key : undefined;
}

/** `Authorization: Basic`, for scripts. The user name means nothing. */
function basicPassword({ headers, target }: WireRequest): string | undefined {
  if (!/^(?:\/-\/daypass)?\/l\//.test(target)) return undefined;
  const value = headers.find(([name]) => name.toLowerCase() === "authorization")?.[1];
  const [, encoded] = /^basic ([A-Za-z0-9+/=]{1,512})$/i.exec(value ?? "") ?? [];
  return encoded === undefined
    ? undefined
    : Buffer.from(encoded, "base64")
        .toString()
        .replace(/^[^:]*:/s, "");
}
