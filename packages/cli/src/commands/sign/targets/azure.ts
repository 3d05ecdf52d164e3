import { DaypassError } from "daypass";
import type { JsonObject } from "daypass/schemes";
import { UsageError } from "../../../command.ts";
import { azureAccount } from "../../../credentials/azure.ts";
import { CLAMP, DOT_SEGMENTS, ENDPOINT, METHOD, oneOf, STARTS } from "../options.ts";
import { splitTarget, type TargetScheme } from "./target-scheme.ts";

/** `az://account/container/blob`, with the account key of Azure's tools. */
export const azureTarget: TargetScheme = {
  secret: "credentials",
  name: "blob",
  options: {
    "signature-version": ["version"],
    method: METHOD,
    endpoint: ENDPOINT,
    permissions: ["permissions"],
    identifier: ["identifier"],
    protocol: oneOf("protocol", "https", "https,http"),
    prefix: ["prefix"],
    starts: STARTS,
    ip: ["ip", oneRange],
    clamp: CLAMP,
    "dot-segments": DOT_SEGMENTS,
    resource: oneOf("resource", "container"),
  },
  locate(target) {
    const fields = splitTarget(target, /^az:\/\/(?<account>[^/]+)\/(?<container>[^/]+)(?:\/(?<blob>.*))?$/s);
    if (fields !== undefined) return fields;
    throw new UsageError(`the target is ${JSON.stringify(target)}. Write az://account/container/blob`);
  },
  find: async (_, { env }) => ({ fields: { ...azureAccount(env) } }),
  complete(line, found) {
    if (line["account"] !== found["account"]) {
      throw new DaypassError(
        "INVALID_INPUT",
        `the target is of the account ${JSON.stringify(line["account"])} and the key of ${JSON.stringify(found["account"])}. Correct the target, or set the key of that account in AZURE_STORAGE_KEY`,
      );
    }
    return line["permissions"] === undefined && line["identifier"] === undefined
      ? { ...line, permissions: usualPermissions(line) }
      : line;
  },
};

function oneRange([ip, second]: readonly string[]): string | undefined {
  if (second !== undefined) throw new UsageError("--ip is given twice, and a SAS has one range. Leave one out");
  return ip;
}

/** The permissions of a method on one blob. Permissions on more than one blob must be given explicitly. */
function usualPermissions({ method = "GET", blob }: JsonObject): string {
  const letters = { GET: "r", HEAD: "r", PUT: "cw", DELETE: "d" }[String(method)];
  if (blob !== undefined && letters !== undefined) return letters;
  throw new DaypassError(
    "INVALID_INPUT",
    "permissions are missing: only a GET, HEAD, PUT or DELETE of one blob has a default. Give --permissions, such as rl",
  );
}
