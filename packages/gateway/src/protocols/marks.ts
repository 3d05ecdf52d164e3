/**
 * What the gateway knows of each dialect, even of those without keys: the marks of its signatures, and the parameters that logs show.
 * @module
 */
import type { WireRequest } from "daypass";

export interface KnownDialect {
  /** Every one of them matches the target of a signed URL. Absent if only a verifier of the dialect can tell. */
  readonly target?: readonly RegExp[];
  /** Matches the `Authorization` of a signed request. */
  readonly authorization?: RegExp;
  /**
   * Parameters whose values say what was requested and for how long. Logs show them beside the marks of the target. Any other value could be
   * a secret: signature, session token, policy, nonce, subject, or a parameter of the signer.
   */
  readonly shown: string;
}

export const knownDialects: Readonly<Record<string, KnownDialect>> = {
  s3: {
    shown:
      "X-Amz-Algorithm X-Amz-Date X-Amz-Expires X-Amz-SignedHeaders X-Amz-Content-Sha256 Expires partNumber uploadId versionId x-id",
  },
  url: {
    shown:
      "dp-create dp-date dp-expires dp-headers dp-ip dp-key dp-length dp-methods dp-prefix dp-starts dp-type dp-uses dp-v dp-vary",
  },
  gcs: {
    target: [/[?&](?:X-Goog-(?:Algorithm|Credential|Signature)|GoogleAccessId)=/i],
    authorization: /^GOOG/i,
    shown: "X-Goog-Algorithm X-Goog-Date X-Goog-Expires X-Goog-SignedHeaders",
  },
  // The names are short, and other signers use some of them for secrets: `st` of nginx is a signature.
  azure: {
    target: [/[?&]sig=/i, /[?&]sv=/i],
    authorization: /^SharedKey/i,
    shown:
      "sv ss srt sr st se sp spr sip si sdd ses scid skoid sktid skt ske sks skv saoid suoid srh srq comp restype blockid",
  },
};

/** Whether a request carries the marks of a known dialect. */
export function marksOf(dialect: string): (request: WireRequest) => boolean {
  const { target: marks = [NOTHING], authorization = NOTHING } = knownDialects[dialect] ?? {};
  return ({ target, headers }) => {
    if (marks.every((mark) => mark.test(target))) return true;
    for (const [name, value] of headers) {
      if (name.length === 13 && name.toLowerCase() === "authorization" && authorization.test(value)) return true;
    }
    return false;
  };
}

const NOTHING = /^(?!)/;
