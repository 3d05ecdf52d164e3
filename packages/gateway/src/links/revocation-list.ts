/** The revocations in force, in memory: what a stateless URL is checked against without touching the state. */
import type { Millis } from "../state/contract/deliveries.ts";
import type { Revocation, RevocationSelector } from "../state/contract/revocations.ts";

/** What a revocation may match. */
export interface Revocable {
  /** The grant's id, never its signature. */
  readonly id: string;
  /** The key, or the owner of the link: `key:<id>`, `operator` or `token:<id>`. */
  readonly keyId?: string | undefined;
  readonly subject?: string | undefined;
  /** The link behind the grant. */
  readonly link?: string | undefined;
  readonly bucket: string;
  readonly key?: string | undefined;
  /** The beginning of the keys, for a listing or a zip. */
  readonly prefix?: string | undefined;
  /** When it was signed, if the scheme signs a date. */
  readonly signedAt?: Millis | undefined;
}

/** Answers whether a grant is revoked. */
export interface RevocationList {
  /** The highest revision that was applied. */
  readonly revision: number;
  /** Whether nothing is revoked: then a request need not be described. */
  readonly isEmpty: boolean;
  /** Adds and lifts, in the order of their revisions. Returns the revocations that the list did not contain. */
  apply(changes: readonly Revocation[]): readonly Revocation[];
  /** Every revocation in force; empty if there is none. */
  all(): readonly Revocation[];
  /** The revocation that refuses a grant. */
  find(grant: Revocable): Revocation | undefined;
  /** Visits of a link that were sealed before this instant are read from the state. */
  visitsBefore(link: string): Millis | undefined;
  /** The revoked prefix that contains `bucket/key`, or everything below `bucket/prefix`. */
  findPrefix(resource: string): string | undefined;
}

/** An empty list. */
export function revocationList(): RevocationList {
  // By the text of a selector, so that each look-up is one step. Prefixes are few, and compared one by one.
  const inForce = new Map<string, Revocation>();
  const prefixes = new Map<string, Revocation>();
  let revision = 0;
  const prefixOf = (resource: string): Revocation | undefined => {
    if (prefixes.size === 0) return undefined;
    const text = oneSpelling(resource);
    for (const one of prefixes.values()) if (text.startsWith(oneSpelling(one.selector.id))) return one;
    return undefined;
  };
  return {
    get revision() {
      return revision;
    },
    get isEmpty() {
      return inForce.size === 0 && prefixes.size === 0;
    },
    apply(changes) {
      const added: Revocation[] = [];
      for (const change of changes) {
        revision = Math.max(revision, change.revision);
        const table = change.selector.kind === "prefix" ? prefixes : inForce;
        const name = nameOf(change.selector);
        if (change.liftedAt === undefined && table.get(name)?.id !== change.id) added.push(change);
        if (change.liftedAt === undefined) table.set(name, change);
        else table.delete(name);
      }
      return added;
    },
    all: () => [...inForce.values(), ...prefixes.values()],
    find(grant) {
      const { id, keyId, subject, link, signedAt } = grant;
      const found =
        inForce.get(`grant ${id}`) ??
        (link === undefined ? undefined : (inForce.get(`link ${link}`) ?? inForce.get(`link ${link} ${keyId}`))) ??
        (subject === undefined ? undefined : inForce.get(`subject ${subject}`)) ??
        (keyId === undefined ? undefined : inForce.get(`key ${keyId}`)) ??
        (link === undefined ? undefined : inForce.get(`key ${keyId?.replace(/^key:/, "")}`));
      if (found !== undefined) return found;
      const before = keyId === undefined || signedAt === undefined ? undefined : inForce.get(`signed-before ${keyId}`);
      if (before?.selector.kind === "signed-before" && Number(signedAt) < before.selector.before) return before;
      const within = grant.key ?? grant.prefix;
      return prefixOf(within === undefined ? grant.bucket : `${grant.bucket}/${within}`);
    },
    visitsBefore(link) {
      const rule = inForce.get(`visits-before ${link}`);
      return rule?.selector.kind === "visits-before" ? rule.selector.before : undefined;
    },
    findPrefix: (resource) => prefixOf(resource)?.selector.id,
  };
}

/** Whether a revocation refuses a part of a listing or a zip. */
export function isPartOf({ selector }: Revocation, { bucket, prefix }: Revocable): boolean {
  return prefix !== undefined && selector.kind === "prefix" && selector.id.startsWith(`${bucket}/${prefix}`);
}

/** On a route, `(` and `%28` are the same character to the upstream. Keys of objects are compared as they are. */
function oneSpelling(resource: string): string {
  if (!resource.startsWith("route:")) return resource;
  try {
    return decodeURIComponent(resource);
  } catch {
    return resource;
  }
}

function nameOf(selector: RevocationSelector): string {
  const { kind, id } = selector;
  // A token revokes its own links only, so its name is the owner of the link.
  return kind === "link" && selector.by !== undefined ? `link ${id} ${selector.by}` : `${kind} ${id}`;
}
