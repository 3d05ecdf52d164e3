import type { SignedRequest } from "daypass";
import type { UrlKey } from "daypass/url";
import { pairs, wholeNumber } from "../arguments.ts";
import { CommandError, type Context, UsageError } from "../command.ts";
import { instant } from "../lines/instant.ts";
import { anyUrlSigner, type UrlSigningKey } from "../lines/url.ts";
import { urlKey } from "../state/scoped-key.ts";
import {
  bindings,
  clockOf,
  commonRequest,
  mapped,
  requestHeaders,
  responseOverrides,
  type SignOptions,
} from "./options.ts";
import { storedKey } from "./stored-key.ts";
import { environmentUrlKeys } from "./url-key.ts";

/** Signs `https://…` as a Daypass URL. */
export async function signUrl(target: string, options: SignOptions, context: Context): Promise<SignedRequest> {
  if (!/^https?:\/\//.test(target)) {
    throw new UsageError(
      `expected s3://bucket/key or https://host/path, found ${JSON.stringify(target)}: this release signs no other`,
    );
  }
  const { prefix, starts, uses, ip } = options;
  const key = await signingKey(options, context);
  return anyUrlSigner(key, clockOf(options)).sign({
    url: target,
    methods: options.method,
    ...commonRequest(options),
    notBefore: mapped(starts, (text) => instant("--starts", text)),
    prefix: mapped(prefix, (text) => (/^\d+$/.test(text) ? wholeNumber("--prefix", text, { min: 1, max: 99 }) : text)),
    audience: options.audience,
    subject: options.subject,
    nonce: options.nonce,
    uses: mapped(uses, (text) => wholeNumber("--uses", text, { min: 1, max: Number.MAX_SAFE_INTEGER })),
    createOnly: options["create-only"],
    vary: options.vary,
    bind: { ...bindings(options), ip, headers: requestHeaders(options), query: pairs("--query", options.query, "=") },
    response: responseOverrides(options),
  });
}

async function signingKey(options: SignOptions, context: Context): Promise<UrlSigningKey> {
  if (options.state !== undefined) {
    return urlKey(await storedKey("url", { state: options.state, id: options.key }, context));
  }
  const keys = await environmentUrlKeys(context);
  const key = keys.find(({ kid }) => options.key === undefined || kid === options.key);
  if (key === undefined) {
    throw new CommandError(
      keys.length === 0
        ? "expected a key for Daypass URLs, found none: set DAYPASS_KEY or DAYPASS_KEY_FILE to a JWK, or give --state with a gateway's folder"
        : `expected a key with kid ${JSON.stringify(options.key)}, found ${keys.map(({ kid }) => kid).join(", ")}`,
    );
  }
  if (!canSign(key)) {
    throw new CommandError(`expected a key that can sign, found that ${key.kid} is public: use the one with d`);
  }
  return key;
}

function canSign(key: UrlKey): key is UrlSigningKey {
  return key.kty === "oct" || key.d !== undefined;
}
