/**
 * Opens the address of a link or of a delivery: what it leads to, and whether its holder may go on. Knows neither HTTP nor SQL.
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Refusal } from "../pipeline/refusal.ts";
import type { AuditEntry } from "../state/contract/audit.ts";
import {
  closedReason,
  type Delivery,
  type DeliveryRefusal,
  isLive,
  type Millis,
} from "../state/contract/deliveries.ts";
import type { FoundLink, State, Variant } from "../state/contract/state.ts";
import { isAllowedFrom } from "./create-link.ts";
import { deliveryToken, hashOf, isId, isSlug } from "./identifiers.ts";
import type { Passwords } from "./password.ts";

/** Why a link does not open. */
export type LinkProblem = DeliveryRefusal | "network" | "password" | "wrong-password" | "too-many" | "away";

/** A link does not open. */
export class LinkRefused extends Refusal {
  readonly problem: LinkProblem;
  /** When to try again. */
  readonly retryAt: Millis | undefined;

  constructor(problem: LinkProblem, retryAt?: Millis) {
    super("LINK_CLOSED", `the link does not open: ${problem}`, { problem });
    this.problem = problem;
    this.retryAt = retryAt;
  }
}

/** What the holder of a link presents. */
export interface Presented {
  /** The network of the client: an IPv4 address, or the /64 of an IPv6 address. */
  readonly network: string;
  readonly remoteAddress: string | undefined;
  readonly password?: string | undefined;
  /** What {@link LinkOpener.proofOf} returned after the password was right. */
  readonly proof?: string | undefined;
  /** The token of a delivery that this browser took, from its cookie. */
  readonly visit?: string | undefined;
  /** The claim key of a program: a delivery that it began may go on after the link expired. */
  readonly claimKey?: string | undefined;
}

/** A link that its holder may open. */
export interface OpenedLink extends FoundLink {
  /** The delivery, if the address or the cookie named one. */
  readonly delivery: Delivery | undefined;
  /** The token of that delivery. */
  readonly token: string | undefined;
  /** Whether opening needs a claim: the link is counted, or it asked for a password. */
  readonly isCounted: boolean;
}

/** Opens links. */
export interface LinkOpener {
  /** By the id of a variant, or by slug. Does not check the scope of the owner. Rejects with a `Refusal` that says why. */
  open(address: string, presented: Presented): Promise<OpenedLink>;
  /** By the token of a delivery. Does not check that the delivery may go on. Rejects with a `Refusal` that says why. */
  openDelivery(token: string, presented: Presented): Promise<OpenedLink>;
  /** Puts on record, or announces, what no claim decides: a page that was shown, bytes of a link that counts nothing. Lazy. */
  note(link: string, entry: Pick<AuditEntry, "action" | "address" | "bytes" | "target" | "recipient" | "result">): void;
  /** Proves for ten minutes that the password was right, so that the next form need not ask again. */
  proofOf(variant: string): string;
}

/** What {@link linkOpener} works with. */
export interface OpenerOptions {
  readonly state: State;
  /** The secret of all processes of this state. */
  readonly stateKey: Uint8Array;
  readonly passwords: Passwords;
  readonly clock: () => Date;
}

/** Wrong passwords from one network in {@link FAILURE_WINDOW}; and look-ups of slugs that do not exist. */
const FAILURES_PER_NETWORK = 10;
const FAILURE_WINDOW: Millis = 10 * 60_000;
/** After this many wrong passwords for one link, each further attempt waits. A link is never locked. */
const FREE_ATTEMPTS = 10;
const MAX_DELAY: Millis = 30_000;
const PROOF_LIFETIME: Millis = 10 * 60_000;

/** Whether every delivery was started. A claim that was not started may still lapse and come back. */
export function isUsedUp({ max, givenBack, started }: Variant): boolean {
  return max !== undefined && started >= max + givenBack;
}

/** Opens the links of a state. */
export function linkOpener({ state, stateKey, passwords, clock }: OpenerOptions): LinkOpener {
  async function expectAttempts(network: string, link: string): Promise<void> {
    const { byAddress, byLink, lastByLink } = await state.failures({
      address: network,
      link,
      windowMs: FAILURE_WINDOW,
    });
    if (byAddress >= FAILURES_PER_NETWORK) throw new LinkRefused("too-many", clock().getTime() + FAILURE_WINDOW);
    const delay = byLink < FREE_ATTEMPTS ? 0 : Math.min(MAX_DELAY, 1000 * 2 ** (byLink - FREE_ATTEMPTS));
    const next = (lastByLink ?? 0) + delay;
    if (delay > 0 && clock().getTime() < next) throw new LinkRefused("too-many", next);
  }

  function signature(variant: string, until: string): Buffer {
    return createHmac("sha256", stateKey).update(`proof\n${variant}\n${until}`).digest();
  }

  function isProved(variant: string, proof: string | undefined): boolean {
    const [until = "", mac = ""] = proof?.split(".") ?? [];
    if (!/^\d{1,15}$/.test(until) || Number(until) <= clock().getTime()) return false;
    const given = Buffer.from(mac, "base64url");
    const expected = signature(variant, until);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  async function expectPassword({ link, variant }: FoundLink, presented: Presented): Promise<void> {
    if (link.password === undefined || isProved(variant.id, presented.proof)) return;
    if (presented.password === undefined) throw new LinkRefused("password");
    // Limits come before the hash, which costs most.
    await expectAttempts(presented.network, link.id);
    const matches = await passwords.matches(presented.password, link.password, {
      link: link.id,
      client: presented.network,
    });
    if (matches === undefined) throw new LinkRefused("too-many", clock().getTime() + 1000);
    if (matches) return;
    await state.recordFailure({ address: presented.network, link: link.id, windowMs: FAILURE_WINDOW });
    throw new LinkRefused("wrong-password");
  }

  /** A delivery that may go on, if its token belongs to this link. */
  async function visitOf(variant: string, token: string | undefined): Promise<Delivery | undefined> {
    const found = token === undefined ? undefined : await state.findDelivery(hashOf(token));
    return found?.variant.id === variant && isLive(found.delivery, clock().getTime()) ? found.delivery : undefined;
  }

  /** Whether a delivery began before the link expired or was used up. Its lease decides how long it may go on. */
  async function goesOn({ variant }: FoundLink, { claimKey }: Presented): Promise<boolean> {
    if (claimKey === undefined) return false;
    return (await visitOf(variant.id, deliveryToken(stateKey, variant.id, claimKey))) !== undefined;
  }

  /** A slug that does not open counts as a guess, for every reason alike. */
  async function unknownSlug(network: string): Promise<LinkRefused> {
    await state.recordFailure({ address: network, link: "", windowMs: FAILURE_WINDOW });
    return new LinkRefused("unknown");
  }

  const note: LinkOpener["note"] = (link, entry) => {
    state.record({ by: "holder", link, ...entry }).catch(() => undefined);
  };

  /** The refusal of a known link, which goes on record. */
  function refusedLink(
    { link, variant }: FoundLink,
    problem: DeliveryRefusal | "network",
    address: string,
  ): LinkRefused {
    note(link.id, { action: "link.opened", result: problem, recipient: variant.name, address });
    return new LinkRefused(problem, problem === "not-yet" ? link.startsAt : undefined);
  }

  return {
    note,
    async open(address, presented) {
      const bySlug = isSlug(address);
      if (!bySlug && !isId(address)) throw new LinkRefused("unknown");
      if (bySlug) await expectAttempts(presented.network, "");
      const found = await state.findLink(address);
      if (found === undefined) throw bySlug ? await unknownSlug(presented.network) : new LinkRefused("unknown");
      const { link, variant } = found;
      // A slug can be guessed, so it shows no reason before the password is right.
      const hidden = bySlug && link.password !== undefined;
      const isInside = isAllowedFrom(link.networks, presented.remoteAddress);
      if (!isInside)
        throw bySlug ? await unknownSlug(presented.network) : refusedLink(found, "network", presented.network);
      const delivery = await visitOf(variant.id, presented.visit);
      if (delivery === undefined) await expectPassword(found, presented);
      const closed = closedReason(link, clock().getTime());
      const runs = closed === "expired" && (delivery !== undefined || (await goesOn(found, presented)));
      if (closed !== undefined && !runs) {
        if (bySlug && !hidden) throw await unknownSlug(presented.network);
        throw refusedLink(found, closed, presented.network);
      }
      if (bySlug && !hidden && isUsedUp(variant) && delivery === undefined && !(await goesOn(found, presented)))
        throw await unknownSlug(presented.network);
      const isCounted = variant.max !== undefined || variant.maxBytes !== undefined || link.password !== undefined;
      return { ...found, delivery, token: delivery === undefined ? undefined : presented.visit, isCounted };
    },
    async openDelivery(token, { remoteAddress }) {
      const found = await state.findDelivery(hashOf(token));
      if (found === undefined) throw new LinkRefused("unknown");
      if (!isAllowedFrom(found.link.networks, remoteAddress)) throw new LinkRefused("network");
      return { ...found, token, isCounted: true };
    },
    proofOf(variant) {
      const until = String(clock().getTime() + PROOF_LIFETIME);
      return `${until}.${signature(variant, until).toString("base64url")}`;
    },
  };
}
