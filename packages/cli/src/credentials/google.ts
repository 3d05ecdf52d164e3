import { join } from "node:path";
import type { GcsServiceAccount } from "daypass/gcs";
import { isObject } from "daypass/schemes";
import { CommandError, type Context } from "../command.ts";
import { inHome, parseSecretJson, readError, readNamedFile, readTextIfExists } from "../files.ts";

const REMEDY =
  "Set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account (gcloud iam service-accounts keys create)";

/**
 * The service account that Google's libraries would use.
 *
 * Source: https://cloud.google.com/docs/authentication/application-default-credentials
 */
export async function serviceAccount(env: Context["env"]): Promise<GcsServiceAccount> {
  const named = env["GOOGLE_APPLICATION_CREDENTIALS"];
  const folder = env["CLOUDSDK_CONFIG"] || gcloudFolder(env);
  const path = named || (folder && join(folder, "application_default_credentials.json"));
  const text = path && (await (named ? readNamedFile("GOOGLE_APPLICATION_CREDENTIALS", path) : readDefault(path)));
  if (path === undefined || text === undefined) throw new CommandError(`there are no Google credentials. ${REMEDY}`);
  const value = parseSecretJson(text);
  if (!isObject(value)) throw new CommandError(`${path} is not a JSON object. ${REMEDY}`);
  const { type, client_email, private_key, universe_domain } = value;
  if (type !== "service_account") {
    // Credentials of users and workloads only get tokens. Only the key of a service account can sign.
    throw new CommandError(
      `${path} has ${type === undefined ? "no type" : `the type ${JSON.stringify(String(type))}, which cannot sign`}. ${REMEDY}`,
    );
  }
  if (typeof private_key !== "string" || typeof client_email !== "string") {
    const lacks = typeof private_key === "string" ? "client_email" : "private_key";
    throw new CommandError(`${path} has no ${lacks}. ${REMEDY}`);
  }
  return {
    client_email,
    private_key,
    ...(typeof universe_domain === "string" ? { universe_domain } : {}),
  };
}

function gcloudFolder(env: Context["env"]): string | undefined {
  if (process.platform !== "win32") return inHome(env, ".config", "gcloud");
  return env["APPDATA"] && join(env["APPDATA"], "gcloud");
}

function readDefault(path: string): Promise<string | undefined> {
  return readTextIfExists(path).catch((error: unknown) => {
    throw readError("the default of GOOGLE_APPLICATION_CREDENTIALS", path, error);
  });
}
