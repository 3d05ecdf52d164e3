/** Changes a link as its owner asks. */
import type { Link, LinkChange, LinkEdit, LinkTarget } from "../state/contract/fields.ts";
import { checkRequest, type LinkRequest, type LinkTools } from "./create-link.ts";
import { isPrefix } from "./link-kinds.ts";

/**
 * The change behind an edit.
 * @throws {DaypassError} `INVALID_INPUT`
 */
export async function editLink(link: Link, edit: LinkEdit, tools: LinkTools): Promise<LinkChange> {
  const { startsAt, expiresAt, password, networks, preview, follow, ...others } = edit;
  const times = {
    startsAt: startsAt === null ? new Date(link.createdAt) : (startsAt ?? new Date(link.startsAt)),
    expiresAt: expiresAt ?? new Date(link.expiresAt),
  };
  // A link that has expired may still get another label.
  const now = expiresAt == null ? link.createdAt : tools.clock().getTime();
  const removed = Object.entries(edit).filter(([, value]) => value === null);
  const wanted = { ...link, ...edit, ...Object.fromEntries(removed.map(([name]) => [name, undefined])), ...times };
  checkRequest(wanted as LinkRequest, now);
  return {
    ...others,
    startsAt: times.startsAt.getTime(),
    expiresAt: times.expiresAt.getTime(),
    ...(password === undefined ? {} : await newPassword(password, link, tools)),
    ...(networks === undefined ? {} : { networks: networks ?? [] }),
    ...(preview === undefined ? {} : { preview: preview ?? true }),
    ...(follow == null || follow === link.follow ? {} : { follow, ...(await pinOf(link, follow, tools)) }),
  };
}

/** Proofs and visits that are older than the password end. */
async function newPassword(
  password: string | null,
  { owner }: Link,
  { passwords, clock }: LinkTools,
): Promise<LinkChange> {
  return { password: password && (await passwords.hash(password, owner)), passwordAt: clock().getTime() };
}

/** A link that begins to follow loses its pin. When it no longer follows, it pins the present object. */
async function pinOf({ kind, bucket, key, targets }: Link, follow: boolean, { head }: LinkTools): Promise<LinkChange> {
  const present = async (one: string) => (follow || isPrefix(one) ? undefined : await head(bucket, one));
  if (targets !== undefined) {
    const pin = async ({ key: one }: LinkTarget): Promise<LinkTarget> => {
      const object = await present(one);
      return { key: one, etag: object?.etag, size: object?.size };
    };
    return { targets: await Promise.all(targets.map(pin)) };
  }
  const object = kind === "object" ? await present(key) : undefined;
  return { etag: object?.etag ?? null, size: object?.size ?? null };
}
