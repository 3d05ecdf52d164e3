import type { ExecException } from "node:child_process";
import { promisify } from "node:util";
import type { S3Credentials } from "daypass/s3";
import { instant, isObject } from "daypass/schemes";
import { CommandError, type Context } from "../command.ts";
import { parseSecretJson } from "../files.ts";
import { loadProfile, type Profile } from "./aws-profile.ts";

/** The credentials, region and server that AWS's tools would use. */
export interface AwsSettings {
  readonly credentials: S3Credentials;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly addressing: "path" | "virtual" | undefined;
}

type Environment = Context["env"];

/**
 * Searches in the order of the AWS command line: environment, shared credentials file, config file, `credential_process`. A profile of
 * `--profile` takes precedence over the environment.
 */
export async function awsSettings(env: Environment, profileName: string | undefined): Promise<AwsSettings> {
  const profile = await loadProfile(env, profileName);
  const fromEnvironment = profileName === undefined ? environmentCredentials(env) : undefined;
  const isConfigured = env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.toLowerCase() !== "true";
  const style = profile.getS3("addressing_style");
  return {
    credentials: fromEnvironment ?? (await profileCredentials(profile)),
    region: env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || profile.get("region"),
    endpoint: isConfigured
      ? env["AWS_ENDPOINT_URL_S3"] ||
        env["AWS_ENDPOINT_URL"] ||
        profile.getS3("endpoint_url") ||
        profile.get("endpoint_url")
      : undefined,
    addressing: style === "path" || style === "virtual" ? style : undefined,
  };
}

function environmentCredentials(env: Environment): S3Credentials | undefined {
  const accessKeyId = env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"];
  if (!accessKeyId && !secretAccessKey) return undefined;
  if (!accessKeyId || !secretAccessKey) {
    throw new CommandError(
      `${accessKeyId ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"} is not set. Set it and ${accessKeyId ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"} together`,
    );
  }
  return temporary({
    accessKeyId,
    secretAccessKey,
    sessionToken: env["AWS_SESSION_TOKEN"],
    expiration: env["AWS_CREDENTIAL_EXPIRATION"],
  });
}

async function profileCredentials(profile: Profile): Promise<S3Credentials> {
  const accessKeyId = profile.get("aws_access_key_id");
  const secretAccessKey = profile.get("aws_secret_access_key");
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return temporary({ accessKeyId, secretAccessKey, sessionToken: profile.get("aws_session_token") });
  }
  if (accessKeyId !== undefined || secretAccessKey !== undefined) {
    const lacking = accessKeyId === undefined ? "aws_access_key_id" : "aws_secret_access_key";
    throw new CommandError(`the profile ${JSON.stringify(profile.name)} has no ${lacking}. Set it`);
  }
  const command = profile.get("credential_process");
  if (command !== undefined) return processCredentials(command);
  const elsewhere = ["sso_session", "sso_start_url", "role_arn", "web_identity_token_file"].find(
    (setting) => profile.get(setting) !== undefined,
  );
  throw new CommandError(
    elsewhere === undefined
      ? `there are no AWS credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add them to the profile ${JSON.stringify(profile.name)}`
      : `the profile ${JSON.stringify(profile.name)} has ${elsewhere} and no access key. Run \`eval "$(aws configure export-credentials --profile ${profile.name} --format env)"\` first`,
  );
}

const PROCESS_LIMIT_MS = 60_000;

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
async function processCredentials(command: string): Promise<S3Credentials> {
  const failure = (problem: string): CommandError =>
    new CommandError(`credential_process ${problem}. It must print credentials as JSON with Version 1`);
  // Takes some milliseconds to load, which only this needs.
  const { exec } = await import("node:child_process");
  const { stdout } = await promisify(exec)(command, { timeout: PROCESS_LIMIT_MS }).catch((error: ExecException) => {
    // The message contains the command line, and stdout may contain a secret, so show neither.
    throw failure(failureText(error));
  });
  const answer = parseSecretJson(stdout);
  if (!isObject(answer)) throw failure("prints no JSON object");
  const { Version, AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer;
  if (Version !== 1 || typeof AccessKeyId !== "string" || typeof SecretAccessKey !== "string")
    throw failure("prints another JSON object");
  return temporary({
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: typeof SessionToken === "string" ? SessionToken : undefined,
    expiration: typeof Expiration === "string" ? Expiration : undefined,
  });
}

/** How the command ended, and the last line of its standard error. */
function failureText({ killed, signal, code, stderr = "" }: ExecException): string {
  const how =
    killed === true ? "took more than a minute" : signal ? `ended by ${signal}` : `ended with exit status ${code}`;
  const lastLine = stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  return lastLine === "" ? how : `${how} and said ${JSON.stringify(lastLine)}`;
}

interface CredentialTexts extends Omit<S3Credentials, "expiration"> {
  readonly expiration?: string | undefined;
}

function temporary({ sessionToken, expiration, ...key }: CredentialTexts): S3Credentials {
  return {
    ...key,
    ...(sessionToken ? { sessionToken } : {}),
    ...(expiration ? { expiration: instant("the expiration of the credentials", expiration) } : {}),
  };
}
