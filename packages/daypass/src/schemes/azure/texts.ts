import type { WireRequest } from "../../core/contracts.ts";
import { parseTarget } from "../../wire/raw-target.ts";
import { azureAllOperations, azureCopyOperations } from "./all-operations.ts";
import { operationFinder } from "./operations.ts";
import { parseSas, sasKindOf } from "./parse.ts";
import { ACCOUNT, azureStringToSign, DELEGATION, SERVICE } from "./sas.ts";
import { readBound } from "./verify-delegation.ts";

/**
 * The string to sign of a request with a SAS, as Azure shows it in `AuthenticationErrorDetail` to a caller whose signature
 * does not match. Verifies nothing.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/create-service-sas
 *
 * @param account the account, if neither the host (`account.blob.…`) nor the path's first segment names it
 * @throws {DaypassError} `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`, `UNSIGNED_PARAMETER`, `METHOD_NOT_GRANTED`, `WRONG_SCOPE`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { azureTexts } from "daypass/azure";
 *
 * export const detail = (request: WireRequest) =>
 *   `Signature did not match. String to sign used was ${azureTexts(request).stringToSign}`;
 * ```
 */
export function azureTexts(request: WireRequest, account?: string): { readonly stringToSign: string } {
  const name = sasKindOf(request);
  const kind = name === "account" ? ACCOUNT : name === "service" ? SERVICE : DELEGATION;
  const received = { request, wire: parseTarget(request.target), origin: `https://${request.authority}`, wildcard: "" };
  const findOperation = operationFinder([...azureAllOperations, ...azureCopyOperations]);
  const reader = { kind, account, findOperation, ...(kind === DELEGATION ? { readBound } : {}) };
  return { stringToSign: azureStringToSign(kind, parseSas(received, reader).values) };
}
