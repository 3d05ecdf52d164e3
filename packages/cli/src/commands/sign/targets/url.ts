import type { JsonObject } from "daypass/schemes";
import { wholeNumber } from "../../../arguments.ts";
import { CommandError, type Context } from "../../../command.ts";
import { environmentUrlKeys } from "../../../credentials/url-keys.ts";
import { endOfKey } from "../../../state-folder/key-record.ts";
import { urlKey } from "../../../state-folder/scope.ts";
import { given, MAX_EXPIRES_IN, numberField, readHeaders, readQuery, type SignOptions, STARTS } from "../options.ts";
import type { TargetScheme } from "./target-scheme.ts";

/** `https://…` as a Daypass URL. */
export const urlTarget: TargetScheme = {
  secret: "key",
  options: {
    method: ["methods"],
    starts: STARTS,
    prefix: ["prefix", textOrSegments],
    audience: ["audience"],
    subject: ["subject"],
    nonce: ["nonce"],
    uses: numberField("uses"),
    "create-only": ["createOnly"],
    "max-expires-in": MAX_EXPIRES_IN,
    vary: ["vary"],
    ip: ["bind.ip"],
    header: ["bind.headers", readHeaders],
    query: ["bind.query", readQuery],
    state: undefined,
    key: undefined,
  },
  locate: (target) => ({ url: target }),
  find: async (options, context) => ({ fields: { key: await signingKey(options, context) } }),
};

function textOrSegments(text: string, option: string): string | number {
  return /^\d+$/.test(text) ? wholeNumber(option, text, { min: 1, max: 99 }) : text;
}

async function signingKey(options: SignOptions, context: Context): Promise<JsonObject> {
  if (options.state !== undefined) {
    const { storedKey } = await import("../../../credentials/stored-keys.ts");
    const key = await storedKey("url", { state: options.state, id: options.key }, context);
    // The scope does not contain the end of a rotation, but URLs must not outlive it.
    const until = endOfKey(key.record)?.toISOString();
    return given({ ...urlKey({ ...key, record: { ...key.record, scope: { ...key.record.scope, until } } }) });
  }
  const keys = await environmentUrlKeys(context);
  const key = keys.find(({ kid }) => options.key === undefined || kid === options.key);
  if (key === undefined) {
    throw new CommandError(
      keys.length === 0
        ? "there is no key for Daypass URLs. Set DAYPASS_KEY or DAYPASS_KEY_FILE to a JWK, or give --state with a gateway's folder"
        : `--key is ${JSON.stringify(options.key)}, which no key has as its kid. The available keys are ${keys.map(({ kid }) => kid).join(", ")}`,
    );
  }
  if (key.kty !== "oct" && key.d === undefined) {
    throw new CommandError(
      `the key ${key.kid ?? "without a kid"} is public and cannot sign. Use the private key, which has d`,
    );
  }
  return { ...key };
}
