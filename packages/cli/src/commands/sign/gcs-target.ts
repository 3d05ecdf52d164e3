import { join } from "node:path";
import type { GcsServiceAccount } from "daypass/gcs";
import { isObject, type JsonObject } from "daypass/schemes";
import { checked, mapped, moment, pairs, word } from "../../arguments.ts";
import { CommandError, type Context, UsageError } from "../../command.ts";
import { inHome } from "../../home-folder.ts";
import { namedText, unreadable } from "../../input-text.ts";
import { privateJson } from "../../private-json.ts";
import { readText } from "../../state/files.ts";
import { formLine } from "./form-line.ts";
import { commonFields, given, oneMethod, requestHeaders } from "./options.ts";
import type { TargetScheme } from "./target.ts";

/** `gs://bucket/object`, with the service account that Google's libraries would use. */
export const gcsTarget: TargetScheme = {
  secret: "credentials",
  name: "object",
  // The object is everything behind the bucket, as it is.
  locate(target) {
    const [, bucket, object] = /^gs:\/\/([^/]+)(?:\/(.*))?$/s.exec(target) ?? [];
    if (bucket === undefined) throw new UsageError(`expected gs://bucket/object, found ${JSON.stringify(target)}`);
    return given({ bucket, object: object || undefined });
  },
  fields: (options) => ({
    ...commonFields(options),
    ...given({
      version: mapped(options["signature-version"], (text) => word("--signature-version", text, ["v4", "v2"])),
      method: oneMethod(options),
      endpoint: options.endpoint,
      addressing: mapped(options.addressing, (text) => word("--addressing", text, ["path", "virtual", "bucket-bound"])),
      notBefore: checked(options.starts, (text) => moment("--starts", text)),
      query: pairs("--query", options.query, "="),
      headers: requestHeaders(options),
      dotSegments: options["dot-segments"] === true ? "sign" : undefined,
    }),
  }),
  async find(_, { env }) {
    const emulator = env["STORAGE_EMULATOR_HOST"];
    const endpoint = !emulator ? undefined : emulator.includes("://") ? emulator : `http://${emulator}`;
    return { fields: given({ credentials: await serviceAccount(env), endpoint }) };
  },
  form: (line, fields) => formLine(line, { name: "object", fields }),
};

const ELSEWHERE =
  "set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account (gcloud iam service-accounts keys create)";

/**
 * The service account that Google's libraries would use.
 *
 * Source: https://cloud.google.com/docs/authentication/application-default-credentials
 */
export async function serviceAccount(env: Context["env"]): Promise<GcsServiceAccount> {
  const named = env["GOOGLE_APPLICATION_CREDENTIALS"];
  const folder = env["CLOUDSDK_CONFIG"] || gcloudFolder(env);
  const path = named || (folder && join(folder, "application_default_credentials.json"));
  const text = path && (await (named ? namedText("GOOGLE_APPLICATION_CREDENTIALS", path) : usualText(path)));
  if (path === undefined || text === undefined) {
    throw new CommandError(
      named
        ? `expected the key file that GOOGLE_APPLICATION_CREDENTIALS names, found none at ${path}`
        : `expected Google credentials, found none: ${ELSEWHERE}`,
    );
  }
  const { type, client_email, private_key, universe_domain } = keyFile(path, text);
  if (type !== "service_account") {
    // A user's or a workload's credentials get tokens. What signs is a service account's key.
    throw new CommandError(
      `expected in ${path} the key of a service account, found ${type === undefined ? "no type" : `the type ${JSON.stringify(String(type))}, which cannot sign`}: ${ELSEWHERE}`,
    );
  }
  if (typeof private_key !== "string" || typeof client_email !== "string") {
    const lacks = typeof private_key === "string" ? "client_email" : "private_key";
    throw new CommandError(
      `expected in ${path} the key of a service account, found one without ${lacks}: ${ELSEWHERE}`,
    );
  }
  return {
    client_email,
    private_key,
    ...(typeof universe_domain === "string" ? { universe_domain } : {}),
  };
}

/** Where gcloud keeps what it knows, unless it is told another place. */
function gcloudFolder(env: Context["env"]): string | undefined {
  if (process.platform !== "win32") return inHome(env, ".config", "gcloud");
  return env["APPDATA"] && join(env["APPDATA"], "gcloud");
}

// In a home that is no folder, or another user's, there is nothing to find: a command that can do without passes over it.
function usualText(path: string): Promise<string | undefined> {
  return readText(path).catch((error: unknown) => {
    throw unreadable("gcloud's application default credentials", path, error);
  });
}

function keyFile(path: string, text: string): JsonObject {
  const value = privateJson(text);
  if (isObject(value)) return value;
  throw new CommandError(`expected in ${path} a JSON object, found other text`);
}
