import {
  type ErrorCode,
  isDaypassError,
  type ObligationKind,
  type SignedRequest,
  type WireRequest,
} from "../../src/index.ts";
import {
  type UrlGrant,
  type UrlKey,
  type UrlSignRequest,
  type UrlVerifierOptions,
  urlSigner,
  urlVerifier,
} from "../../src/schemes/url/index.ts";
import { wireRequest } from "../wire-request.ts";

export const AT: Date = new Date("2026-01-02T03:04:05Z");
export const ORIGIN = "https://api.example.com";
export const KEY = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const ENFORCES: readonly ObligationKind[] = ["body-length", "body-sha256", "create-only", "uses", "response", "strip"];

/** Signs one URL of {@link ORIGIN}, valid for 900 s from {@link AT} unless the request says otherwise. */
export function sign(request: Partial<UrlSignRequest> & { readonly url?: string } = {}): SignedRequest {
  const life = request.expiresAt === undefined ? { expiresIn: 900 } : {};
  return urlSigner({ key: KEY, clock: () => AT }).sign({ url: `${ORIGIN}/invoices/7.pdf`, ...life, ...request });
}

/** The request that a holder sends, with changes. */
export function request(link: SignedRequest, change: Partial<WireRequest> = {}): WireRequest {
  return { ...wireRequest(link), ...change };
}

export interface VerifyOptions extends Partial<UrlVerifierOptions> {
  readonly subject?: string;
  readonly keys?: readonly UrlKey[];
}

export function verify(received: WireRequest, { subject, ...options }: VerifyOptions = {}): Promise<UrlGrant> {
  const verifier = urlVerifier({ keys: [KEY], origins: [ORIGIN], enforces: ENFORCES, clock: () => AT, ...options });
  return verifier.verify(received, { subject });
}

/** The code of the refusal, or the grant. Whatever else is thrown stays thrown. */
export async function outcome(received: WireRequest, options: VerifyOptions = {}): Promise<UrlGrant | ErrorCode> {
  try {
    return await verify(received, options);
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return error.code;
  }
}

/** The code that a call throws, or `undefined`. */
export function codeOf(call: () => unknown): ErrorCode | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!isDaypassError(error)) throw error;
    return error.code;
  }
}
