import type { JsonObject } from "daypass/schemes";
import type { UrlKey } from "daypass/url";
import { checked, mapped, moment, pairs, wholeNumber } from "../../arguments.ts";
import { CommandError, type Context } from "../../command.ts";
import { endOfKey } from "../../state/key-record.ts";
import { urlKey } from "../../state/scoped-key.ts";
import { commonFields, given, requestHeaders, type SignOptions } from "./options.ts";
import type { TargetScheme } from "./target.ts";
import { environmentUrlKeys } from "./url-key.ts";

/** `https://…` as a Daypass URL. */
export const urlTarget: TargetScheme = {
  secret: "key",
  locate: (target) => ({ url: target }),
  fields(options) {
    const { bind, ...common } = commonFields(options);
    const { prefix, starts, uses, ip } = options;
    const bound = given({
      ...(bind ?? {}),
      ip,
      headers: requestHeaders(options),
      query: pairs("--query", options.query, "="),
    });
    return {
      ...common,
      ...given({
        methods: options.method,
        notBefore: checked(starts, (text) => moment("--starts", text)),
        prefix: mapped(prefix, (text) =>
          /^\d+$/.test(text) ? wholeNumber("--prefix", text, { min: 1, max: 99 }) : text,
        ),
        audience: options.audience,
        subject: options.subject,
        nonce: options.nonce,
        uses: mapped(uses, (text) => wholeNumber("--uses", text, { min: 1, max: Number.MAX_SAFE_INTEGER })),
        createOnly: options["create-only"],
        vary: options.vary,
        bind: Object.keys(bound).length === 0 ? undefined : bound,
      }),
    };
  },
  async find(options, context) {
    return { fields: { key: await signingKey(options, context) } };
  },
};

async function signingKey(options: SignOptions, context: Context): Promise<JsonObject> {
  if (options.state !== undefined) {
    const { storedKey } = await import("./stored-keys.ts");
    const key = await storedKey("url", { state: options.state, id: options.key }, context);
    // The end of a rotation is no part of the scope, and ends the URLs all the same.
    const until = endOfKey(key.record)?.toISOString();
    return given({ ...urlKey({ ...key, record: { ...key.record, scope: { ...key.record.scope, until } } }) });
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
    throw new CommandError(
      `expected a key that can sign, found that ${key.kid ?? "the one without a kid"} is public: use the private key, which has d`,
    );
  }
  return { ...key };
}

function canSign(key: UrlKey): boolean {
  return key.kty === "oct" || key.d !== undefined;
}
