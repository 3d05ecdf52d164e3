import type { ReceivedRequest } from "../../core/contracts.ts";
import { parseEpoch } from "../../core/validity.ts";
import { joinTarget, takeTokens, unsignedParameters } from "../../edge/query.ts";
import type { EdgeToken } from "../../edge/verify.ts";
import { malformed } from "../../wire/parameters.ts";
import { DIGITS, type FastlyHash } from "./canonical.ts";

/** A token that has been read. */
export interface FastlyToken extends EdgeToken {
  readonly expires: string;
  readonly signature: string;
}

const TOKEN = /^([1-9][0-9]{9})_([0-9a-f]+)$/;

export function parseFastly(
  { wire }: ReceivedRequest,
  parameter: string,
  hash: FastlyHash,
  allowUnsigned: readonly string[] | undefined,
): FastlyToken {
  const { own, others } = takeTokens(wire.tokens, [parameter]);
  const [, expires, signature] = TOKEN.exec(own[parameter] ?? "") ?? [];
  if (expires === undefined || signature?.length !== DIGITS[hash]) {
    throw malformed(parameter, "form", `the end in ten digits, "_", and ${DIGITS[hash]} hexadecimal digits`);
  }
  return {
    expires,
    signature,
    expiresAt: parseEpoch(expires),
    path: wire.path,
    target: joinTarget(wire.path, ""),
    unsigned: unsignedParameters(others, allowUnsigned),
  };
}
