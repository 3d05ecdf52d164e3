/** What shows that its holder gave the password of a link. Both end when the password changes. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Millis } from "../state/contract/deliveries.ts";
import type { FoundLink } from "../state/contract/state.ts";

const PROOF_LIFETIME: Millis = 10 * 60_000;

/** What a proof is for. */
export interface Proved {
  readonly link: Pick<FoundLink["link"], "id" | "password">;
  readonly variant: Pick<FoundLink["variant"], "id">;
}

/** Makes and checks proofs. */
export interface Proofs {
  /** For ten minutes, so that the next form need not ask again. */
  form(found: Proved): string;
  isForm(found: Proved, proof: string | undefined): boolean;
  /** A new browser's. It does not replace the password. */
  browser(found: Proved): string;
  /** The name of a browser; `undefined` if the cookie proves nothing. */
  browserOf(found: Proved, cookie: string | undefined): string | undefined;
}

/** Proofs under a secret of the state. */
export function proofsOf(stateKey: Uint8Array, clock: () => Date): Proofs {
  type Kind = "proof" | "browser";
  function sign(kind: Kind, { link, variant }: Proved, value: string): string {
    const text = `${kind}\n${variant.id}\n${link.password}\n${value}`;
    return `${value}.${createHmac("sha256", stateKey).update(text).digest("base64url")}`;
  }

  /** The signed value. */
  function open(kind: Kind, found: Proved, given = ""): string | undefined {
    const [value = ""] = given.split(".");
    const [one, other] = [given, sign(kind, found, value)].map((text) => Buffer.from(text)) as [Buffer, Buffer];
    return one.length === other.length && timingSafeEqual(one, other) ? value : undefined;
  }

  return {
    form: (found) => sign("proof", found, String(clock().getTime() + PROOF_LIFETIME)),
    isForm: (found, proof) => Number(open("proof", found, proof) ?? 0) > clock().getTime(),
    browser: (found) => sign("browser", found, randomBytes(12).toString("base64url")),
    browserOf: (found, cookie) => (found.link.password === undefined ? undefined : open("browser", found, cookie)),
  };
}
