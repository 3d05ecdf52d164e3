/** Makes a link out of what its owner asks for. */
import { BlockList, isIP } from "node:net";
import { DaypassError } from "daypass";
import { isHeaderValue } from "../http/content-headers.ts";
import type { AskedFields, Link, LinkTarget } from "../state/contract/fields.ts";
import type { FoundLink, State, Variant } from "../state/contract/state.ts";
import type { ObjectInfo } from "../storage/contract/storage.ts";
import { isSlug, randomId } from "./identifiers.ts";
import { isPrefix } from "./link-kinds.ts";
import type { Passwords } from "./password.ts";
import { hasSetName } from "./set-names.ts";

/** Seconds of the default lifetime. */
export const DEFAULT_LIFETIME: number = 7 * 24 * 60 * 60;
const MAX_RECIPIENTS = 100;
const MAX_TEXT = 1000;
const MAX_TARGETS = 100;

/** What an owner may ask for. Absent: no limit, or a default. */
export interface LinkRequest extends AskedFields {
  readonly bucket: string;
  /** A key, or a prefix that ends with `/` or is empty. */
  readonly key: string;
  readonly kind: "object" | "prefix" | "set" | "route";
  /** Keys and prefixes of a set, in the order of their names; absent for the other kinds. */
  readonly targets?: readonly string[] | undefined;
  /** Names of people. Each gets their own address. */
  readonly recipients?: readonly string[] | undefined;
  readonly owner: string;
  readonly idempotencyKey?: string | undefined;
  /** Stored with the link, so that a repeated idempotency key shows whether it repeats the request. */
  readonly fingerprint?: string | undefined;
}

/** What {@link createLink} works with. */
export interface LinkTools {
  readonly state: State;
  readonly passwords: Passwords;
  readonly clock: () => Date;
  /** Whether the gateway is configured to hand over. Absent: it is not. */
  readonly handsOver?: (() => boolean) | undefined;
  /** The object that is linked; `undefined` if it does not exist. */
  readonly head: (bucket: string, key: string) => Promise<ObjectInfo | undefined>;
}

/**
 * Creates a link with one variant for each recipient, or one for all.
 * @throws {DaypassError} `INVALID_INPUT`
 */
export async function createLink(
  request: LinkRequest,
  { state, passwords, clock, head, handsOver }: LinkTools,
): Promise<FoundLink & { readonly variants: readonly Variant[]; readonly isNew: boolean }> {
  const now = clock().getTime();
  checkRequest(request, now);
  if (request.handOver === true && handsOver?.() !== true) {
    throw invalid("This gateway hands nothing over. Set links.handOver in its configuration, or leave out handOver.");
  }
  const pins = await pinsOf(request, head);
  const id = randomId();
  const { recipients = [], idempotencyKey, ...asked } = request;
  const { maxDeliveries: max, maxBytes, password } = asked;
  const link: Link = {
    ...asked,
    id,
    public: request.public ?? false,
    etag: pins.etag,
    size: pins.size,
    targets: pins.targets,
    createdAt: now,
    version: 1,
    startsAt: request.startsAt?.getTime() ?? now,
    expiresAt: request.expiresAt?.getTime() ?? now + DEFAULT_LIFETIME * 1000,
    password: password === undefined ? undefined : await passwords.hash(password, request.owner),
    networks: request.networks ?? [],
    preview: request.preview ?? true,
    follow: request.follow ?? false,
    hidden: request.hidden === true ? true : undefined,
    showSender: request.showSender === true ? true : undefined,
    handOver: request.handOver === true ? true : undefined,
    revokedAt: undefined,
    suspended: undefined,
  };
  const counters = { link: id, max, maxBytes, used: 0, givenBack: 0, held: 0, started: 0, completed: 0 };
  // With recipients, the link's own id opens nothing: each use must show whose address it was.
  const variants: Variant[] =
    recipients.length === 0 ? [{ id, ...counters }] : recipients.map((name) => ({ id: randomId(), name, ...counters }));
  const found = await state.createLink(link, variants, idempotencyKey);
  const stored = await state.getLink(found.link.id);
  return { ...found, variants: stored?.variants ?? variants, isNew: found.link.id === id };
}

/** Pins the objects of a new link. @throws {DaypassError} `INVALID_INPUT` if one does not exist */
async function pinsOf(
  { kind, bucket, key, targets, follow }: LinkRequest,
  head: LinkTools["head"],
): Promise<Pick<Link, "etag" | "size" | "targets">> {
  const pin = async (one: string): Promise<LinkTarget> => {
    const object = await head(bucket, one);
    if (object === undefined) throw invalid(`${bucket}/${one} does not exist. Upload it first, or correct the target.`);
    return follow === true ? { key: one } : { key: one, etag: object.etag, size: object.size };
  };
  if (kind === "object") {
    const { etag, size } = await pin(key);
    return { etag, size };
  }
  if (kind !== "set") return {};
  const keys = targets ?? [];
  checkTargets(bucket, keys);
  return { targets: await Promise.all(keys.map((one) => (isPrefix(one) ? { key: one } : pin(one)))) };
}

function checkTargets(bucket: string, keys: readonly string[]): void {
  if (keys.length === 0 || keys.length > MAX_TARGETS) {
    throw invalid(`targets has ${keys.length} entries. Send 1 to ${MAX_TARGETS}.`);
  }
  const repeated = keys.find((key, at) => keys.indexOf(key) < at);
  if (repeated !== undefined) throw invalid(`targets has ${bucket}/${repeated} twice. Name it once.`);
  const unnamed = keys.find((key) => !hasSetName(bucket, key));
  if (unnamed !== undefined) {
    throw invalid(
      `targets: the last name of ${JSON.stringify(`${bucket}/${unnamed}`)} cannot be in an address. Rename it.`,
    );
  }
}

/** @throws {DaypassError} `INVALID_INPUT` */
export function checkRequest(request: LinkRequest, now: number): void {
  const { startsAt, expiresAt, maxDeliveries, maxBytes, recipients, slug, networks = [], label, note } = request;
  for (const [name, instant] of Object.entries({ startsAt, expiresAt })) {
    if (instant !== undefined && Number.isNaN(instant.getTime())) throw invalid(`${name} is not a valid date.`);
  }
  const end = expiresAt?.getTime() ?? now + DEFAULT_LIFETIME * 1000;
  if (end <= now) throw invalid("expiresAt is in the past. Choose a later time.");
  if (startsAt !== undefined && startsAt.getTime() >= end) throw invalid("startsAt is not before expiresAt.");
  for (const [name, count] of Object.entries({ maxDeliveries, maxBytes })) {
    if (count !== undefined && !(Number.isSafeInteger(count) && count > 0)) {
      throw invalid(`${name} is ${count}. Use a whole number above 0, or leave it out for no limit.`);
    }
  }
  for (const [name, text] of Object.entries({ label, note })) {
    if (text !== undefined && text.length > MAX_TEXT) throw invalid(`${name} has more than ${MAX_TEXT} characters.`);
  }
  for (const [name, value] of Object.entries(request.response ?? {})) {
    if (value !== undefined && !isHeaderValue(value)) {
      throw invalid(`response.${name} has a line break or another character that no header can have. Remove it.`);
    }
  }
  if (
    recipients !== undefined &&
    (recipients.length > MAX_RECIPIENTS || new Set(recipients).size < recipients.length)
  ) {
    throw invalid(`recipients must be different names, at most ${MAX_RECIPIENTS}.`);
  }
  if (request.handOver === true && maxBytes !== undefined) {
    throw invalid("maxBytes cannot be counted for a link that hands over. Leave out one of them.");
  }
  if (slug !== undefined) checkSlug(request, slug);
  for (const network of networks)
    if (!isNetwork(network)) throw invalid(`${network} is not a network such as 192.0.2.0/24.`);
}

function checkSlug({ recipients = [], password, public: isPublic }: LinkRequest, slug: string): void {
  if (!isSlug(slug)) throw invalid(`${slug} is not a slug. Use 3 to 64 lower-case letters, digits and hyphens.`);
  if (recipients.length > 0) throw invalid("A link with recipients has one address for each of them. Leave out slug.");
  if (password === undefined && isPublic !== true) {
    throw invalid("A slug can be guessed. Add a password, or say that the link is public.");
  }
}

function isNetwork(text: string): boolean {
  const [address = "", bits, more] = text.split("/");
  const family = isIP(address);
  const limit = family === 4 ? 32 : 128;
  return (
    family !== 0 && more === undefined && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= limit))
  );
}

/** Whether an address is in one of the networks. An unknown address is in none. */
export function isAllowedFrom(networks: readonly string[], address: string | undefined): boolean {
  if (networks.length === 0) return true;
  const plain = address?.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "") ?? "";
  const family = isIP(plain);
  if (family === 0) return false;
  const allowed = new BlockList();
  for (const network of networks) {
    const [base = "", bits] = network.split("/");
    const type = isIP(base) === 4 ? "ipv4" : "ipv6";
    if (bits === undefined) allowed.addAddress(base, type);
    else allowed.addSubnet(base, Number(bits), type);
  }
  return allowed.check(plain, family === 4 ? "ipv4" : "ipv6");
}

function invalid(text: string): DaypassError {
  return new DaypassError("INVALID_INPUT", text);
}
