/** Sends one notification, signed as Standard Webhooks describes it. */
import { createHmac } from "node:crypto";
import { type ClientRequest, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import type { Notification, SendOutcome } from "../state/contract/outbox.ts";
import { type TargetGuard, TargetRefused } from "./target.ts";

/** Milliseconds for one attempt, from the look-up of the name to the status. */
const TIMEOUT = 10_000;
const SECRET_PREFIX = "whsec_";

/** Milliseconds to wait after each failure, as Standard Webhooks recommends them. */
const BACKOFF: readonly number[] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].map((s) => s * 1000);

/**
 * The secret of a webhook: all processes of a state derive the same, and none stores it.
 *
 * @param stateKey the secret `links` of the state
 * @param webhook its id
 * @example
 * ```ts
 * import { webhookSecret } from "@daypass/gateway/notify";
 *
 * console.log(webhookSecret(new Uint8Array(32), "5dydZz2wBb1PmmEb6U7tsC")); // whsec_…
 * ```
 */
export function webhookSecret(stateKey: Uint8Array, webhook: string): string {
  return `${SECRET_PREFIX}${createHmac("sha256", stateKey).update(`webhook\n${webhook}`).digest("base64")}`;
}

/** The headers that sign a body. `at` is in milliseconds since 1970. */
export function signedHeaders(
  secret: string,
  { id, body, at }: { readonly id: string; readonly body: string; readonly at: number },
): Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string> {
  const timestamp = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), "base64");
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${mac}` };
}

/** What {@link sendNotification} works with. */
export interface SendOptions {
  readonly guard: TargetGuard;
  readonly secret: string;
  readonly clock: () => Date;
  /** 0 to 1: spreads retries. */
  readonly random: () => number;
}

/** Sends a notification once. Never rejects. */
export async function sendNotification(notification: Notification, options: SendOptions): Promise<SendOutcome> {
  try {
    const status = await post(notification, options);
    if (status >= 200 && status < 300) return { sent: true };
    const error = status >= 300 && status < 400 ? `status ${status}: redirects are not followed` : `status ${status}`;
    // 410 says that the receiver is gone for good.
    return { sent: false, error, retryInMs: status === 410 ? undefined : delay(notification, options) };
  } catch (error) {
    const { code, message, name } = error as NodeJS.ErrnoException;
    const text = error instanceof TargetRefused ? message : (code ?? name);
    return { sent: false, error: text, retryInMs: delay(notification, options) };
  }
}

/** `undefined` after the last attempt. */
function delay({ failures }: Notification, { random }: SendOptions): number | undefined {
  const wait = BACKOFF[failures];
  return wait === undefined ? undefined : Math.round(wait * (1 + random() / 4));
}

async function post(
  { url: text, message: id, body }: Notification,
  { guard, secret, clock }: SendOptions,
): Promise<number> {
  const signal = AbortSignal.timeout(TIMEOUT);
  const addresses = await guard.addressesOf(text);
  const url = new URL(text);
  const pinned: LookupFunction = (_name, { all }, done) => {
    const [first] = addresses;
    if (all === true) done(null, [...addresses]);
    else done(null, first?.address ?? "", first?.family);
  };
  const headers = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "user-agent": "Daypass",
    ...signedHeaders(secret, { id, body, at: clock().getTime() }),
  };
  const options = { method: "POST", headers, lookup: pinned, agent: false as const, signal };
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = url.protocol === "https:" ? requestHttps(url, options) : requestHttp(url, options);
    sent.on("error", reject);
    sent.on("response", (response) => {
      resolve(response.statusCode ?? 0);
      // Nothing of the body is read: the receiver must not fill the memory.
      response.destroy();
    });
    sent.end(body);
  });
}
