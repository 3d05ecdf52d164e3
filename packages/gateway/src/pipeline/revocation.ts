/** Revocations: a grant that was valid is refused, and its running transfers are cut. */
import type { Grant } from "daypass";
import type { Links } from "../links/links.ts";
import type { Revocable } from "../links/revocation-list.ts";
import type { Permit } from "../permit.ts";
import type { Outcome } from "./outcome.ts";
import { Refusal } from "./refusal.ts";

type Known = Grant & { readonly subject?: string; readonly link?: { readonly id: string } };

function revocable({ grant, bucket, object, prefix, parts, signedAt }: Permit): Revocable {
  const { id, keyId, subject, link } = grant as Known;
  return { id, keyId, subject, link: link?.id, bucket, key: object?.key, prefix, parts, signedAt };
}

/** @throws {Refusal} `REVOKED`, or `UNAVAILABLE` if the state was away for too long */
export function expectNotRevoked(permit: Permit, links: Links): void {
  if (links.isStale()) throw new Refusal("UNAVAILABLE", "the list of revocations is too old to serve by");
  const { revocations } = links;
  if (revocations.isEmpty) return;
  if (revocations.isRevoked(revocable(permit))) throw new Refusal("REVOKED", "the grant was revoked");
}

/** Checks a further resource of a permitted request: the revocation of a prefix applies to it, too. @throws {Refusal} `REVOKED` */
export function expectInForce({ findRevoked }: Pick<Permit, "findRevoked">, bucket: string, text: string): void {
  if (findRevoked?.(`${bucket}/${text}`) !== undefined)
    throw new Refusal("REVOKED", `the prefix of ${bucket}/${text} was revoked`);
}

/** Registers a response that takes a while, so that a revocation can cut it. Small ones are in the socket at once. */
export function cutByRevocation(outcome: Outcome, permit: Permit, links: Links): Outcome {
  const { body, onRunning } = outcome;
  if (body?.kind !== "file" && body?.kind !== "stream" && outcome.tunnel === undefined) return outcome;
  return Object.assign(outcome, {
    onRunning(cut: () => void): () => void {
      const others = onRunning?.(cut);
      const ended = links.running(revocable(permit), cut);
      return () => {
        ended();
        others?.();
      };
    },
  });
}
