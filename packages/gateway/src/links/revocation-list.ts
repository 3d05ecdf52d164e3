/** The revocations in force, in memory: what a stateless URL is checked against without touching the state. */
import type { Millis } from "../state/contract/deliveries.ts";
import type { Revocation, RevocationSelector } from "../state/contract/state.ts";

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
  /** When it was signed, if the scheme signs a date. */
  readonly signedAt?: Millis | undefined;
}

/** Answers whether a grant is revoked. */
export interface RevocationList {
  /** The highest revision that was applied. */
  readonly revision: number;
  /** Whether nothing is revoked: then a request need not be described. */
  readonly isEmpty: boolean;
  /** Adds and lifts, in the order of their revisions. */
  apply(changes: readonly Revocation[]): void;
  /** Every revocation in force; empty if there is none. */
  all(): readonly Revocation[];
  /** The revocation that refuses a grant. */
  find(grant: Revocable): Revocation | undefined;
}

/** An empty list. */
export function revocationList(): RevocationList {
  // By the text of a selector, so that each look-up is one step. Prefixes are few, and compared one by one.
  const inForce = new Map<string, Revocation>();
  const prefixes = new Map<string, Revocation>();
  let revision = 0;
  return {
    get revision() {
      return revision;
    },
    get isEmpty() {
      return inForce.size === 0 && prefixes.size === 0;
    },
    apply(changes) {
      for (const change of changes) {
        revision = Math.max(revision, change.revision);
        const table = change.selector.kind === "prefix" ? prefixes : inForce;
        const name = nameOf(change.selector);
        if (change.liftedAt === undefined) table.set(name, change);
        else table.delete(name);
      }
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
      const resource = grant.key === undefined ? grant.bucket : `${grant.bucket}/${grant.key}`;
      for (const revocation of prefixes.values()) if (resource.startsWith(revocation.selector.id)) return revocation;
      return undefined;
    },
  };
}

function nameOf(selector: RevocationSelector): string {
  const { kind, id } = selector;
  // A token revokes its own links only, so its name is the owner of the link.
  return kind === "link" && selector.by !== undefined ? `link ${id} ${selector.by}` : `${kind} ${id}`;
}
