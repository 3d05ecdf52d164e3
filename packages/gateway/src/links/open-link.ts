/**
 * Opens the address of a link or of a delivery: what it leads to, and whether its holder may continue. Knows neither HTTP nor SQL.
 * @module
 */
import { createHmac } from "node:crypto";
import { Refusal } from "../pipeline/refusal.ts";
import type { AuditEntry } from "../state/contract/audit.ts";
import {
  closedReason,
  type Delivery,
  type DeliveryRefusal,
  isLive,
  type Millis,
} from "../state/contract/deliveries.ts";
import type { FoundLink, Variant } from "../state/contract/state.ts";
import { type Attempt, type AttemptOptions, attemptsOf } from "./attempts.ts";
import { isAllowedFrom } from "./create-link.ts";
import { deliveryToken, hashOf, isId, isSlug } from "./identifiers.ts";
import type { Passwords } from "./password.ts";
import { type Proved, proofsOf } from "./proofs.ts";

/** Why a link does not open. */
export type LinkProblem = DeliveryRefusal | "network" | "password" | "wrong-password" | "too-many" | "away";

/** A link does not open. */
export class LinkRefused extends Refusal {
  readonly problem: LinkProblem;
  /** When to try again. */
  readonly retryAt: Millis | undefined;
  /** Whether the page that asks for a proof may name the sender. */
  readonly showsSender: boolean;
  /** The link, if its holder may know it. */
  readonly found: FoundLink | undefined;

  constructor(problem: LinkProblem, retryAt?: Millis, showsSender = false, found?: FoundLink) {
    super("LINK_CLOSED", `the link does not open: ${problem}`, { problem });
    this.problem = problem;
    this.retryAt = retryAt;
    this.showsSender = showsSender;
    this.found = found;
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
  /** From the cookie of a browser that gave the password before. */
  readonly browser?: string | undefined;
  /** The token of a delivery that this browser took, from its cookie. */
  readonly visit?: string | undefined;
  /** The claim key of a program: a delivery that it began may continue after the link expired. */
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
  /** The cookie of a new browser that gave the password. */
  readonly browser?: string | undefined;
}

/** Opens links. */
export interface LinkOpener {
  /** By the id of a variant, or by slug. Does not check the scope of the owner. Rejects with a `Refusal` that says why. */
  open(address: string, presented: Presented): Promise<OpenedLink>;
  /** By the token of a delivery. Does not check that the delivery may continue. Rejects with a `Refusal` that says why. */
  openDelivery(token: string, presented: Presented): Promise<OpenedLink>;
  /** Records or announces what no claim decides: a page that was shown, bytes of a link that counts nothing. Lazy. */
  note(
    link: string | undefined,
    entry: Pick<AuditEntry, "action" | "address" | "bytes" | "target" | "recipient" | "result">,
  ): void;
  /** Proves for ten minutes that the password was right, so that the next form need not ask again. */
  proofOf(found: FoundLink): string;
}

/** What {@link linkOpener} works with. */
export interface OpenerOptions extends AttemptOptions {
  /** The secret of all processes of this state. */
  readonly stateKey: Uint8Array;
  readonly passwords: Passwords;
}

/** A link that may have a password. */
interface Guarded extends Proved {
  readonly variant: Pick<Variant, "id" | "name">;
  /** Whether there is no link. */
  readonly isDecoy?: boolean;
}

/** The owner learns of a link whose password was wrong so often in ten minutes. */
const ANNOUNCED_FAILURES = 5;

/** Whether every delivery was started. A claim that was not started may still lapse and come back. */
export function isUsedUp({ max, givenBack, started }: Variant): boolean {
  return max !== undefined && started >= max + givenBack;
}

/** Opens the links of a state. */
export function linkOpener({ state, stateKey, passwords, clock, pause }: OpenerOptions): LinkOpener {
  const attempts = attemptsOf({ state, clock, pause });
  const proofs = proofsOf(stateKey, clock);
  function expectAttempt(attempt: Attempt | Millis): Attempt {
    if (typeof attempt === "number") throw new LinkRefused("too-many", attempt);
    return attempt;
  }

  /** Returns the cookie of a new browser that gave the password. */
  async function expectPassword(
    found: Guarded,
    presented: Presented,
    showsSender = false,
  ): Promise<string | undefined> {
    const { link, variant } = found;
    if (link.password === undefined || proofs.isForm(found, presented.proof)) return undefined;
    if (presented.password === undefined) throw new LinkRefused("password", undefined, showsSender);
    const { network } = presented;
    const browser = proofs.browserOf(found, presented.browser);
    // The attempt counts before its hash, which costs most.
    const attempt = expectAttempt(
      await (browser === undefined ? attempts.begin(network, link.id) : attempts.beginProved(browser)),
    );
    const turn =
      browser === undefined ? { link: link.id, client: network } : { link: `proved ${link.id}`, client: browser };
    const matches = await passwords.matches(presented.password, link.password, turn);
    if (matches === false) {
      const refusal = { address: network, recipient: variant.name, result: "wrong-password" };
      note(found.isDecoy ? undefined : link.id, { action: "link.opened", ...refusal });
      if (attempt.byLink >= ANNOUNCED_FAILURES && !found.isDecoy)
        note(link.id, { action: "proof.failed", ...refusal, result: "ok" });
      throw new LinkRefused("wrong-password", undefined, showsSender);
    }
    await attempt.forget();
    if (matches === undefined) throw new LinkRefused("too-many", clock().getTime() + 1000);
    return browser === undefined ? proofs.browser(found) : undefined;
  }

  /** A delivery that may continue, if its token belongs to this link. */
  async function visitOf(variant: string, token: string | undefined): Promise<Delivery | undefined> {
    const found = token === undefined ? undefined : await state.findDelivery(hashOf(token));
    return found?.variant.id === variant && isLive(found.delivery, clock().getTime()) ? found.delivery : undefined;
  }

  /** Whether a delivery began before the link expired or was used up. Its lease decides how long it may continue. */
  async function goesOn({ variant }: FoundLink, { claimKey }: Presented): Promise<boolean> {
    if (claimKey === undefined) return false;
    return (await visitOf(variant.id, deliveryToken(stateKey, variant.id, claimKey))) !== undefined;
  }

  /** Asks for the password of a link that does not exist, and finds every password wrong, at the cost of a real one. */
  async function refuseSlug(slug: string, presented: Presented): Promise<never> {
    const digest = createHmac("sha512", stateKey).update(`slug\n${slug}`).digest();
    const password = `scrypt$${digest.toString("base64url", 0, 16)}$${digest.toString("base64url", 16, 48)}`;
    const link = { id: `slug ${slug}`, password };
    await expectPassword({ link, variant: { id: slug, name: undefined }, isDecoy: true }, presented);
    throw new LinkRefused("wrong-password");
  }

  const note: LinkOpener["note"] = (link, entry) => {
    state.record({ by: "holder", link, ...entry }).catch(() => undefined);
  };

  /** The refusal of a known link, which is recorded. */
  function refusedLink(found: FoundLink, problem: DeliveryRefusal | "network", address: string): LinkRefused {
    const { link, variant } = found;
    note(link.id, { action: "link.opened", result: problem, recipient: variant.name, address });
    const opensAt = problem === "not-yet" ? link.startsAt : undefined;
    return new LinkRefused(problem, opensAt, false, problem === "network" ? undefined : found);
  }

  return {
    note,
    proofOf: proofs.form,
    async open(address, presented) {
      const { network } = presented;
      const bySlug = isSlug(address);
      if (!bySlug && !isId(address)) throw new LinkRefused("unknown");
      const found = await state.findLink(address);
      if (found === undefined) {
        if (bySlug) return refuseSlug(address, presented);
        throw new LinkRefused("unknown");
      }
      const { link, variant } = found;
      const isInside = isAllowedFrom(link.networks, presented.remoteAddress);
      // Outside the networks of a public link, its slug does not exist.
      if (!isInside && bySlug && link.password === undefined) return refuseSlug(address, presented);
      const delivery = await visitOf(variant.id, presented.visit);
      // A visit proves the password that the link had when the visit began.
      const isProved = delivery !== undefined && delivery.claimedAt > (link.passwordAt ?? 0);
      // Who guesses a slug would learn that there is a link.
      const showsSender = link.showSender === true && !bySlug;
      const browser = isProved ? undefined : await expectPassword(found, presented, showsSender);
      // Every reason comes after the password.
      if (!isInside) throw refusedLink(found, "network", network);
      const closed = closedReason(link, clock().getTime());
      const runs = closed === "expired" && (delivery !== undefined || (await goesOn(found, presented)));
      if (closed !== undefined && !runs) throw refusedLink(found, closed, network);
      const isCounted = variant.max !== undefined || variant.maxBytes !== undefined || link.password !== undefined;
      const token = delivery === undefined ? undefined : presented.visit;
      return { ...found, delivery, token, isCounted, browser };
    },
    async openDelivery(token, { remoteAddress }) {
      const found = await state.findDelivery(hashOf(token));
      if (found === undefined) throw new LinkRefused("unknown");
      if (!isAllowedFrom(found.link.networks, remoteAddress)) throw new LinkRefused("network");
      return { ...found, token, isCounted: true };
    },
  };
}
