/** What a visit may open after its link was edited. */
import type { Clock } from "daypass";
import { closedReason, type Millis } from "../state/contract/deliveries.ts";
import type { Link, LinkChange } from "../state/contract/fields.ts";
import type { RevocationSelector } from "../state/contract/revocations.ts";
import type { State } from "../state/contract/state.ts";
import { LinkRefused } from "./open-link.ts";
import type { RevocationList } from "./revocation-list.ts";
import type { Visit } from "./visit.ts";

/** A visit with the settings of its cookie, or with the settings of the state if its link was edited since then. @throws {LinkRefused} */
export type CurrentVisit = (visit: Visit) => Visit | Promise<Visit>;

/** The settings of a link that a visit holds. */
const SEALED = ["password", "networks", "maxBytes", "startsAt", "expiresAt"] as const;
/** The rule comes before the edit, and must cover every visit that began until the edit was stored. */
const MARGIN: Millis = 10_000;
/** A visit is sealed for an hour. */
const LIFETIME: Millis = 60 * 60_000 + MARGIN;

/** The rule that makes visits of a link obey an edit; `undefined` if they hold nothing that it changes. */
export function ruleOfEdit(
  link: Link,
  change: LinkChange,
  now: Millis,
): { readonly selector: RevocationSelector; readonly until: Millis } | undefined {
  const isChanged = (name: (typeof SEALED)[number]): boolean =>
    change[name] !== undefined && JSON.stringify(change[name] ?? undefined) !== JSON.stringify(link[name]);
  if (!SEALED.some(isChanged)) return undefined;
  const before = now + MARGIN;
  return { selector: { kind: "visits-before", id: link.id, before }, until: before + LIFETIME };
}

/** Reads the visits that a rule names from the state. */
export function currentVisits(
  { state, revocations }: { readonly state: State; readonly revocations: RevocationList },
  clock: Clock,
): CurrentVisit {
  async function read(visit: Visit): Promise<Visit> {
    const found = visit.token === undefined ? undefined : await state.findDelivery(visit.token);
    if (found === undefined) throw new LinkRefused("unknown");
    const { link, variant, delivery } = found;
    const closed = closedReason(link, clock().getTime());
    if (closed !== undefined) throw new LinkRefused(closed);
    if (delivery.claimedAt <= (link.passwordAt ?? 0)) throw new LinkRefused("password");
    const charged = variant.maxBytes === undefined ? undefined : visit.token;
    return { ...visit, networks: link.networks, startsAt: link.startsAt, charged };
  }

  return (visit) => (visit.sealedAt < (revocations.visitsBefore(visit.link) ?? 0) ? read(visit) : visit);
}
